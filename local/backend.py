"""A back end as an application has one: it takes the form, holds the API key, and keeps records of its own.

Browsers upload to S3 and submit ids; what becomes of the files is decided here.
"""

import json
import re
import sqlite3
from http import HTTPStatus
from typing import Any

import flask
import requests

from local.applications import NO_IDS, Applications, BackendError

_MAX_FILES = 100
_FIELDS = {"name": 120, "email": 254, "position": 120, "note": 1000}
_REQUIRED = ("name", "email", "position")


def blueprint(applications: Applications) -> flask.Blueprint:
    """The routes that the page calls."""
    routes = flask.Blueprint("backend", __name__, url_prefix="/backend")

    @routes.before_request
    def refuse_other_sites() -> None:
        """Any page can send a form to 127.0.0.1, and browsers always say from where it comes."""
        if flask.request.method not in ("GET", "HEAD") and flask.request.origin != flask.request.host_url.rstrip("/"):
            raise BackendError(HTTPStatus.FORBIDDEN, "Only pages of this server may do that.")

    @routes.post("/applications")
    def receive() -> Any:
        return applications.receive(*_application()), HTTPStatus.CREATED

    @routes.get("/applications/<application_id>")
    def get(application_id: str) -> Any:
        return applications.get(application_id)

    @routes.put("/applications/<application_id>")
    def replace(application_id: str) -> Any:
        return applications.receive(*_application(), application_id)

    @routes.get("/files")
    def files() -> Any:
        return applications.files(_offset())

    @routes.get("/files/<file_id>")
    def download(file_id: str) -> Any:
        return flask.redirect(applications.link(file_id))

    @routes.delete("/files/<file_id>")
    def delete(file_id: str) -> Any:
        applications.delete(file_id)
        return "", HTTPStatus.NO_CONTENT

    @routes.errorhandler(BackendError)
    def refused(error: BackendError) -> Any:
        return {"message": error.message, "problems": error.problems}, error.status

    @routes.errorhandler(requests.RequestException)
    def unreachable(_: requests.RequestException) -> Any:
        return {"message": "The files cannot be reached right now. Try again in a moment."}, HTTPStatus.BAD_GATEWAY

    @routes.errorhandler(sqlite3.Error)
    def unsaved(error: sqlite3.Error) -> Any:
        return {"message": f"It cannot be saved: {error}. Try again in a moment."}, HTTPStatus.SERVICE_UNAVAILABLE

    _hand_on_uploads(routes, applications)
    return routes


def _hand_on_uploads(routes: flask.Blueprint, applications: Applications) -> None:
    """Where strangers may not ask for uploads a back end does, for whom it knows, and hands URL and token on."""

    def hand_on(*path: str) -> Any:
        request = flask.request
        token = request.headers.get("x-upload-token", "")
        body, status = applications.hand_on(request.method, path, request.get_data(), token)
        return flask.Response(body, status, mimetype="application/json")

    @routes.post("/file")
    def begin() -> Any:
        return hand_on()

    @routes.delete("/file/<file_id>")
    def undo(file_id: str) -> Any:
        return hand_on(file_id)

    @routes.route("/file/<file_id>/parts", methods=["GET", "POST"])
    def parts(file_id: str) -> Any:
        return hand_on(file_id, "parts")

    @routes.post("/file/<file_id>/complete")
    def complete(file_id: str) -> Any:
        return hand_on(file_id, "complete")


def _offset() -> int:
    offset = flask.request.args.get("offset", "0")
    if re.fullmatch("[0-9]{1,9}", offset) is None:
        raise BackendError(HTTPStatus.BAD_REQUEST, "The offset is a number of files.")
    return int(offset)


def _application() -> tuple[dict[str, str], list[str]]:
    """The fields and the file ids of a submitted form. Raises BackendError where they are not as they should be."""
    try:
        body = flask.request.get_json(silent=True)
        json.dumps(body, ensure_ascii=False).encode()
    except (RecursionError, UnicodeEncodeError):
        body = None
    if not isinstance(body, dict):
        raise BackendError(HTTPStatus.BAD_REQUEST, "A JSON object is needed.")
    fields = {name: body.get(name, "") for name in _FIELDS}
    if any(not isinstance(fields[name], str) or len(fields[name]) > limit for name, limit in _FIELDS.items()):
        raise BackendError(HTTPStatus.BAD_REQUEST, "A field is too long.")
    fields = {name: text.strip() for name, text in fields.items()}
    missing = [name for name in _REQUIRED if not fields[name]]
    if missing:
        raise BackendError(HTTPStatus.BAD_REQUEST, f"Missing: {', '.join(missing)}.")
    ids = body.get("documents")
    if not isinstance(ids, list) or not all(isinstance(file_id, str) for file_id in ids):
        raise BackendError(HTTPStatus.BAD_REQUEST, NO_IDS)
    # A form has blanks where a file was not uploaded.
    ids = [file_id for file_id in dict.fromkeys(ids) if file_id]
    if not 1 <= len(ids) <= _MAX_FILES:
        raise BackendError(HTTPStatus.BAD_REQUEST, f"An application has 1 to {_MAX_FILES} documents.")
    return fields, ids
