"""DELETE /files: delete files."""

from filestore import api, wiring

wiring.delete_files()


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """Answers the ids that are deleted now."""
    with_problems = request.flag("problems")
    outcome = wiring.delete_files()(request.ids())
    ids = {file_id: file_id for file_id in outcome.ids}
    return api.batch(ids, outcome.problems, with_problems=with_problems, FilesDeleted=len(ids))
