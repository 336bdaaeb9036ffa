"""A back end's list of stored files that does as a test says."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route

LONG = "minutes of the meeting of the committee for the long names of files, second draft with all remarks.docx"
CONFIG = {
    "backendUrl": "backend",
    "apiRootUrl": "http://127.0.0.1:1",
    "storeOnLoad": False,
    "unstoredFileLifetime": 3600,
    "maxFileSize": 5 * 1024**3,
}


def stored_file(number: int, name: str = "", **changes: Any) -> dict[str, Any]:
    """A file as the back end lists it, the younger the smaller its number."""
    return {
        "id": f"{number:032}",
        "name": name or f"document {number}.pdf",
        "type": "application/pdf",
        "size": 1000 * number + 5,
        "stored_at": f"2026-11-{28 - number // 60:02}T12:{59 - number % 60:02}:00.000Z",
        "application_id": f"{number:032}",
        "applicant": "Ada Lovelace",
        "position": "Engineer",
        **changes,
    }


class StoredFiles:
    """Answers what the page of stored files asks of its back end."""

    PAGE = 50

    def __init__(self, page: Page, *files: dict[str, Any]) -> None:
        self.files = list(files)
        self.queries: list[dict[str, str]] = []
        self.deletions: list[list[str]] = []
        self.problems: dict[str, dict[str, str]] = {}
        self.error: tuple[int, dict[str, str]] | None = None
        page.route("**/config.json", lambda route: route.fulfill(json=CONFIG))
        page.route("**/backend/files*", self._answer)

    def _answer(self, route: Route) -> None:
        request = route.request
        if self.error:
            status, body = self.error
            route.fulfill(status=status, json=body)
        elif request.method == "DELETE":
            ids: list[str] = json.loads(request.post_data or "")
            self.deletions.append(ids)
            problems = {file_id: self.problems[file_id] for file_id in ids if file_id in self.problems}
            gone = [file_id for file_id in ids if file_id not in problems]
            self.files = [file for file in self.files if file["id"] not in gone]
            route.fulfill(json={"deleted": gone, "problems": problems})
        else:
            query = {name: value for name, (value,) in parse_qs(urlsplit(request.url).query).items()}
            self.queries.append(query)
            route.fulfill(json=self._page(query))

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        files = self.files if query["order"] == "desc" else self.files[::-1]
        start = int(query.get("cursor", "0"))
        some = [file for file in files[start : start + self.PAGE] if "deleted" in query or "deleted_at" not in file]
        rest = start + self.PAGE < len(files)
        return {"files": some, "next": str(start + self.PAGE) if rest else None}
