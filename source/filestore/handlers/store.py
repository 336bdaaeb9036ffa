"""PUT /files: store uploads."""

from filestore import api, wiring

wiring.store_files()


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """Returns the ids that are stored now."""
    with_problems = request.flag("problems")
    outcome = wiring.store_files().store(request.ids(), owner=api.owner(request))
    return api.batch(outcome.ids, outcome.problems, with_problems=with_problems, FilesStored=len(outcome.ids))
