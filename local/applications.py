"""What a back end keeps: applications in a database of its own, and their files in Filestore."""

import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

_TIMEOUT = 30
# S3 tells of an upload a moment after the browser knows that it is done.
_ARRIVAL = 5
_PAGE = 50
_UNKNOWN = "unknown"
_NOT_ARRIVED = {"code": "not_arrived", "message": "It has not arrived."}
_IN_USE = {"code": "in_use", "message": "It belongs to another application."}
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS applications (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, position TEXT NOT NULL, note TEXT NOT NULL,
        received_at TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS files (
        id TEXT PRIMARY KEY, application_id TEXT NOT NULL REFERENCES applications (id),
        name TEXT NOT NULL, type TEXT NOT NULL, size INTEGER NOT NULL, stored_at TEXT NOT NULL
    );
"""


Problems = dict[str, dict[str, str]]
"""By file id: its code and its message."""


class BackendError(Exception):
    """What the page is told, with a status of HTTP, and by file id what is wrong with it.

    A page that is in another language than the message goes by the code.
    """

    def __init__(
        self, status: HTTPStatus, message: str, problems: Problems | None = None, *, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.problems = problems or {}


class Filestore:
    """The calls that need the API key. All of them may be repeated, so they are.

    They raise BackendError where a request makes no sense or the key is not accepted.
    """

    def __init__(self, api_root_url: str, api_key: str) -> None:
        self._files, self._upload = f"{api_root_url}/files", f"{api_root_url}/file"
        self._session = requests.Session()
        self._session.headers["x-api-key"] = api_key
        patience = Retry(total=5, backoff_factor=0.2, status_forcelist=(429, 503), allowed_methods=None)
        self._session.mount("http", HTTPAdapter(max_retries=patience))

    def store(self, ids: Sequence[str]) -> Problems:
        """Keep these uploads; returns what is wrong with those that cannot be kept."""
        try:
            problems: Problems = self._call("PUT", ids)["problems"]
        except BackendError as error:
            if error.code != "stored_on_load":
                raise
            # There is nothing to be done but to wait.
            return self._await(ids)
        return problems

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """A page of the stored files, and the cursor of the next."""
        answer = self._session.get(self._files, params={**query, "limit": str(_PAGE)}, timeout=_TIMEOUT)
        page: dict[str, Any] = _checked(answer).json()
        return page

    def describe(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Those of these files that are stored, by id."""
        return {file["id"]: file for file in self._call("POST", ids)["result"]} if ids else {}

    def delete(self, ids: Sequence[str]) -> Problems:
        """Remove what is in these files; returns why some are still there. Those that are unknown are not."""
        problems: Problems = self._call("DELETE", ids)["problems"] if ids else {}
        return {file_id: problem for file_id, problem in problems.items() if problem["code"] != _UNKNOWN}

    def hand_on(self, method: str, path: Sequence[str], body: bytes, headers: Mapping[str, str]) -> tuple[str, int]:
        """Make a call of the upload ``/file/…`` that a page has asked for; returns the answer and its status."""
        url = "/".join([self._upload, *(quote(each, safe="") for each in path)])
        answer = self._session.request(method, url, data=body, headers=headers, timeout=_TIMEOUT)
        return answer.text, answer.status_code

    def _await(self, ids: Sequence[str]) -> Problems:
        deadline = time.monotonic() + _ARRIVAL
        while (missing := set(ids) - self.describe(ids).keys()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return dict.fromkeys(missing, _NOT_ARRIVED)

    def _call(self, method: str, ids: Sequence[str]) -> Any:
        answer = self._session.request(method, f"{self._files}?problems=yes", json=list(ids), timeout=_TIMEOUT)
        return _checked(answer).json()


class Applications:
    """What was submitted, in a database of the back end's own."""

    def __init__(self, filestore: Filestore, database: Path) -> None:
        self._filestore = filestore
        self.hand_on = filestore.hand_on
        self._database = database
        with self._connect() as connection:
            connection.executescript(_SCHEMA)

    def receive(self, fields: dict[str, str], ids: Sequence[str], application_id: str | None = None) -> dict[str, Any]:
        """Keep an application and its files; one that is there already is replaced, and files no longer in it removed.

        The uploads are stored before anything is written down, so that no record is ever without its file. Without an
        id, the same application once more is the one that is there: its sender has not got the answer, and asks again.
        Raises BackendError where files cannot be kept, or belong to another application.
        """
        before = [file["id"] for file in self.get(application_id)["files"]] if application_id else []
        taken = self._applications_of(ids)
        elsewhere = [file_id for file_id, other in taken.items() if other != application_id]
        if elsewhere:
            other = self.get(taken[elsewhere[0]])
            is_sent_again = fields.items() <= other.items() and {file["id"] for file in other["files"]} == set(ids)
            if application_id is None and is_sent_again:
                return other
            problems = dict.fromkeys(elsewhere, _IN_USE)
            raise BackendError(HTTPStatus.CONFLICT, "Some files are in use. Add them again.", problems, code="not_kept")
        new = [file_id for file_id in ids if file_id not in taken]
        problems = self._filestore.store(new) if new else {}
        described = self._filestore.describe(new)
        problems |= {file_id: _NOT_ARRIVED for file_id in new if file_id not in described | problems}
        if problems:
            raise BackendError(
                HTTPStatus.CONFLICT, "Some files could not be kept. Add them again.", problems, code="not_kept"
            )
        removed = [file_id for file_id in before if file_id not in ids]
        application = {"id": application_id or uuid.uuid4().hex, **fields, "received_at": _now()}
        try:
            with self._connect() as connection:
                connection.execute(
                    "INSERT INTO applications VALUES (:id, :name, :email, :position, :note, :received_at)"
                    " ON CONFLICT (id) DO UPDATE SET name = :name, email = :email, position = :position, note = :note",
                    application,
                )
                connection.executemany(
                    "INSERT INTO files VALUES (:id, :application_id, :name, :type, :size, :stored_at)",
                    [{"application_id": application["id"], **described[file_id]} for file_id in new],
                )
        except sqlite3.IntegrityError:
            # It was sent twice at once, and the other one was faster.
            return self.receive(fields, ids, application_id)
        self.delete(removed)
        return self.get(application["id"])

    def get(self, application_id: str) -> dict[str, Any]:
        """An application with its files. Raises BackendError where there is none."""
        with self._connect() as connection:
            found = connection.execute("SELECT * FROM applications WHERE id = ?", [application_id]).fetchone()
            files = connection.execute(
                "SELECT id, name, type, size FROM files WHERE application_id = ? ORDER BY rowid", [application_id]
            ).fetchall()
        if found is None:
            raise BackendError(HTTPStatus.NOT_FOUND, "There is no such application.", code="unknown_application")
        return {**found, "files": [dict(file) for file in files]}

    def files(self, query: Mapping[str, str]) -> dict[str, Any]:
        """A page of the files that the API key has stored, each with its application if it came with one."""
        page = self._filestore.page(query)
        ids = [file["id"] for file in page["files"]]
        marks = ",".join("?" * len(ids))
        with self._connect() as connection:
            # Marks for parameters are all that is put into the statement.
            rows = connection.execute(
                "SELECT files.id, application_id, applications.name AS applicant, position FROM files"  # noqa: S608
                f" JOIN applications ON applications.id = application_id WHERE files.id IN ({marks})",
                ids,
            ).fetchall()
        senders = {row["id"]: dict(row) for row in rows}
        nobody = {"application_id": None, "applicant": None, "position": None}
        return {**page, "files": [{**nobody, **file, **senders.get(file["id"], {})} for file in page["files"]]}

    def link(self, file_id: str) -> str:
        """Where the file can be downloaded for a while. Raises BackendError where no such file is stored."""
        url = self._filestore.describe([file_id]).get(file_id, {}).get("url")
        if url is None:
            raise BackendError(HTTPStatus.NOT_FOUND, "There is no such file.", code=_UNKNOWN)
        return str(url)

    def delete(self, ids: Sequence[str]) -> dict[str, Any]:
        """Delete files, from Filestore first: a record too many can be deleted again, a file without one never is.

        Returns the ids of those that are gone, and why others are not.
        """
        problems = self._filestore.delete(ids)
        gone = [file_id for file_id in ids if file_id not in problems]
        with self._connect() as connection:
            connection.executemany("DELETE FROM files WHERE id = ?", [[file_id] for file_id in gone])
        return {"deleted": gone, "problems": problems}

    def _applications_of(self, ids: Sequence[str]) -> dict[str, str]:
        """The applications' ids by file id, of those of these files that are in one."""
        marks = ",".join("?" * len(ids))
        with self._connect() as connection:
            # Marks for parameters are all that is put into the statement.
            found = connection.execute(f"SELECT id, application_id FROM files WHERE id IN ({marks})", ids)  # noqa: S608
            return {row["id"]: row["application_id"] for row in found}

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._database)
        connection.row_factory = sqlite3.Row
        try:
            with connection:
                yield connection
        finally:
            connection.close()


def _checked(answer: requests.Response) -> requests.Response:
    """Returns the answer. Raises BackendError where the request makes no sense or the API key is not accepted."""
    match answer.status_code:
        case HTTPStatus.BAD_REQUEST:
            raise BackendError(HTTPStatus.BAD_REQUEST, answer.json()["message"], code=answer.json()["code"])
        case HTTPStatus.FORBIDDEN:
            message = "Filestore does not accept the API key of the back end."
            raise BackendError(HTTPStatus.BAD_GATEWAY, message, code="key_refused")
    answer.raise_for_status()
    return answer


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
