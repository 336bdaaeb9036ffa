"""Tabs that Playwright does not watch: it has a copy of every request's body sent to it, as long as the page lives."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession

_SECONDS = 30
# What Chromium says to a question that a navigation has overtaken.
_NAVIGATED = {"Inspected target navigated or closed", "Execution context was destroyed."}


class NavigatedError(Exception):
    """The page went away before it answered."""


class Tabs:
    """A browser that has never been anywhere, and goes through a proxy but to one place."""

    def __init__(self, browser: Browser, proxy: str, bypass: str, script: str) -> None:
        self.session = browser.new_browser_cdp_session()
        # What is on this machine goes through a proxy as well.
        where = {"proxyServer": proxy, "proxyBypassList": f"<-loopback>;{bypass}"}
        self._id = self.session.send("Target.createBrowserContext", where)["browserContextId"]
        self._script = script

    def open(self, url: str) -> "Tab":
        """A new one, its page loaded; the script runs first in each of its pages."""
        where = {"url": "about:blank", "browserContextId": self._id}
        tab = Tab(self.session, self.session.send("Target.createTarget", where)["targetId"])
        tab.call("Page.enable")
        tab.call("Inspector.enable")
        tab.call("Page.addScriptToEvaluateOnNewDocument", source=self._script)
        tab.call("Page.navigate", url=url)
        tab.wait_for("location.href !== 'about:blank' && document.readyState === 'complete'")
        return tab

    def close(self) -> None:
        """All of them."""
        self.session.send("Target.disposeBrowserContext", {"browserContextId": self._id})
        self.session.detach()


class Tab:
    """One tab, by the protocol of the developer tools."""

    def __init__(self, session: CDPSession, target: str) -> None:
        self._session = session
        self._id = session.send("Target.attachToTarget", {"targetId": target, "flatten": False})["sessionId"]
        self._asked = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._events: list[str] = []
        session.on("Target.receivedMessageFromTarget", self._take)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol. Returns its result.

        Raises:
            NavigatedError: The page went away before it answered.

        """
        asked = self._ask(method, parameters)
        self._until(lambda: asked in self._answers, _SECONDS)
        answer = self._answers.pop(asked)
        if "error" in answer:
            raise NavigatedError if answer["error"]["message"] in _NAVIGATED else AssertionError(answer)
        result: dict[str, Any] = answer["result"]
        return result

    def evaluate(self, expression: str) -> Any:
        """Returns its value."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, expression: str, seconds: float = _SECONDS) -> Any:
        """Wait until its value counts as true, in this page or the next. Returns it."""
        value = None

        def is_true() -> bool:
            nonlocal value
            with suppress(NavigatedError):
                value = self.evaluate(expression)
            return bool(value)

        self._until(is_true, seconds)
        return value

    def choose(self, selector: str, path: Path) -> None:
        """Choose a file."""
        found = self.call("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")
        self.call("DOM.setFileInputFiles", files=[str(path)], objectId=found["result"]["objectId"])

    def reload(self) -> None:
        """As a person does."""
        self.evaluate("window.before = true")
        self.call("Page.reload")
        self.wait_for("!window.before && document.readyState === 'complete'")

    def crash(self) -> None:
        """Its process ends."""
        self._ask("Page.crash", {})
        self._until(lambda: "Inspector.targetCrashed" in self._events, _SECONDS)

    def _ask(self, method: str, parameters: dict[str, Any]) -> int:
        self._asked += 1
        message = json.dumps({"id": self._asked, "method": method, "params": parameters})
        self._session.send("Target.sendMessageToTarget", {"sessionId": self._id, "message": message})
        return self._asked

    def _take(self, event: dict[str, Any]) -> None:
        if event["sessionId"] != self._id:
            return
        message = json.loads(event["message"])
        if "id" in message:
            self._answers[message["id"]] = message
        else:
            self._events.append(message["method"])

    def _until(self, condition: Any, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.02)
            # Events come when something is asked.
            self._session.send("Browser.getVersion")
