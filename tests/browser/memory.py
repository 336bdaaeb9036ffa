"""How much memory the pages of a browser take."""

import re
from pathlib import Path

from playwright.sync_api import Browser


class Memory:
    """What a process that runs pages takes more than when this was made, at the most.

    Linux keeps the peak of a process, so that nothing is missed between two looks. ``measureUserAgentSpecificMemory``
    would need a page that is isolated from other origins, shows no peak, and leaves out what is on its way to the
    network process.
    """

    def __init__(self, browser: Browser) -> None:
        self._session = browser.new_browser_cdp_session()
        self._before = {process: _octets(process, "VmRSS") for process in self._processes()}
        for process in self._before:
            # Forgets the peak (proc(5)).
            (process / "clear_refs").write_text("5")

    def grown(self) -> int:
        """Returns the bytes. A process that came later began with what the largest had."""
        most = max(self._before.values())
        return max(_octets(process, "VmHWM") - self._before.get(process, most) for process in self._processes())

    def _processes(self) -> list[Path]:
        processes = self._session.send("SystemInfo.getProcessInfo")["processInfo"]
        return [Path(f"/proc/{each['id']}") for each in processes if each["type"] == "renderer"]


def _octets(process: Path, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", (process / "status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * 1024
