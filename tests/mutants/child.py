"""One run of unit tests in a process of its own, forked from one that has imported what never changes."""

import functools
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import NoReturn

import pytest
from botocore import loaders
from hypothesis import settings

from local import emulator
from tests.mutants.model import SOURCE, Mutant, Run

_PRELOADED = (
    "aws_lambda_powertools.metrics",
    "bench.processes",
    "boto3",
    "botocore.stub",
    "hypothesis.strategies",
    "local.emulator",
    "moto.dynamodb.models",
    "moto.s3.models",
    "moto.sts.models",
    "openapi_spec_validator",
    "requests",
    "samtranslator.parser.parser",
    "samtranslator.translator.translator",
    "tools.build",
)


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module with another text than its file's."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        del fullname
        return compile(self._text, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the mutated module before its file is."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        path = str(self._mutant.path)
        return importlib.util.spec_from_file_location(fullname, path, loader=_Loader(fullname, path, self._mutant.code))


class _Plugin:
    """Runs the tests that were chosen, in the order given, and remembers what they did."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._tests = tests
        self._whole = not any("::" in test for test in tests)
        self._called: set[tuple[str, str]] = set()
        self.calls: dict[str, list[tuple[str, str]]] = {}
        self.seconds: dict[str, float] = {}
        self.failed = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if not self._whole:
            found = {item.nodeid: item for item in items}
            items[:] = [found[name] for name in self._tests if name in found]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._called = set()
        if self._whole:
            threading.setprofile(self._profile)
            sys.setprofile(self._profile)
        try:
            return (yield)
        finally:
            sys.setprofile(None)
            self.calls[item.nodeid] = sorted(self._called)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.failed:
            self.failed = f"{report.nodeid} (cannot be collected)"

    def _profile(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(SOURCE):
            self._called.add((code.co_filename.removeprefix(SOURCE), code.co_qualname.split(".<locals>")[0]))


class _Shared:
    """Stands for the emulator that a session of pytest would start: this one runs already."""

    url = key = ""

    def __init__(self, *_: object) -> None:
        self.url, self.key = _Shared.url, _Shared.key

    def start(self) -> None:
        """It has been."""

    def stop(self) -> None:
        """It is used again."""


@functools.cache
def preload() -> None:
    """Import what is the same in every run: neither what is tested nor what imports that."""
    for name in _PRELOADED:
        importlib.import_module(name)
    assert not [name for name in sys.modules if name.startswith("filestore")]
    # Most of what is left to import is botocore's data of the services.
    files, services = functools.cache(loaders.JSONFileLoader().load_file), loaders.Loader.list_available_services
    kept = functools.cache(lambda kind: services(loaders.Loader(), kind))
    loaders.JSONFileLoader.load_file = lambda _, path: files(path)  # type: ignore[assignment, method-assign]
    loaders.Loader.list_available_services = lambda _, type_name: kept(type_name)  # type: ignore[assignment, method-assign]
    for name in ("dynamodb", "s3"):
        emulator.client("http://127.0.0.1", name, "x")
    gc.freeze()


def run(mutant: Mutant | None, tests: Sequence[str], aws: tuple[str, str], folder: Path, seconds: float) -> NoReturn:
    """In a forked process: run these tests and end. Of whole files a protocol is made of what their tests call."""
    with (folder / "output.txt").open("w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    resource.setrlimit(resource.RLIMIT_CPU, (int(20 + 3 * seconds), int(25 + 3 * seconds)))
    settings.register_profile("mutants", database=None, derandomize=True)
    settings.load_profile("mutants")
    _Shared.url, _Shared.key = aws
    emulator.Emulator = _Shared  # type: ignore[assignment, misc]
    if mutant:
        sys.meta_path.insert(0, _Finder(mutant))
    plugin = _Plugin(tests)
    files = list(dict.fromkeys(name.split("::")[0] for name in tests))
    # Plugins of pytest that other tests need take a second to load.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # The first of these collects garbage several times a run.
    without = ["-p", "no:unraisableexception", "-p", "no:cacheprovider"]
    preloaded = "-Wignore::pytest.PytestAssertRewriteWarning"
    options = ["-q", "-x", "--no-header", "--tb=short", preloaded, *without, f"--basetemp={folder / 'files'}"]
    code = int(pytest.main([*options, *files], plugins=[plugin]))
    result = Run(code, plugin.failed, plugin.calls, plugin.seconds)
    (folder / "result.json").write_text(json.dumps(result._asdict()))
    sys.stdout.flush()
    os._exit(0)
