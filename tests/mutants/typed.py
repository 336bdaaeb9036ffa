"""Which mutants the type checker refuses: ``make types`` would, before a test ran."""

import itertools
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from mypy.dmypy_server import Server, process_start_options

from tests.mutants.model import ROOT, Mutant

# Of these only one is looked at.
_PACKAGES = re.compile(r"^packages = .*\n", re.MULTILINE)
_looked_at: "Synchronized[int]" = multiprocessing.Value("i")
"""How many mutants all processes have looked at."""


def refused(mutants: Sequence[Mutant], processes: int) -> set[str]:
    """Returns the keys of those in which mypy finds an error, and says on standard error how far it is."""
    by_module = [list(each) for _, each in itertools.groupby(mutants, key=lambda mutant: mutant.module)]
    shares: list[list[Mutant]] = [[] for _ in range(processes)]
    for each in sorted(by_module, key=len, reverse=True):
        min(shares, key=len).extend(each)
    # They inherit the counter.
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
        left = found = {pool.submit(_refused, share) for share in shares}
        while left:
            _, left = wait(left, timeout=1)
            print(f"\r{_looked_at.value} of {len(mutants)} mutants", end="", file=sys.stderr, flush=True)
    print(f"\r{' ' * 40}\r", end="", file=sys.stderr)
    return set().union(*(share.result() for share in found))


def _refused(mutants: Sequence[Mutant]) -> set[str]:
    with tempfile.TemporaryDirectory(prefix="mutants") as folder:
        shutil.copytree(ROOT / "source", Path(folder, "source"), ignore=shutil.ignore_patterns("__pycache__"))
        settings = (ROOT / "pyproject.toml").read_text()
        Path(folder, "pyproject.toml").write_text(_PACKAGES.sub("", settings))
        os.chdir(folder)
        checker = _Checker()
        found = set()
        for module, group in itertools.groupby(mutants, key=lambda mutant: mutant.module):
            path = Path(*("source", *module.split("."))).with_suffix(".py")
            text = path.read_text()
            for mutant in group:
                path.write_text(mutant.code)
                is_refused = not checker.is_content()
                path.write_text(text)
                # The daemon may not see that all is well again, and would refuse whatever comes.
                if is_refused and not checker.is_content():
                    checker = _Checker()
                if is_refused:
                    found.add(mutant.key)
                with _looked_at:
                    _looked_at.value += 1
        return found


class _Checker:
    """mypy, kept in memory, for the source in this folder, in which it finds nothing."""

    def __init__(self) -> None:
        options = process_start_options(["--config-file", "pyproject.toml"], allow_sources=False)
        self._server = Server(options, ".dmypy.json")
        answer = self._server.cmd_check(["source/filestore"], False, False, 80)
        if answer.get("status") != 0:
            raise RuntimeError(f"mypy finds errors without a mutant:\n{answer}")

    def is_content(self) -> bool:
        """Whether it finds nothing in what there is now."""
        return bool(self._server.cmd_recheck(False, 80, False)["status"] == 0)
