"""A back end as an application has one: it takes the form, holds the API key, and keeps records of its own.

Browsers upload to S3 and submit ids; what becomes of the files is decided here.
"""

import json
import sqlite3
from http import HTTPStatus
from typing import Any

import flask
import requests

from local.applications import Applications, BackendError

_MAX_FILES = 100
_FIELDS = {"name": 120, "email": 254, "position": 120, "note": 1000}
_NO_IDS = "The documents are a list of file ids."
_QUERY = ("cursor", "deleted", "order")
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
        return applications.files({name: text for name, text in flask.request.args.items() if name in _QUERY})

    @routes.get("/files/<file_id>")
    def download(file_id: str) -> Any:
        return flask.redirect(applications.link(file_id))

    @routes.delete("/files")
    def delete() -> Any:
        return applications.delete(_ids(_json()))

    @routes.errorhandler(BackendError)
    def refused(error: BackendError) -> Any:
        return {"message": error.message, "code": error.code, "problems": error.problems}, error.status

    @routes.errorhandler(requests.RequestException)
    def unreachable(_: requests.RequestException) -> Any:
        message = "The files cannot be reached right now. Try again in a moment."
        return {"message": message, "code": "unreachable"}, HTTPStatus.BAD_GATEWAY

    @routes.errorhandler(sqlite3.Error)
    def unsaved(error: sqlite3.Error) -> Any:
        return {"message": f"It cannot be saved: {error}. Try again in a moment."}, HTTPStatus.SERVICE_UNAVAILABLE

    _hand_on_uploads(routes, applications)
    return routes


def _hand_on_uploads(routes: flask.Blueprint, applications: Applications) -> None:
    """Where strangers may not ask for uploads a back end does, for whom it knows, and hands URL and token on."""

    def hand_on(*path: str) -> Any:
        request = flask.request
        told = {name: request.headers[name] for name in ("Content-Type", "x-upload-token") if name in request.headers}
        body, status = applications.hand_on(request.method, path, request.get_data(), told)
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


def _json() -> Any:
    """The body, None where it is no JSON that can be handed on."""
    try:
        body = flask.request.get_json(silent=True)
        json.dumps(body, ensure_ascii=False).encode()
    except (RecursionError, UnicodeEncodeError):
        return None
    return body


def _ids(body: object) -> list[str]:
    """Raises BackendError where it is no list of texts, or none that fits into one call."""
    if not isinstance(body, list) or not all(isinstance(file_id, str) for file_id in body):
        raise BackendError(HTTPStatus.BAD_REQUEST, _NO_IDS)
    # A form has blanks where a file was not uploaded.
    ids = [file_id for file_id in dict.fromkeys(body) if file_id]
    if not 1 <= len(ids) <= _MAX_FILES:
        raise BackendError(HTTPStatus.BAD_REQUEST, f"It is 1 to {_MAX_FILES} documents at a time.")
    return ids


def _application() -> tuple[dict[str, str], list[str]]:
    """The fields and the file ids of a submitted form. Raises BackendError where they are not as they should be."""
    body = _json()
    if not isinstance(body, dict):
        raise BackendError(HTTPStatus.BAD_REQUEST, "A JSON object is needed.")
    fields = {name: body.get(name, "") for name in _FIELDS}
    if any(not isinstance(fields[name], str) or len(fields[name]) > limit for name, limit in _FIELDS.items()):
        raise BackendError(HTTPStatus.BAD_REQUEST, "A field is too long.")
    fields = {name: text.strip() for name, text in fields.items()}
    missing = [name for name in _REQUIRED if not fields[name]]
    if missing:
        raise BackendError(HTTPStatus.BAD_REQUEST, f"Missing: {', '.join(missing)}.")
    return fields, _ids(body.get("documents"))
