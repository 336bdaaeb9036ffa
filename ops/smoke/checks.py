"""What a check is, and the row that it ends in."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from requests import RequestException

from ops.errors import OperatorError

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})

# Of a presigned URL: whoever has it may do what it was signed for.
_SIGNED_QUERY = re.compile(r"\?\S*X-Amz-\S*", re.IGNORECASE)
_ERROR_LENGTH = 300

# There was no answer, or it has not the form that it should have.
_NO_ANSWER = (
    AttributeError,
    BotoCoreError,
    LookupError,
    OSError,
    OperatorError,
    RequestException,
    TypeError,
    ValueError,
)


class Verdict(StrEnum):
    """What became of a check."""

    OK = "OK"
    FAILED = "FAILED"
    NOT_SEEN = "NOT SEEN"


class CheckFailed(Exception):  # noqa: N818 - a verdict, not a fault of this program
    """The stack does not do what it should."""

    def __init__(self, *, expected: object, came: object, do: str) -> None:
        super().__init__(f"Expected {expected}, came {came}. {do}")


class NotSeen(Exception):  # noqa: N818 - likewise
    """It could not be seen here; the message says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question: its name, what its answer settles, where the expectation comes from."""

    name: str
    settles: str
    source: str
    ask: Callable[[Any], str]
    not_here: str | None
    """Why the emulator cannot show it, if it cannot."""


@dataclass(frozen=True, slots=True)
class Row:
    """A check's verdict, and what was seen."""

    name: str
    verdict: Verdict
    said: str


def check(*, source: str, not_here: str | None = None) -> Callable[[Callable[[Any], str]], Check]:
    """Make a check of a function: its name, with hyphens, and its docstring.

    The function takes a Smoke, returns what it saw, and raises CheckFailed or NotSeen.
    """

    def register(ask: Callable[[Any], str]) -> Check:
        name = ask.__name__.replace("_", "-")
        return Check(name, " ".join((ask.__doc__ or "").split()), source, ask, not_here)

    return register


def run(asked: Check, smoke: Any, *, here: bool) -> Row:
    """Ask, whatever comes of it."""
    if here and asked.not_here:
        return Row(asked.name, Verdict.NOT_SEEN, asked.not_here)
    try:
        verdict, said = Verdict.OK, asked.ask(smoke)
    except NotSeen as reason:
        verdict, said = Verdict.NOT_SEEN, str(reason)
    except CheckFailed as failure:
        verdict, said = Verdict.FAILED, str(failure)
    except ClientError as error:
        if error.response["Error"]["Code"] in _DENIED:
            verdict, said = Verdict.NOT_SEEN, f"your profile may not {error.operation_name}"
        else:
            verdict, said = Verdict.FAILED, f"{error}. Repeat: ONLY={asked.name}"
    except _NO_ANSWER as error:
        told = unsigned(str(error))[:_ERROR_LENGTH]
        verdict, said = Verdict.FAILED, f"{type(error).__name__}: {told}. Repeat: ONLY={asked.name}"
    return Row(asked.name, verdict, unsigned(" ".join(said.split())))


def unsigned(text: str) -> str:
    """The text with presigned URLs cut at their queries."""
    return _SIGNED_QUERY.sub("", text)


def expect(what: str, came: object, expected: object, do: str) -> None:
    """Raise CheckFailed where they differ."""
    if came != expected:
        raise CheckFailed(expected=f"{what} {_plain(expected)}", came=_plain(came), do=do)


def _plain(value: object) -> object:
    """As an operator reads it: a status is its number."""
    if isinstance(value, tuple):
        return tuple(_plain(member) for member in value)
    return int(value) if isinstance(value, HTTPStatus) else value
