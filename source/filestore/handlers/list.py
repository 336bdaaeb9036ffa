"""GET /files: list the stored files, a page at a time."""

from filestore import api, wiring
from filestore.errors import InvalidQueryError
from filestore.use_cases.list import Query

wiring.list_files()

_MAX_LIMIT = 1000
_DEFAULT_LIMIT = 100


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """Returns a page of files and the cursor of the next. Lambda lets only so much through: the rest is on the next."""
    newest_first = request.choice("order", "desc", "asc") == "desc"
    query = Query(api.owner(request), newest_first=newest_first, deleted=request.flag("deleted"))
    files = wiring.list_files()
    page = files.list(query, limit=_limit(request), cursor=request.query("cursor"))
    details = [api.details(file, url) for file, url in page.files]
    room = max(1, api.fitting(details))
    return api.ok({"files": details[:room], "next": files.cut(query, page, room).next})


def _limit(request: api.Request) -> int:
    text = request.query("limit")
    if text is None:
        return _DEFAULT_LIMIT
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_MAX_LIMIT)) and 1 <= int(text) <= _MAX_LIMIT):
        raise InvalidQueryError("limit", f"The limit is a whole number from 1 to {_MAX_LIMIT}.")
    return int(text)
