"""PATCH /files/{id}: give a file another name or other meta."""

from filestore import api, wiring
from filestore.api.declared import check_meta, check_name, checked, file_name
from filestore.errors import FieldError, InvalidBodyError

wiring.update_file()

_CHECKS = {"name": check_name, "meta": check_meta}


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """Returns the details as they are now, whatever the state of the file, unless it is deleted."""
    body = checked(request.json(), _CHECKS)
    if not body:
        raise InvalidBodyError([FieldError("", "A name or meta is needed.")])
    name = file_name(body["name"]) if "name" in body else None
    owner = api.owner(request)
    file, url = wiring.update_file().update(request.path("id"), owner=owner, name=name, meta=body.get("meta"))
    return api.ok(api.details(file, url), file_id=file.id)
