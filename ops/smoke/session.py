"""One run: an API key of its own, the files that it makes, and how it talks to the stack."""

import itertools
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Set
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

import requests
from botocore.exceptions import ClientError

from ops.errors import OperatorError
from ops.smoke import keys
from ops.smoke.checks import CheckFailed, NotSeen
from ops.smoke.cleanup import Cleanup
from ops.smoke.deployment import Deployment

_T = TypeVar("_T")

UNKNOWN_ID = "0" * 32
"""Has the form of an id, and is the id of nothing."""

_TIMEOUT = 60
# A new key is known everywhere after a while; until then single requests are refused although others were not.
_KEY_SETTLES_IN = 20
_THROTTLED_TRIES = 10
_IDS = 100


class Smoke:
    """What the checks work with. ``patience`` is how many seconds AWS gets for what it does behind the scenes."""

    def __init__(
        self,
        deployment: Deployment,
        cleanup: Cleanup,
        *,
        say: Callable[[str], None] = lambda _: None,
        patience: float = 120,
        metrics_patience: float = 300,
        with_update: bool = False,
        with_multipart: bool = True,
        clean: bool = False,
    ) -> None:
        self.deployment = deployment
        self.cleanup = cleanup
        self.say = say
        self.patience = patience
        self.metrics_patience = metrics_patience
        self.with_update = with_update
        self.with_multipart = with_multipart
        self.clean = clean
        self.name = f"{keys.PREFIX}{secrets.token_hex(4)}"
        self.started = time.time()
        self.counted: Counter[str] = Counter()
        self.made: list[str] = []
        self.scratch: set[str] = set()
        self.key: str | None = None
        self._key_id = ""
        self._stored: list[str] = []
        self._alive: list[str] = []
        self._inherited: set[str] = set()
        self.http = requests.Session()
        cleanup.note(f"API key {self.name}: make revoke STACK={deployment.name} NAME={self.name}", self.revoke_key)
        cleanup.note(f"files named {self.name}", self.delete_files)

    # ------------------------------------------------------------- the key

    def refuse_beside_another(self) -> None:
        """Raise OperatorError where another run may still go on: each would find what the other has made.

        With ``clean`` none does: what there is was left behind.
        """
        for other in keys.of_earlier_runs(self.deployment, self.name):
            if not self.is_left(other.created):
                minutes = max(0, int(time.time() - other.created.timestamp())) // 60
                raise OperatorError(
                    f"The run {other.name} of {minutes} minutes ago goes on, or was killed. Wait until it is through;"
                    " if it was killed, this deletes what it left: CLEAN=yes"
                )

    def is_left(self, made: datetime) -> bool:
        """Whether what another run made then was left behind."""
        return self.clean or not keys.may_go_on(made)

    def make_key(self) -> str:
        """Make this run's key, and delete what an earlier run left behind with the key that it could not delete."""
        others = keys.of_earlier_runs(self.deployment, self.name)
        earlier = [other for other in others if self.is_left(other.created)]
        self.key = keys.make(self.deployment, self.name)
        (self._key_id,) = keys.ids(self.deployment, self.name)
        if earlier:
            self._alive += [file_id for key in earlier for file_id in key.files]
            self._inherited.update(self._alive)
            self._stored += self._alive
            keys.remember(self.deployment, self._key_id, self._stored)
            keys.delete(self.deployment, [key.id for key in earlier])
            self.say(f"an earlier run left {len(earlier)} keys and {len(self._alive)} files: they go with this run's")
        return self.key

    def abandon_key(self) -> None:
        """Use the key no more: it does not work."""
        self.key = None

    def revoke_key(self) -> None:
        """Delete this run's key, unless it is the only thing that knows of files which are still there."""
        if self._alive and self._stored:
            raise OperatorError("Its description says to the next run which files are still to be deleted.")
        keys.delete(self.deployment, keys.ids(self.deployment, self.name))
        self.key = None

    def key_headers(self) -> dict[str, str]:
        """The header of this run's key. Raises NotSeen where none works."""
        if self.key is None:
            raise NotSeen("it needs an API key, and none works: see key-works")
        return {"x-api-key": self.key}

    # ------------------------------------------------------------- the API

    def call(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None, **kwargs: Any
    ) -> requests.Response:
        """A request to the API, repeated while it is throttled. ``data`` is a body as it is.

        Without a key, unless it asks for an upload where that needs one.
        """
        if (method, path) == ("POST", "/file") and not self.deployment.upload_is_public:
            headers = self.key_headers() | dict(headers or {})
        for _ in range(_THROTTLED_TRIES):
            self.counted["API"] += 1
            reply = self.http.request(
                method,
                self.deployment.outputs["ApiRootUrl"] + path,
                json=body,
                headers=headers,
                timeout=_TIMEOUT,
                **kwargs,
            )
            if reply.status_code != HTTPStatus.TOO_MANY_REQUESTS:
                break
            time.sleep(float(reply.headers.get("Retry-After", "1")))
        return reply

    def ask(self, method: str, ids: object, query: str = "", **kwargs: Any) -> requests.Response:
        """A request of a back end to /files, with this run's key."""
        headers = {**self.key_headers(), **kwargs.pop("headers", {})}
        until = time.monotonic() + _KEY_SETTLES_IN
        while True:
            body = {} if "data" in kwargs else {"body": ids}
            reply = self.call(method, f"/files{query}", headers=headers, **body, **kwargs)
            if reply.status_code != HTTPStatus.FORBIDDEN or time.monotonic() > until:
                return reply
            time.sleep(1)

    def begin(self, **declared: Any) -> dict[str, Any]:
        """Ask for an upload; the file is deleted in the end."""
        self.key_headers()
        reply = self.call("POST", "/file", {"name": f"{self.name}.txt", **declared})
        if not reply.ok:
            raise CheckFailed(expected="an upload", came=said(reply), do="See the log of UploadFunction.")
        upload: dict[str, Any] = reply.json()
        self.made.append(upload["id"])
        self._alive.append(upload["id"])
        return upload

    def put(
        self, upload: Mapping[str, Any], contents: bytes, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """PUT to the upload's URL, with the headers that came with it unless others are given."""
        if self.deployment.stores_on_load and upload["id"] not in self._stored:
            self._remember(upload["id"])
        self.counted["S3 PUT"] += 1
        sent = upload.get("headers", {}) if headers is None else headers
        return self.http.put(upload["url"], data=contents, headers=dict(sent), timeout=_TIMEOUT)

    def get(self, url: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> requests.Response:
        """GET from S3; a HEAD costs the same."""
        self.counted["S3 GET"] += 1
        return self.http.request(method, url, headers=headers, timeout=_TIMEOUT)

    def upload(self, contents: bytes, **declared: Any) -> dict[str, Any]:
        """Ask for an upload and PUT the contents."""
        upload = self.begin(**declared)
        sent = self.put(upload, contents)
        if not sent.ok:
            raise CheckFailed(expected="S3 to take an upload", came=said(sent), do="See put-signed.")
        return upload

    def store(self, contents: bytes, **declared: Any) -> dict[str, Any]:
        """Upload and store."""
        upload = self.upload(contents, **declared)
        self.keep(upload["id"])
        return upload

    def keep(self, file_id: str) -> None:
        """Store what is uploaded, or wait until it is where files are stored as they arrive."""
        if self.deployment.stores_on_load:
            self.recorded(file_id)
            return
        self._remember(file_id)
        stored = self.ask("PUT", [file_id])
        if stored.status_code != HTTPStatus.OK or stored.json() != [file_id]:
            raise CheckFailed(expected="the id, stored", came=said(stored), do="See the log of StoreFunction.")

    def details(self, file_id: str, query: str = "?nonstored=yes&deleted=yes") -> dict[str, Any] | None:
        """A file's details, None where it is left out."""
        found: list[dict[str, Any]] = self.ask("POST", [file_id], query).json()
        return found[0] if found else None

    def recorded(self, file_id: str) -> dict[str, Any]:
        """The details of an upload once S3's event has reached its record."""
        found = self.wait(lambda: (details := self.details(file_id)) and "uploaded_at" in details and details)
        if not found:
            raise CheckFailed(
                expected=f"S3's event within {self.patience:.0f} seconds",
                came="none",
                do="See the log of UploadedFunction, make dead-letters, and the bucket's notification.",
            )
        return found

    def versions(self, file_id: str) -> list[str]:
        """The versions of a file's object, for those who may list them."""
        listed = self.deployment.client("s3").list_object_versions(
            Bucket=self.deployment.outputs["StorageBucketName"], Prefix=file_id
        )
        return [each["VersionId"] for kind in ("Versions", "DeleteMarkers") for each in listed.get(kind, [])]

    def record(self, file_id: str) -> dict[str, Any]:
        """A file's record, for those who may read it."""
        answer = self.deployment.client("dynamodb").get_item(
            TableName=self.deployment.outputs["TableName"], Key={"id": {"S": file_id}}, ConsistentRead=True
        )
        record: dict[str, Any] = answer["Item"]
        return record

    def wait(self, condition: Callable[[], _T]) -> _T | None:
        """What the condition returns once it holds, None where it does not in time."""
        until = time.monotonic() + self.patience
        pauses = itertools.chain((0.05, 0.1, 0.2, 0.5), itertools.repeat(1))
        while not (answer := condition()) and time.monotonic() < until:
            time.sleep(next(pauses))
        return answer or None

    def delete_files(self) -> None:
        """Delete every file that was made, through the API."""
        while self._alive and self.key is not None:
            batch = self._made_by_runs(self._alive[:_IDS])
            self._batch("DELETE", batch, "?problems=yes", harmless={"unknown"})
            del self._alive[:_IDS]
        if self._alive:
            raise OperatorError("There is no key left to delete the files with.")

    def _made_by_runs(self, ids: list[str]) -> list[str]:
        """The ids without those that an earlier run's key names, but that are no file of a run."""
        doubtful = [file_id for file_id in ids if file_id in self._inherited]
        described = self._batch(
            "POST", doubtful, "?nonstored=yes&problems=yes", harmless={"unknown", "deleted", "expired"}
        )
        proven = {each["id"] for each in described if each["name"].startswith(keys.PREFIX)}
        strangers = {each["id"] for each in described} - proven
        if strangers:
            self.say(f"a key of an earlier run names files that no run made; they stay: {', '.join(sorted(strangers))}")
        return [file_id for file_id in ids if file_id not in self._inherited or file_id in proven]

    def _batch(self, method: str, ids: list[str], query: str, *, harmless: Set[str]) -> list[Any]:
        """What the API answers of these ids. Raises OperatorError where it cannot answer of one."""
        if not ids:
            return []
        reply = self.ask(method, ids, query)
        answer: dict[str, Any] = (
            reply.json() if reply.ok else {"result": [], "problems": {"all": {"code": said(reply)}}}
        )
        wrong = {problem["code"] for problem in answer["problems"].values()} - harmless
        if wrong:
            raise OperatorError(f"The files could not be deleted: {', '.join(sorted(wrong))}")
        found: list[Any] = answer["result"]
        return found

    def _remember(self, file_id: str) -> None:
        """Note that a file is about to be stored, where the next run finds it if this one is killed."""
        self._stored.append(file_id)
        try:
            keys.remember(self.deployment, self._key_id, self._stored)
        except ClientError as error:
            # Only a killed run misses it.
            self.say(f"should this be killed, files named {self.name} stay: {error}")


def said(reply: requests.Response) -> str:
    """What an answer said, shortly."""
    return f"{reply.status_code} {reply.text[:200]}"
