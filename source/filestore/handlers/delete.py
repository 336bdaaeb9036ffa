"""DELETE /files: delete files."""

from filestore import api, wiring

wiring.delete_files()


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """Returns the ids that are deleted now."""
    with_problems = request.flag("problems")
    outcome = wiring.delete_files().delete(request.ids(), owner=api.owner(request))
    return api.batch(outcome.ids, outcome.problems, with_problems=with_problems, FilesDeleted=len(outcome.ids))
