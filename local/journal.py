"""One readable line per request and per event, made of what the emulator and the functions print."""

import json
import re
import sys
import time
from collections.abc import Callable

from local.terminal import printable

# The whole line, so that nothing that is said in another one passes for a request.
_REQUEST = re.compile(
    r"\[[\d: +-]+\] \[\d+\] \[INFO\] request (?P<method>[A-Z]+) (?P<path>\S+) (?P<status>\d{3}) (?P<seconds>[\d.]+)"
)
_API = re.compile(r"/restapis/[^/]+/[^/]+/_user_request_(?P<route>/\S*)")
_FIRST_ERROR = 400


class Journal:
    """Prints what happens in the stack. Nothing of a query, so no signature, and no header, so no key."""

    def __init__(self, write: Callable[[str], None] = print) -> None:
        self._write = write
        self._bucket = ""
        self._open = False
        self._colour = sys.stdout.isatty()

    def open(self, bucket: str) -> None:
        """Begin: what came before was the deployment's own."""
        self._bucket = bucket
        self._open = True

    def close(self) -> None:
        """Say nothing more."""
        self._open = False

    def emulator_line(self, line: str) -> None:
        """A line that the emulator printed."""
        if not self._open:
            return
        request = _REQUEST.fullmatch(line)
        if request:
            what = self._what(request["method"], request["path"])
            if what:
                self._say(what, int(request["status"]), float(request["seconds"]) * 1000)
        elif line.startswith("{"):
            self._function_line(line)

    def page_request(self, method: str, path: str, status: int) -> None:
        """A request to the page's server; what a page fetches along with itself is left out unless it fails."""
        if self._open and (path == "/" or status >= _FIRST_ERROR):
            self._say(f"{method} page {path}", status)

    def _what(self, method: str, path: str) -> str | None:
        # Browsers ask for the former, functions for the latter; nobody's URL allows it.
        if method in ("OPTIONS", "HEAD"):
            return None
        api = _API.match(path)
        if api:
            return f"{method} {api['route']}"
        if path.startswith(f"/{self._bucket}/"):
            return f"{method} {'to' if method == 'PUT' else 'from'} S3 {path.rsplit('/', 1)[-1]}"
        return None

    def _function_line(self, line: str) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return
        if said.get("level") in ("ERROR", "CRITICAL"):
            self._say(f"error in a function: {said.get('message')} {said.get('exception_name', '')}".rstrip())
        elif said.get("message") in ("S3 object created", "sweep"):
            counts = [
                f"{_words(name)} {int(value[0])}" for name, value in said.items() if _is_count(value) and value[0]
            ]
            if counts:
                self._say(f"{said['message']}: {', '.join(counts)}")

    def _say(self, what: str, status: int | None = None, milliseconds: float | None = None) -> None:
        line = f"{time.strftime('%H:%M:%S')}  {printable(what):<48}"
        if status is not None:
            shown = str(status)
            if self._colour:
                shown = f"\033[{31 if status >= _FIRST_ERROR else 32}m{shown}\033[0m"
            line += f"  {shown}"
        if milliseconds is not None:
            line += f"  {milliseconds:5.0f} ms"
        self._write(line.rstrip())


def _is_count(value: object) -> bool:
    return isinstance(value, list) and len(value) == 1 and isinstance(value[0], int | float)


def _words(name: str) -> str:
    """UploadsRecorded -> uploads recorded."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()
