"""One run of unit tests in a process of its own.

It is forked from one that has imported what never changes; where only the code of functions is mutated, from one that
has collected every test as well.
"""

import functools
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import itertools
import json
import os
import resource
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NoReturn

import pytest
from botocore import loaders
from hypothesis import settings

from local import emulator
from tests.mutants.exchange import Functions, exchange, functions
from tests.mutants.model import SOURCE, Job, Mutant, Run

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
        self._ran: dict[str, set[int]] = defaultdict(set)
        self.calls: dict[str, list[tuple[str, str]]] = {}
        self.lines: dict[str, dict[str, list[int]]] = {}
        self.seconds: dict[str, float] = {}
        self.failed = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if not self._whole:
            found = {item.nodeid: item for item in items}
            items[:] = [found[name] for name in self._tests if name in found]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._called, self._ran = set(), defaultdict(set)
        if self._whole:
            threading.settrace(self._trace)
            sys.settrace(self._trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            self.calls[item.nodeid] = sorted(self._called)
            self.lines[item.nodeid] = {file: sorted(lines) for file, lines in self._ran.items()}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if report.failed and not self.failed:
            self.failed = report.nodeid
            os.write(1, f"{report.nodeid}:\n{report.longreprtext}\n".encode())

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.failed:
            self.failed = f"{report.nodeid} (cannot be collected)"

    def _trace(self, frame: FrameType, _event: str, _argument: object) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(SOURCE):
            return None
        file = code.co_filename.removeprefix(SOURCE)
        self._called.add((file, code.co_qualname.split(".<locals>")[0]))
        ran = self._ran[file].add

        def traced(frame: FrameType, _event: str, _argument: object) -> Any:
            ran(frame.f_lineno)
            return traced

        return traced


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


def run(job: Job, aws: tuple[str, str], folder: Path) -> NoReturn:
    """In a forked process: run tests and end. Of whole files a protocol is made of what their tests call."""
    _begin(job, aws, folder)
    plugin = _Plugin(job.tests)
    files = list(dict.fromkeys(name.split("::")[0] for name in job.tests))
    _end(_pytest([*files, f"--basetemp={folder / 'files'}"], plugin), plugin, folder)


class Collected:
    """A session of pytest that has collected every test, and runs none itself: its forks do, each with a mutant."""

    def __init__(self, files: Sequence[str]) -> None:
        self._files = files
        self._calls: set[tuple[str, str]] = set()
        self._items: dict[str, pytest.Item] = {}
        self._functions: Functions = {}
        self._work: Callable[[], None] = lambda: None

    def serve(self, work: Callable[[], None]) -> int:
        """Collect, and do the work, which may fork ``run``. Returns pytest's exit code."""
        self._work = work
        _prepare()
        # Whatever is called from here on has been called before there was a mutant.
        sys.setprofile(self._profile)
        return _pytest(self._files, self)

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """The hook that would run what is collected."""
        sys.setprofile(None)
        if session.testsfailed:
            return None
        self._items = {item.nodeid: item for item in session.items}
        self._functions = functions()
        gc.freeze()
        self._work()
        return True

    def takes(self, mutant: Mutant) -> bool:
        """Whether a fork can run it and its result is that of a process of its own."""
        if mutant.module not in sys.modules:
            return True
        made = exchange(mutant, self._functions)
        return made is not None and not {(str(mutant.path), name) for name in made.changed} & self._calls

    def run(self, job: Job, aws: tuple[str, str], folder: Path) -> NoReturn:
        """In a forked process: run tests and end."""
        _begin(job, aws, folder)
        if job.mutant and job.mutant.module in sys.modules:
            made = exchange(job.mutant, self._functions)
            assert made
            made.make()
        (folder / "files").mkdir()
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder / "files")
        plugin = _Plugin(job.tests)
        items = [self._items[name] for name in job.tests]
        items[0].config.pluginmanager.register(plugin)
        for item, following in itertools.pairwise([*items, None]):
            assert item
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if plugin.failed:
                break
        _end(int(bool(plugin.failed)), plugin, folder)

    def _profile(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(SOURCE):
            self._calls.add((code.co_filename, code.co_qualname))


def _begin(job: Job, aws: tuple[str, str], folder: Path) -> None:
    with (folder / "output.txt").open("w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    resource.setrlimit(resource.RLIMIT_CPU, (int(20 + 3 * job.seconds), int(25 + 3 * job.seconds)))
    _prepare()
    _Shared.url, _Shared.key = aws
    if job.mutant:
        sys.meta_path.insert(0, _Finder(job.mutant))


def _prepare() -> None:
    settings.register_profile("mutants", database=None, derandomize=True)
    settings.load_profile("mutants")
    emulator.Emulator = _Shared  # type: ignore[assignment, misc]
    # Plugins of pytest that other tests need take a second to load.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"


def _pytest(arguments: Sequence[str], plugin: object) -> int:
    # The first of these collects garbage several times a run.
    without = ["-p", "no:unraisableexception", "-p", "no:cacheprovider"]
    preloaded = "-Wignore::pytest.PytestAssertRewriteWarning"
    # In memory: forks would share a file.
    options = ["-q", "-x", "--no-header", "--tb=short", "--capture=sys", preloaded, *without]
    return int(pytest.main([*options, *arguments], plugins=[plugin]))


def _end(code: int, plugin: _Plugin, folder: Path) -> NoReturn:
    result = Run(code, plugin.failed, plugin.calls, plugin.seconds, plugin.lines)
    (folder / "result.json").write_text(json.dumps(result._asdict()))
    sys.stdout.flush()
    os._exit(0)
