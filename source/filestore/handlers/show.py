"""GET /files/{id}: describe one file, with a URL to download it while it is stored."""

from filestore import api, wiring

wiring.show_file()


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """Returns the file if it is stored and not deleted; query parameters let in others."""
    deleted, nonstored = (request.flag(name) for name in ("deleted", "nonstored"))
    owner = api.owner(request)
    file, url = wiring.show_file().show(request.path("id"), owner=owner, deleted=deleted, nonstored=nonstored)
    return api.ok(api.details(file, url), file_id=file.id)
