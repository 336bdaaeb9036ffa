# Imports are where they are needed: the tavern files run with nothing installed but pytest and tavern.
# ruff: noqa: PLC0415
from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local.emulator import Emulator
    from tests.stack import Stack

# They need a deployment to run against: test_tavern.py gives them one, an operator names one.
collect_ignore_glob = [] if "TEST_HOST" in os.environ else ["*.tavern.yaml"]


def pytest_configure(config: pytest.Config) -> None:
    """Whoever runs the tavern files has a pytest and a tavern of their own: what these warn of fails no test."""
    if "TEST_HOST" in os.environ:
        config.addinivalue_line("filterwarnings", "default")


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An account of the module's own."""
    from local.emulator import Emulator
    from local.loopback import free_port

    emulator = Emulator(free_port(), tmp_path_factory.mktemp("account"))
    emulator.start()
    yield emulator
    emulator.stop()


@pytest.fixture(scope="session")
def hasty_stack(start_stack: Callable[..., Stack]) -> Stack:
    """A stack whose upload URLs live for two seconds, and unstored uploads for one."""
    return start_stack("--signed-url-expiration", "2", "--unstored-file-lifetime", "1", "--late-upload-margin", "60")


@pytest.fixture(scope="session")
def closed_stack(start_stack: Callable[..., Stack]) -> Stack:
    """A stack where only back ends ask for uploads, and each has files of its own."""
    return start_stack("--public-upload", "False", "--key-isolation", "True")


@pytest.fixture(scope="session")
def storing_stack(start_stack: Callable[..., Stack]) -> Stack:
    """A stack that stores files as they arrive."""
    return start_stack("--store-on-load", "True")
