"""Watches every log line of the tests for what must never be in one."""
# Imports are where they are needed: see conftest.py.
# ruff: noqa: PLC0415

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import requests

# Signatures and credentials of AWS, and bodies: a file's name, an array of ids as text (its quotes are escaped then).
_FORBIDDEN = re.compile(
    r"(?i:X-Amz-(Signature|Credential|Security-Token)|AWS4-HMAC-SHA256|aws_?secret_?access_?key)"
    r"|\b(AKIA|ASIA)[A-Z0-9]{12}"
    r'|\\*"name\\*": ?\\*"|\[\s*\\+"[0-9a-f]{32}\\+"',
)
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")

tokens: set[str] = set()
"""Upload tokens that were handed out."""
keys: set[str] = set()
"""API keys of the stacks."""
stacks: dict[str, Path] = {}
"""Folders of the stacks that were started, by the address of their AWS."""


def leaks(line: str) -> Iterator[str]:
    """What a line has that it must not have."""
    forbidden = _FORBIDDEN.search(line)
    if forbidden:
        yield forbidden[0]
    yield from (token for token in _TOKEN.findall(line) if token in tokens)
    yield from (key for key in keys if key in line)


class Watch(logging.Handler):
    """Sees every record that a logger of this process writes."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = 0
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Format as the functions do, so that extra fields are seen too."""
        formatter = logging.Formatter()
        if record.name == "filestore":
            from filestore import telemetry

            formatter = telemetry.logger.registered_formatter
        self.line(formatter.format(record))

    def line(self, line: str) -> None:
        self.lines += 1
        self.found += [f"{leak} in {line}" for leak in leaks(line)]


watch = Watch()
"""That of this process."""


def remember(reply: requests.Response) -> None:
    """The token in an answer of POST /file."""
    if reply.ok and "token" in reply.json():
        tokens.add(reply.json()["token"])


def keep_log(folder: Path) -> None:
    """A stack that is started again writes its emulator's log anew."""
    log = folder / "emulator.log"
    if log.exists():
        log.rename(folder / "emulator-before.log")


def deployed_lines() -> Iterator[str]:
    """What the stacks' emulators have printed, and what their functions have logged."""
    from botocore.exceptions import EndpointConnectionError

    from local import emulator, root_key

    for url, folder in stacks.items():
        for log in folder.glob("emulator*.log"):
            yield from log.read_text(errors="replace").splitlines()
        logs = emulator.client(url, "logs", root_key.of(folder))
        try:
            groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
        except EndpointConnectionError:
            continue  # It was stopped by its test.
        for group in groups:
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
                yield from (event["message"] for event in page["events"])


def is_of_a_function(line: str) -> bool:
    """Whether it is a line of Filestore's own."""
    try:
        return bool(json.loads(line).get("service") == "filestore")
    except (AttributeError, ValueError):
        return False
