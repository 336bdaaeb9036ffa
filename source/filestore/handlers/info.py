"""POST /files: describe files, with a URL to download each that is stored."""

from filestore import api, wiring
from filestore.domain.outcome import Problem
from filestore.errors import TooManyIdsError

wiring.describe_files()


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """Returns the files that are stored and not deleted; query parameters let the others in.

    Lambda lets only so much through: ids for which there is no room have to be asked for again.
    Without ``problems`` nobody would be told of that, so then it is an error.
    """
    deleted, nonstored, with_problems = (request.flag(name) for name in ("deleted", "nonstored", "problems"))
    owner = api.owner(request)
    described = wiring.describe_files().describe(request.ids(), owner=owner, deleted=deleted, nonstored=nonstored)
    details = [api.details(file, url) for file, url in described.files]
    room = api.fitting(details)
    left_out = [each["id"] for each in details[room:]]
    if with_problems:
        problems = described.problems | dict.fromkeys(left_out, Problem.TRY_AGAIN)
        return api.batch(details[:room], problems, with_problems=True)
    response = api.batch(details[:room], described.problems)
    if left_out:
        raise TooManyIdsError(f"The answer would be too long: ask for {room} of these ids at once, or problems=yes.")
    return response
