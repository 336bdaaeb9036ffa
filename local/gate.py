"""Who may ask the emulator for what. What is not named here is refused.

The emulator listens on the loopback, where every page that is open on this machine can send requests to it, and every
other user of the machine. So whoever comes reaches only what it would reach on AWS:

- the routes of an API that is deployed;
- an object, with a URL that a function has signed with its temporary credentials. S3 checks the signature, and the
  function's role names the one bucket that it may sign for.

Everything else takes a program: a request without anything that browsers add, that either names root's key id, which
is known to this state folder's owner alone, or is signed by a user or role, which the emulator checks.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl

from ministack.core.iam_evaluator import is_root_access_key
from ministack.core.router import extract_access_key_id

from local.loopback import hosts

HEALTH = "/_ministack/health"

_API = re.compile(rb"/restapis/[a-z0-9]+/\w+/_user_request_(/.*)?", re.DOTALL)
_OBJECT = re.compile(rb"/[a-z0-9][a-z0-9.-]+/[0-9a-f]{32}")
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

    ``root_key`` is the key id of root, ``has_bucket`` says whether there is a bucket of a name.
    """

    def __init__(self, port: int, root_key: str, has_bucket: Callable[[str], bool]) -> None:
        self._hosts = hosts(port)
        self._root_key = root_key
        self._has_bucket = has_bucket

    def admits(self, scope: Mapping[str, Any]) -> bool:
        """Whether a request, as ASGI describes it, may pass. No upgrade to another protocol does."""
        if scope["type"] != "http":
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
        return (
            _is_for_api(request)
            or _is_for_signed_object(request)
            or (not is_of_browser(request.headers) and self._is_of_program(request))
        )

    def _is_of_program(self, request: "_Request") -> bool:
        key = request.key
        if hmac.compare_digest(key.encode(), self._root_key.encode()):
            return request.path.startswith("/")
        if request.path.startswith("/_"):
            return request.path == HEALTH
        if key:
            # Twelve digits are root as well. Signatures of other keys are checked by the emulator.
            return not is_root_access_key(key)
        bucket, _, name = request.path.removeprefix("/").partition("/")
        is_read = request.method in ("GET", "HEAD") and not request.query and "authorization" not in request.headers
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


def _is_for_api(request: _Request) -> bool:
    return _API.fullmatch(request.raw_path) is not None and not request.key


def _is_for_signed_object(request: _Request) -> bool:
    preflight = request.method == "OPTIONS"
    method = request.headers.get("access-control-request-method", "") if preflight else request.method
    parameters = parse_qsl(request.query, keep_blank_values=True)
    given = dict(parameters)
    return (
        method in _OBJECT_METHODS
        and _OBJECT.fullmatch(request.raw_path) is not None
        and "authorization" not in request.headers
        # Each once and in one spelling, so that all readers read the same.
        and len({name.lower() for name in given}) == len(parameters)
        and all(_OBJECT_PARAMETERS.fullmatch(name) for name in given)
        and all(form.fullmatch(given.get(name, "")) for name, form in _SIGNATURE.items())
    )
