"""GET /files/{id}/content: lead to the contents of one file. HEAD likewise."""

from filestore import api, wiring

wiring.link_content()


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """S3 takes no HEAD for a GET that was signed, so a HEAD is led to a URL of its own."""
    file_id = request.path("id")
    is_shown = request.choice("disposition", "attachment", "inline") == "inline"
    url = wiring.link_content().link(file_id, owner=api.owner(request), method=request.method, is_shown=is_shown)
    return api.found(url, file_id=file_id)
