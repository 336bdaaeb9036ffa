"""POST /files: describe files, with a URL to download each that is stored."""

from typing import Any

from filestore import api, wiring
from filestore.domain.info import Description

wiring.describe_files()


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """Answers the files that are stored and not deleted; query parameters let the others in."""
    deleted, nonstored, with_problems = (request.flag(name) for name in ("deleted", "nonstored", "problems"))
    described = wiring.describe_files()(request.ids(), deleted=deleted, nonstored=nonstored)
    details = {each.file.id: _json(each) for each in described.files}
    return api.batch(details, described.problems, with_problems=with_problems)


def _json(description: Description) -> dict[str, Any]:
    """What a back end may know of a file; absent values are absent keys."""
    file = description.file
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
        "checksum": file.checksum._asdict() if file.checksum else None,
        "url": description.url,
    }
    return {name: value for name, value in shown.items() if value is not None}
