"""What API Gateway hands to a function, with readers that trust none of it.

The event has the shape of a Lambda proxy integration (API Gateway developer guide). API Gateway's validator is the
first check; nothing here relies on it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from filestore.errors import (
    FieldError,
    InvalidBodyError,
    InvalidQueryError,
    InvalidTokenError,
    NoKeyError,
    TooManyIdsError,
)

MAX_IDS = 100
"""Ids that one call takes."""

_MAX_BODY = 256 * 1024
_MAX_ID = 128
_YES = ("yes", "true", "1")
_NO = ("no", "false", "0")

# Control characters and lone surrogates: the former have no place in a name or an id, the latter no UTF-8 encoding.
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Request:
    """A request, with readers that raise InvalidRequestError for what is not as it should be."""

    event: Mapping[str, Any]

    @property
    def method(self) -> str:
        """GET, for example."""
        return str(self.event.get("httpMethod"))

    def header(self, name: str) -> str | None:
        """A header's value, whatever the case of its name."""
        headers = self.event.get("headers") or {}
        return next((value for key, value in headers.items() if key.lower() == name), None)

    def key_id(self) -> str:
        """The id of the API key that the request came with. Raises NoKeyError where API Gateway has not told it."""
        key_id = ((self.event.get("requestContext") or {}).get("identity") or {}).get("apiKeyId")
        if not isinstance(key_id, str) or not key_id:
            raise NoKeyError("An API key is needed.")
        return key_id

    def upload_token(self) -> str:
        """The token of an upload. Raises InvalidTokenError where there is none."""
        token = self.header("x-upload-token")
        if not token:
            raise InvalidTokenError("The header x-upload-token is needed.")
        return token

    def path(self, name: str) -> str:
        """A path parameter."""
        return str((self.event.get("pathParameters") or {}).get(name, ""))

    def query(self, name: str) -> str | None:
        """A query parameter, as it came."""
        value: str | None = (self.event.get("queryStringParameters") or {}).get(name)
        return value

    def flag(self, name: str) -> bool:
        """A query parameter that says yes, true or 1, or else no, false or 0, in any case; absent means no."""
        value = self.query(name)
        if value is None or value.lower() in (*_YES, *_NO):
            return value is not None and value.lower() in _YES
        raise InvalidQueryError(name, f"The query parameter {name} is yes (true, 1) or no (false, 0).")

    def choice(self, name: str, default: str, *others: str) -> str:
        """A query parameter that has one of these values; absent it has the first."""
        value = self.query(name)
        if value is not None and value not in (default, *others):
            raise InvalidQueryError(name, f"The query parameter {name} is {' or '.join((default, *others))}.")
        return default if value is None else value

    def json(self) -> object:
        """The body."""
        text = self.event.get("body")
        if not text:
            _refuse("", "A JSON body is needed.")
        if len(text) > _MAX_BODY:
            _refuse("", f"The body is longer than {_MAX_BODY} characters.")
        try:
            if self.event.get("isBase64Encoded"):
                text = base64.b64decode(text, validate=True).decode()
            return json.loads(text, parse_constant=_no_constant)
        except (binascii.Error, RecursionError, ValueError):
            _refuse("", "The body is not JSON.")

    def ids(self) -> list[str]:
        """The body as ids, 0 to 100, each once and in the order given. Raises TooManyIdsError."""
        body = self.json()
        if not isinstance(body, list):
            _refuse("", "An array of file ids is needed.")
        errors = [
            FieldError(f"/{index}", f"A file id is a string of 1 to {_MAX_ID} printable characters.")
            for index, value in enumerate(body)
            if not isinstance(value, str) or not 1 <= len(value) <= _MAX_ID or _UNPRINTABLE.search(value)
        ]
        if errors:
            raise InvalidBodyError(errors[:MAX_IDS])
        ids = list(dict.fromkeys(body))
        if len(ids) > MAX_IDS:
            raise TooManyIdsError(f"{len(ids)} ids were given, one call takes at most {MAX_IDS}.")
        return ids


def is_printable(text: str) -> bool:
    """Whether the text has neither control characters nor lone surrogates."""
    return _UNPRINTABLE.search(text) is None


def is_encodable(text: str) -> bool:
    """Whether the text has no lone surrogates, and so an encoding in UTF-8."""
    return _SURROGATE.search(text) is None


def _refuse(path: str, message: str) -> NoReturn:
    raise InvalidBodyError([FieldError(path, message)])


def _no_constant(_: str) -> NoReturn:
    raise ValueError
