"""How much memory the pages of a browser take."""

import re
from pathlib import Path

from playwright.sync_api import Browser


class Memory:
    """What the processes that run pages take more than when this was made, at the most.

    Linux keeps the peak of a process, so that nothing is missed between two looks. ``measureUserAgentSpecificMemory``
    would need a page that is isolated from other origins, shows no peak, and leaves out what is on its way to the
    network process.
    """

    def __init__(self, browser: Browser) -> None:
        processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        self._folders = [Path(f"/proc/{each['id']}") for each in processes if each["type"] == "renderer"]
        for folder in self._folders:
            # Forgets the peak (proc(5)).
            (folder / "clear_refs").write_text("5")
        self._before = self._octets("VmRSS")

    def grown(self) -> int:
        """Returns the bytes."""
        return max(after - before for after, before in zip(self._octets("VmHWM"), self._before, strict=True))

    def _octets(self, name: str) -> list[int]:
        return [
            int(found[1]) * 1024
            for folder in self._folders
            if (found := re.search(rf"^{name}:\s+(\d+) kB$", (folder / "status").read_text(), re.MULTILINE))
        ]
