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

# Bytes. Sizes that schemathesis makes up may be those of a whole disk.
_MOST = 2**20


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], response: Response) -> None:
    del context
    if case.meta is None or case.meta.phase.name != "stateful":
        return
    is_json = response.headers.get("content-type", [""])[0].startswith("application/json")
    answer: Any = response.json() if response.content and is_json else None
    if case.operation.label == "POST /file" and response.status_code == HTTPStatus.OK:
        _upload(answer, case.body)
    with Path(os.environ["FOLLOWED"]).open("a") as followed:
        followed.write(f"{case.operation.label} {response.status_code} {'[]' if answer == [] else ''}\n")


def _upload(answer: dict[str, Any], declared: Any) -> None:
    size = declared.get("size", 0)
    if "url" in answer and size <= _MOST:
        requests.put(answer["url"], data=bytes(size), headers=answer.get("headers"), timeout=60)
