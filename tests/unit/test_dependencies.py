"""What is deployed with the functions, and what is installed on a developer's machine and for what."""

import ast
import re
import subprocess
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import ClassVar

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import ROOT

PERMISSIVE = re.compile(r"MIT|MIT-0|Apache-2\.0|BSD|PSF-2\.0|Apache Software License|Dual License")


def deployed() -> set[str]:
    """What source/requirements.txt brings along."""
    lines = (ROOT / "source/requirements.txt").read_text().split()
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line) for line in lines)
    todo, found = [line.split("==")[0] for line in lines], set()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            needed = [requirement for requirement in distribution(name).requires or [] if "extra ==" not in requirement]
            todo += [re.split(r"[^A-Za-z0-9._-]", requirement)[0] for requirement in needed]
    return found


def test_few_packages_are_deployed() -> None:
    assert deployed() == {
        "aws-lambda-powertools",
        "botocore",
        "jmespath",
        "python-dateutil",
        "six",
        "typing-extensions",
        "urllib3",
    }


def test_their_licences_ask_for_nothing_but_attribution() -> None:
    for name in deployed():
        metadata = distribution(name).metadata.json
        licence = str(metadata.get("license_expression") or metadata.get("license"))
        assert PERMISSIVE.fullmatch(licence), (name, licence)
        # Dual licences say in their classifiers which.
        for classifier in metadata.get("classifier", []):
            if classifier.startswith("License :: "):
                assert re.search(r"MIT|Apache|BSD", classifier), (name, classifier)


class TestTheLists:
    """What each purpose needs, of which make installs no more than it is asked for."""

    def test_together_are_what_a_developer_installs(self) -> None:
        named = re.findall(r"^-r (\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
        assert sorted(named) == sorted(f"requirements/{path.name}" for path in (ROOT / "requirements").iterdir())

    def test_pin_what_constraints_txt_pins(self) -> None:
        """Of a list that contradicts it nothing can be installed."""
        pinned = pins(ROOT / "constraints.txt")
        for path in (ROOT / "requirements").iterdir():
            assert "-c ../constraints.txt\n" in path.read_text()
            assert pins(path).items() <= pinned.items()

    def test_of_make_run_has_all_that_is_imported_there(self) -> None:
        """A machine that has the tests' packages as well would not tell."""
        smoke = {ROOT / "ops/smoke/multipart.py"}
        installed = brought_along("run")
        for path in {*(path for top in ("local", "ops", "tools") for path in (ROOT / top).rglob("*.py"))} - smoke:
            assert imported(path) <= installed, path
        assert imported(*smoke) <= installed | brought_along("smoke")

    def test_of_make_run_has_none_of_the_large_ones(self) -> None:
        """Each package more delays the first page. awscrt is 1 MB: in Python a CRC64NVME takes 600 times as long."""
        assert not brought_along("run") & {"aws-sam-cli", "cfn-lint", "moto", "mypy", "playwright", "sympy"}


class TestTheTargets:
    MAKEFILE = (ROOT / "Makefile").read_text()
    RULES: ClassVar = dict(re.findall(r"^([a-z-]+): (?:.*## .*|is-environment)\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE))

    @pytest.mark.parametrize(
        ("command", "stage"),
        [
            (r"\$\(BIN\)/python -m (local|ops|tools)\b", "run"),
            (r"-m ops\.smoke", "smoke"),
            (r"-m (pytest|tests|bench)\b", "test"),
            (r"\$\(BIN\)/sam\b", "deploy"),
            (r"\$\(BIN\)/(ruff|mypy|lint-imports)", "lint"),
            (r"\$\(SCAN\)/bin/", "scan"),
            (r"\$\(MUTANTS\)/bin/", "mutants"),
        ],
    )
    def test_install_what_they_run(self, command: str, stage: str) -> None:
        found = {name for name, recipe in self.RULES.items() if re.search(command, recipe)} - {"deploy-built"}
        assert found
        for target in found:
            assert stage in stages(target), target

    def test_of_one_stack_install_no_tests(self) -> None:
        for target in ("run", "logs", "key", "keys", "revoke", "remove", "audit", "redrive", "publish", "build"):
            assert stages(target) == {"run"}, target
        assert stages("smoke") == {"run", "smoke"}
        assert stages("deploy") == {"run", "deploy"}
        assert stages("format") == {"lint"}
        assert stages("diagrams") == stages("clean") == stages("deploy-built") == set()

    def test_that_check_everything_install_everything(self) -> None:
        assert stages("test") == {"run", "smoke", "deploy", "test", "lint", "scan"}


def pins(path: Path) -> dict[str, str]:
    """The packages that a list names itself, with their versions."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[\S+\])?==(\S+)$", path.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def brought_along(name: str) -> set[str]:
    """What a list installs."""
    path = ROOT / f"requirements/{name}.txt"
    todo = [*pins(path), *(pins(ROOT / "source/requirements.txt") if "source/" in path.read_text() else ())]
    found: set[str] = set()
    while todo:
        package = canonicalize_name(todo.pop())
        if package not in found:
            found.add(package)
            needed = [Requirement(line) for line in distribution(package).requires or []]
            todo += [each.name for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


def imported(*paths: Path) -> set[str]:
    """The packages that modules import, but those of the project and the standard library."""
    ours = {"bench", "filestore", "local", "ops", "tools", *sys.stdlib_module_names}
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    modules = {name.split(".")[0] for name in names} - ours
    return {canonicalize_name(package) for module in modules for package in packages_distributions()[module][:1]}


def stages(target: str) -> set[str]:
    """What make would install for a target, were nothing installed."""
    planned = subprocess.run(
        ["/usr/bin/env", "make", "-n", target, "VENV=.venv-none", "SCAN=.venv-none-scan", "MUTANTS=.venv-none-mutants"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return set(re.findall(r"tools/install\.py \S+ (?:requirements/|\.ci/)(\w+)", planned))
