# Imports are where they are needed: the tavern files run with nothing installed but pytest and tavern.
# ruff: noqa: PLC0415
from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests import hygiene

if TYPE_CHECKING:
    from tests.stack import Stack

# Nothing here may ever reach a real account, whatever the shell's environment says.
for variable in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[variable]
os.environ |= {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "filestore",
    "POWERTOOLS_METRICS_NAMESPACE": "Filestore",
    # Requests to this machine go to this machine.
    "NO_PROXY": "127.0.0.1,localhost",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks at the log of all tests comes after them."""
    items.sort(key=lambda item: item.path.name == "test_logs.py")


@pytest.fixture(scope="session", autouse=True)
def watched_log() -> Iterator[None]:
    """Every log line is looked at, and every upload token known."""
    draw = secrets.token_urlsafe

    def remembered(octets: int | None = None) -> str:
        token = draw(octets)
        hygiene.tokens.add(token)
        return token

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "token_urlsafe", remembered)
        logging.getLogger().addHandler(hygiene.watch)
        yield
        logging.getLogger().removeHandler(hygiene.watch)


@pytest.fixture(scope="session")
def emulator_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an emulator of the session's own, empty. The environment has the key of its root."""
    from local.emulator import Emulator
    from local.loopback import free_port

    emulator = Emulator(free_port(), tmp_path_factory.mktemp("aws"))
    emulator.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", emulator.key)
        yield emulator.url
    emulator.stop()


@pytest.fixture(scope="session")
def start_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stack]]:
    """Starts stacks of the session's own; whatever still runs in the end is stopped."""
    from tests.stack import Stack

    stacks: list[Stack] = []

    def start(*options: str) -> Stack:
        stacks.append(Stack(tmp_path_factory.mktemp("stack") / "state", *options))
        return stacks[-1].start()

    yield start
    for stack in stacks:
        if stack.process.poll() is None:
            stack.stop()


@pytest.fixture(scope="session")
def stack(start_stack: Callable[..., Stack]) -> Stack:
    """The stack with the parameters' defaults."""
    return start_stack()
