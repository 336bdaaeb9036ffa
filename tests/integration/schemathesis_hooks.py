"""What schemathesis does besides its requests. It loads this file itself: test_schema.py names it.

An OpenAPI link leads from an answer to another operation of the document. The PUT to S3 that comes between POST /file
and PUT /files is none, so it is made here.
"""

import os
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
import schemathesis
from schemathesis.core.transport import Response

_BODIES = {"POST /file": {"name": "a.txt", "type": "text/plain"}, "PATCH /files/{id}": {"name": "b.txt"}}


def _follows_links(case: schemathesis.Case[Any]) -> bool:
    return case.meta is not None and case.meta.phase.name == "stateful"


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Send what is taken, so that something follows: bodies that are made up have phases of their own."""
    del context, kwargs
    if _follows_links(case) and case.operation.label in _BODIES:
        case.body = _BODIES[case.operation.label]
        case.headers.pop("Idempotency-Key", None)


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], response: Response) -> None:
    """Send the contents, and write down what was answered."""
    del context
    if not _follows_links(case):
        return
    answer: Any = response.json() if response.content.startswith((b"[", b"{")) else None
    if case.operation.label == "POST /file" and response.status_code == HTTPStatus.OK:
        requests.put(answer["url"], data=b"contents", headers=answer["headers"], timeout=60)
    with Path(os.environ["FOLLOWED"]).open("a") as followed:
        followed.write(f"{case.operation.label} {response.status_code}{' []' if answer == [] else ''}\n")
