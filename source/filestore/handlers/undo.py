"""DELETE /file/{id}: take back an upload that no back end has stored."""

from filestore import api, wiring
from filestore.errors import InvalidTokenError

wiring.undo_upload()


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """The token stands for the uploader: browsers hold no API key."""
    token = request.header("x-upload-token")
    if not token:
        raise InvalidTokenError("The header x-upload-token is needed.")
    file_id = request.path("id")
    wiring.undo_upload().undo(file_id, token)
    return api.no_content(file_id=file_id, UploadsUndone=1)
