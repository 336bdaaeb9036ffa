"""Which mutants the type checker refuses: ``make types`` would, before a test ran."""

import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from mypy.dmypy_server import Server, process_start_options

from tests.mutants.model import ROOT, Mutant

# Of these only one is looked at.
_PACKAGES = re.compile(r"^packages = .*\n", re.MULTILINE)


def refused(mutants: Iterable[Mutant], processes: int) -> set[str]:
    """Returns the keys of those in which mypy finds an error."""
    by_module = [list(each) for _, each in itertools.groupby(mutants, key=lambda mutant: mutant.module)]
    shares: list[list[Mutant]] = [[] for _ in range(processes)]
    for each in sorted(by_module, key=len, reverse=True):
        min(shares, key=len).extend(each)
    with ProcessPoolExecutor(processes) as pool:
        return set().union(*pool.map(_refused, shares))


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
