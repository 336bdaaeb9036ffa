"""Presigned URLs: the only way in which a file's bytes travel.

Signing needs no client of S3, which a cold start would pay for: Signature Version 4 in the query is a pure function of
the credentials, the URL and the headers. A URL can do what its signer can, so the rights needed are ``s3:PutObject``
and ``s3:GetObjectVersion`` on the bucket's objects.
"""

import hashlib
import hmac
import os
import time
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, urlsplit

from botocore.credentials import ReadOnlyCredentials
from botocore.session import Session

from filestore.domain.file import Checksum, UploadLink
from filestore.storage.aws import signing_key

# Whoever sends the contents may send these headers with them, unsigned, and S3 gives back what it was sent (PutObject,
# Amazon S3 API reference); it refuses every unsigned x-amz-* header. So a download overrides each of them. S3 ignores
# an override that is empty.
_NOTHING_OF_THE_UPLOADERS = {
    # The bytes as they are: "gzip" around others, or around a bomb, would have clients decode them.
    "response-content-encoding": "identity",
    # A file may be deleted at any time, and no two URLs of it are the same, so a cache is of no use.
    "response-cache-control": "no-store",
    "response-expires": "Thu, 01 Jan 1970 00:00:00 GMT",
    # ISO 639-2 for a language that nobody has determined.
    "response-content-language": "und",
}

_NONE: Mapping[str, str] = {}


class LinkSigner:
    """Signs the URLs of one bucket's objects. ``expiration`` is in seconds (AWS allows up to 604800)."""

    def __init__(self, session: Session, bucket: str, expiration: int) -> None:
        credentials = session.get_credentials()
        region = session.get_config_variable("region")
        if credentials is None or region is None:
            raise RuntimeError("AWS credentials and region are needed to sign URLs")
        self._credentials = credentials
        self._region = region
        self._expiration = expiration
        self._root = bucket_url(session, bucket, region)
        scheme, netloc, self._path, *_ = urlsplit(self._root)
        # What clients send as Host: they leave out the scheme's own port.
        self._host = netloc.rpartition("@")[2].lower().removesuffix({"http": ":80", "https": ":443"}[scheme])

    def upload(
        self,
        key: str,
        *,
        size: int | None = None,
        content_type: str | None = None,
        checksum: Checksum | None = None,
        life: int | None = None,
    ) -> UploadLink:
        """Sign a PUT. What is given is signed, so that S3 refuses anything else. ``life`` is in seconds."""
        headers = {}
        if content_type is not None:
            headers["Content-Type"] = content_type
        if checksum is not None:
            headers[f"x-amz-checksum-{checksum.algorithm.lower()}"] = checksum.value
        # Every client sets Content-Length itself, and browsers let nobody else do it.
        signed = headers if size is None else {**headers, "Content-Length": str(size)}
        return UploadLink(url=self._sign("PUT", key, headers=signed, life=life), headers=headers)

    def part(self, key: str, upload_id: str, number: int, *, size: int, checksum: str | None, life: int) -> UploadLink:
        """Sign a PUT of one part of ``size`` bytes, for at most ``life`` seconds; S3 takes nothing else for it.

        A checksum has to be signed as a header: S3 does not look at one in the query.
        """
        headers = {} if checksum is None else {"x-amz-checksum-crc64nvme": checksum}
        url = self._sign(
            "PUT",
            key,
            headers={**headers, "Content-Length": str(size)},
            query={"partNumber": str(number), "uploadId": upload_id},
            life=life,
        )
        return UploadLink(url=url, headers=headers)

    def download(
        self, key: str, *, version_id: str, content_type: str, content_disposition: str, method: str = "GET"
    ) -> str:
        """Sign a GET, or a HEAD, of exactly this version, answered with no header of the uploader's.

        S3 refuses to one method what was signed for the other.

        The type and the disposition are the longest parts of the URL. S3 takes 8192 bytes of request line and headers,
        browsers send up to 1000 of their own, and a session token takes up to 2048: 4600 are left for these two.
        """
        return self._sign(
            method,
            key,
            query={
                **_NOTHING_OF_THE_UPLOADERS,
                "response-content-disposition": content_disposition,
                "response-content-type": content_type,
                "versionId": version_id,
            },
        )

    def _sign(
        self,
        method: str,
        key: str,
        *,
        headers: Mapping[str, str] = _NONE,
        query: Mapping[str, str] = _NONE,
        life: int | None = None,
    ) -> str:
        """Signature Version 4 in the query (Amazon S3 API reference, Authenticating Requests: Using Query Parameters).

        Written out: the SDK's signer takes six times as long, as it signs any request and keeps nothing from the last.
        """
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        signing, scope, credential, token = _signer(self._credentials.get_frozen_credentials(), self._region, now[:8])
        signed = {"host": self._host} | {name.lower(): " ".join(value.split()) for name, value in headers.items()}
        names = sorted(signed)
        asked = [f"{name}={quote(value, safe='-._~')}" for name, value in query.items()]
        authorising = [
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            credential,
            f"X-Amz-Date={now}",
            f"X-Amz-Expires={self._expiration if life is None else life}",
            f"X-Amz-SignedHeaders={'%3B'.join(names)}",
            *token,
        ]
        path = f"/{quote(key)}"
        canonical = "\n".join(
            [
                method,
                self._path + path,
                # Sorted by their names, of which none is the beginning of another.
                "&".join(sorted(asked + authorising)),
                *(f"{name}:{signed[name]}" for name in names),
                "",
                ";".join(names),
                "UNSIGNED-PAYLOAD",
            ]
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}"
        signature = hmac.digest(signing, to_sign.encode(), "sha256").hex()
        return f"{self._root}{path}?{'&'.join(asked + authorising)}&X-Amz-Signature={signature}"


@lru_cache(maxsize=1)
def _signer(credentials: ReadOnlyCredentials, region: str, day: str) -> tuple[bytes, str, str, tuple[str, ...]]:
    """What is the same in every URL of a day: the key, its scope, and two parts of the query, the second if any."""
    scope = f"{day}/{region}/s3/aws4_request"
    token = () if credentials.token is None else (f"X-Amz-Security-Token={quote(credentials.token, safe='-._~')}",)
    credential = f"X-Amz-Credential={quote(f'{credentials.access_key}/{scope}', safe='-._~')}"
    return signing_key(credentials.secret_key, scope), scope, credential, token


def bucket_url(session: Session, bucket: str, region: str) -> str:
    """The bucket's regional address; the SDK's own variables for a custom endpoint are honoured, addressed by path.

    The global address would answer a bucket elsewhere with a redirect, which browsers refuse on a preflight.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        return f"{endpoint.rstrip('/')}/{bucket}"
    partition = session.get_partition_for_region(region)
    partitions = session.get_component("data_loader").load_data("partitions")["partitions"]
    suffixes = {each["id"]: each["outputs"]["dnsSuffix"] for each in partitions}
    return f"https://{bucket}.s3.{region}.{suffixes[partition]}"
