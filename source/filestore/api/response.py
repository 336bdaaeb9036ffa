"""What a function answers, in the words of HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import accumulate
from typing import Any

from filestore.domain.file import File
from filestore.domain.outcome import Problem
from filestore.errors import TryAgainError

MAX_PAYLOAD = 6_291_556
"""Octets that a function may answer (Lambda quotas, 6 MB), with the body as a string of JSON: escaped once more."""

# A quarter of a megabyte is more than a hundred problems and the headers take.
_MAX_RESULT = MAX_PAYLOAD - 256 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: a status, a JSON body (None for no body), headers beyond the usual; for the log, counts and a file."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    file_id: str | None = None


def ok(body: Any, *, file_id: str | None = None, **counts: int) -> Response:
    """200 with a JSON body."""
    return Response(HTTPStatus.OK, body, counts=counts, file_id=file_id)


def no_content(*, file_id: str | None = None, **counts: int) -> Response:
    """204."""
    return Response(HTTPStatus.NO_CONTENT, counts=counts, file_id=file_id)


def found(url: str, *, file_id: str | None = None) -> Response:
    """302 to this URL."""
    return Response(HTTPStatus.FOUND, headers={"Location": url}, file_id=file_id)


def batch(
    result: Iterable[object], problems: Mapping[str, Problem], *, with_problems: bool = False, **counts: int
) -> Response:
    """The answer to a batch: what there is to say of each id, alone or with the problem of every id that is left out.

    Without ``with_problems`` nobody would be told of an id that was throttled: then the whole answer is a 503.
    """
    if with_problems:
        reasons = {file_id: {"code": problem, "message": problem.message} for file_id, problem in problems.items()}
        return ok({"result": list(result), "problems": reasons}, file_id=None, **counts)
    if Problem.TRY_AGAIN in problems.values():
        raise TryAgainError()
    return ok(list(result), file_id=None, **counts)


def details(file: File, url: str | None) -> dict[str, Any]:
    """What a back end may know of a file, with the URL to download it; absent values are absent keys."""
    shown = {
        "id": file.id,
        "name": file.name,
        "type": file.type,
        "size": file.size,
        "created_at": file.created_at,
        "uploaded_at": file.uploaded_at,
        "stored_at": file.stored_at,
        "deleted_at": file.deleted_at,
        "meta": file.meta,
        "checksum": _receipt(file),
        "owner": file.owner,
        "url": url,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _receipt(file: File) -> dict[str, str] | None:
    """The checksum of the contents, and whether it was declared, and checked by S3, or computed by S3 alone.

    Of what has not arrived it would be nothing but a claim.
    """
    if file.checksum is None or file.version_id is None:
        return None
    return {**file.checksum._asdict(), "verified": file.checksum_from or "declared"}


def fitting(members: Iterable[object]) -> int:
    """Returns how many of these members of a result there is room for in one answer."""
    return sum(size <= _MAX_RESULT for size in accumulate(_size_as_lambda_counts(member) for member in members))


def _size_as_lambda_counts(member: object) -> int:
    text = json.dumps(member)
    return len(text) + text.count('"') + text.count("\\") + len(", ")
