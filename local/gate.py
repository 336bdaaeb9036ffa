"""Who may ask the emulator for what. What is not named here is refused.

The emulator listens on the loopback, where every page that is open on this machine can send requests to it, and every
other user of the machine. So whoever comes reaches only what it would reach on AWS:

- the routes of an API that is deployed;
- an object, with a URL that a function has signed with its temporary credentials. S3 checks the signature, and the
  function's role names the one bucket that it may sign for.

Everything else takes a program: a request without anything that browsers add, that either names root's key id, which
is known to this state folder's owner alone, or that of a user or role that there is, whose signature the emulator
checks. And it takes a request that all readers read the same: of ASCII alone.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl

from ministack.core.router import extract_access_key_id

from local.loopback import hosts

HEALTH = "/_ministack/health"

_API = re.compile(rb"/restapis/[a-z0-9]+/\w+/_user_request_(/.*)?", re.DOTALL)
# Bucket names have 3 to 63 characters (Amazon S3 user guide, "General purpose bucket naming rules").
_OBJECT = re.compile(rb"/([a-z0-9][a-z0-9.-]{2,62})/[0-9a-f]{32}")
# Names an operation of any service, whatever the path says.
_TARGET = "x-amz-target"
_OBJECT_METHODS = frozenset({"GET", "HEAD", "PUT"})
_OBJECT_PARAMETERS = re.compile(r"(?i:x-amz|response)-[\w-]+|versionId|uploadId|partNumber|x-id")
_SIGNATURE = {
    "X-Amz-Algorithm": re.compile(r"AWS4-HMAC-SHA256"),
    # Temporary credentials begin with ASIA, long-term ones with AKIA (IAM user guide, "Unique identifiers").
    "X-Amz-Credential": re.compile(r"ASIA[A-Z0-9]{16}/\d{8}/[a-z0-9-]+/s3/aws4_request"),
    "X-Amz-Date": re.compile(r"\d{8}T\d{6}Z"),
    "X-Amz-Expires": re.compile(r"\d{1,6}"),
    "X-Amz-Security-Token": re.compile(r"[^\s]+"),
    "X-Amz-Signature": re.compile(r"[0-9a-f]{64}"),
    "X-Amz-SignedHeaders": re.compile(r"[a-z0-9;-]+"),
}
# As IAM and STS draw them. Much else is root to the emulator: nothing, "test", twelve digits of any script.
_KEY = re.compile(r"(AKIA|ASIA)[A-Z0-9]{16}")
_MORE_THAN_A_READ = re.compile(r"x-amz-|content-|transfer-encoding|authorization")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BROWSERS_HEADERS = frozenset(
    {
        "access-control-request-headers",
        "access-control-request-method",
        "access-control-request-private-network",
        "cookie",
        "dnt",
        "origin",
        "ping-from",
        "ping-to",
        "purpose",
        "referer",
        "service-worker",
        "upgrade-insecure-requests",
        "x-moz",
    }
)


def is_of_browser(headers: Mapping[str, str]) -> bool:
    """Whether a header, by its name in lower case, is one that browsers add. One of them is enough."""
    agent = headers.get("user-agent", "").lower()
    return "mozilla/" in agent or any(name in _BROWSERS_HEADERS or name.startswith("sec-") for name in headers)


class Gate:
    """Decides over requests to the emulator on a port of this machine.

    ``root_key`` is the key id of root. ``has_bucket`` says whether there is a bucket of a name, ``has_key`` whether
    there is a user or a session with a key id.
    """

    def __init__(
        self, port: int, root_key: str, has_bucket: Callable[[str], bool], has_key: Callable[[str], bool]
    ) -> None:
        self._hosts = hosts(port)
        self._root_key = root_key
        self._has_bucket = has_bucket
        self._has_key = has_key

    def admits(self, scope: Mapping[str, Any]) -> bool:
        """Whether a request, as ASGI describes it, may pass. No upgrade to another protocol does."""
        if scope["type"] != "http" or not _is_ascii(scope):
            return False
        raw = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        if [value.lower() in self._hosts for name, value in raw if name == "host"] != [True]:
            return False
        request = _Request(
            scope["method"],
            scope["path"],
            scope["raw_path"],
            scope["query_string"].decode("latin-1"),
            {name: ", ".join(value for other, value in raw if other == name) for name, _ in raw},
        )
        if _is_for_api(request):
            return True
        return not _CONTROL.search(request.path) and (
            self._is_for_signed_object(request) or (not is_of_browser(request.headers) and self._is_of_program(request))
        )

    def _is_for_signed_object(self, request: "_Request") -> bool:
        found = _OBJECT.fullmatch(request.raw_path)
        return found is not None and _is_signed(request) and self._has_bucket(found[1].decode())

    def _is_of_program(self, request: "_Request") -> bool:
        key = request.key
        if hmac.compare_digest(key.encode(), self._root_key.encode()):
            return request.path.startswith("/")
        if request.path.startswith("/_"):
            return request.path == HEALTH
        if key:
            return _KEY.fullmatch(key) is not None and self._has_key(key)
        bucket, _, name = request.path.removeprefix("/").partition("/")
        is_read = (
            request.method in ("GET", "HEAD")
            and not request.query
            # Some would make it another service's, or give it a body.
            and not any(_MORE_THAN_A_READ.match(header) for header in request.headers)
        )
        # Without credentials S3 reads what the bucket's policy makes public.
        return is_read and bool(name) and self._has_bucket(bucket)


class _Request(NamedTuple):
    """A request. ``path`` is without its escapes, as the emulator goes by it; ``raw_path`` is what was sent."""

    method: str
    path: str
    raw_path: bytes
    query: str
    headers: Mapping[str, str]

    @property
    def key(self) -> str:
        """The key id, as the emulator finds it."""
        found: str = extract_access_key_id(self.headers, parse_qs(self.query, keep_blank_values=True))
        return found


def _is_ascii(scope: Mapping[str, Any]) -> bool:
    """Whether there is one way to decode what names a key or an operation.

    Cookies come from other ports as well, and nobody here reads them; an object may be of any type.
    """
    values = (value for name, value in scope["headers"] if name.lower() not in (b"content-type", b"cookie"))
    return all(text.isascii() for text in (scope["raw_path"], scope["query_string"], *values))


def _is_for_api(request: _Request) -> bool:
    return _API.fullmatch(request.raw_path) is not None and not request.key and _TARGET not in request.headers


def _is_signed(request: _Request) -> bool:
    """Whether it has what a presigned URL has. S3 checks what it says."""
    preflight = request.method == "OPTIONS"
    method = request.headers.get("access-control-request-method", "") if preflight else request.method
    parameters = parse_qsl(request.query, keep_blank_values=True)
    given = dict(parameters)
    return (
        method in _OBJECT_METHODS
        and not {"authorization", _TARGET} & request.headers.keys()
        # Each once and in one spelling, so that all readers read the same.
        and len({name.lower() for name in given}) == len(parameters)
        and all(_OBJECT_PARAMETERS.fullmatch(name) for name in given)
        and all(form.fullmatch(given.get(name, "")) for name, form in _SIGNATURE.items())
    )
