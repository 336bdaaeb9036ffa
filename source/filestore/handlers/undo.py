"""DELETE /file/{id}: take back an upload that no back end has stored."""

from filestore import api, wiring

wiring.undo_upload()


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """The token stands for the uploader: browsers hold no API key."""
    file_id = request.path("id")
    wiring.undo_upload().undo(file_id, request.upload_token())
    return api.no_content(file_id=file_id, UploadsUndone=1)
