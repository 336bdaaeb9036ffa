"""PUT /files: store uploads."""

from filestore import api, wiring

wiring.store_files()


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """Answers the ids that are stored now."""
    with_problems = request.flag("problems")
    outcome = wiring.store_files()(request.ids())
    ids = {file_id: file_id for file_id in outcome.ids}
    return api.batch(ids, outcome.problems, with_problems=with_problems, FilesStored=len(ids))
