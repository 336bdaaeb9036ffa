"""The jobs that have rights run nothing that they do not need, and what they install is known by its hash."""

import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import ROOT
from tools import build, template

WORKFLOWS: dict[str, Any] = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / ".github/workflows").glob("*.yml")
}
DEPLOY = WORKFLOWS["deploy"]["jobs"]
RELEASE = WORKFLOWS["release"]["jobs"]
LOCK = ROOT / ".ci/deploy-requirements.txt"
FUNCTIONS = ROOT / ".ci/functions-requirements.txt"
LINUX = {"extra": "", "python_version": "3.13", "python_full_version": "3.13.0", "platform_machine": "x86_64"}


def pins(text: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s\\]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def brought_along(requirement: str) -> set[str]:
    """What a package needs on the machine that deploys, itself included."""
    todo, seen = [Requirement(requirement)], set()
    while todo:
        asked = todo.pop()
        for extra in ("", *sorted(asked.extras)):
            key = (canonicalize_name(asked.name), extra)
            if key in seen:
                continue
            seen.add(key)
            needed = [Requirement(line) for line in distribution(asked.name).requires or []]
            todo += [each for each in needed if each.marker is None or each.marker.evaluate(LINUX | {"extra": extra})]
    return {name for name, _ in seen}


def test_one_job_may_ask_for_the_role_and_one_may_write_releases() -> None:
    for workflow in WORKFLOWS.values():
        assert workflow["permissions"] == {}
    rights = {
        (name, job): spec["permissions"]
        for name, workflow in WORKFLOWS.items()
        for job, spec in workflow["jobs"].items()
        if spec["permissions"] != {"contents": "read"}
    }
    assert rights == {
        ("deploy", "deploy"): {"contents": "read", "id-token": "write"},
        ("release", "publish"): {"contents": "write"},
    }


def test_every_action_is_pinned_to_a_commit() -> None:
    for workflow in WORKFLOWS.values():
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                assert "uses" not in step or re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])


def test_the_job_that_deploys_runs_four_commands() -> None:
    """A test's dependency, or make's own installation, would have the role as well."""
    assert [step["run"] for step in DEPLOY["deploy"]["steps"] if "run" in step] == [
        "python -m venv .venv-deploy",
        (
            ".venv-deploy/bin/python -m pip install --require-hashes --no-deps --only-binary :all:"
            " -r .ci/deploy-requirements.txt"
        ),
        ".venv-deploy/bin/python -m tools.template",
        'make deploy-built VENV=.venv-deploy ENV="$ENVIRONMENT" CONFIRM=no',
    ]
    assert DEPLOY["deploy"]["needs"] == ["test", "build"]


def test_the_job_that_builds_installs_by_hash_alone() -> None:
    """What make installs has no hashes, and could put anything into the zip."""
    assert [step["run"] for step in DEPLOY["build"]["steps"] if "run" in step] == ["python -m tools.build"]


def test_deploying_what_is_built_installs_and_builds_nothing() -> None:
    dry = subprocess.run(
        ["/usr/bin/env", "make", "-n", "deploy-built", "VENV=.venv-none", "ENV=prod", "CONFIRM=no"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert set(re.findall(r"\.venv-none/bin/\S+(?: -m \S+)?", dry)) == {
        ".venv-none/bin/python -m ops",
        ".venv-none/bin/sam",
    }
    assert not re.search(r"\bpip\b|tools\.build", dry)


def test_it_gets_the_code_that_another_job_has_built_and_nothing_else() -> None:
    """The template says which roles are made: the one of its own checkout is deployed."""
    (uploaded,) = [step["with"] for step in DEPLOY["build"]["steps"] if "upload-artifact" in step.get("uses", "")]
    (downloaded,) = [step["with"] for step in DEPLOY["deploy"]["steps"] if "download-artifact" in step.get("uses", "")]
    assert (uploaded["name"], uploaded["path"]) == ("build", ".aws-sam/build/filestore.zip")
    assert downloaded == {"name": "build", "path": ".aws-sam/build"}
    steps = [step.get("uses", step.get("run", "")) for step in DEPLOY["deploy"]["steps"]]
    order = [
        next(index for index, step in enumerate(steps) if words in step)
        for words in ("download-artifact", "tools.template", "configure-aws-credentials", "deploy-built")
    ]
    assert order == sorted(order)


def test_a_template_that_was_handed_over_is_not_deployed(tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    aside.write_text("kept")
    (tmp_path / "template.yaml").write_text("Resources: {Backdoor: {Type: AWS::IAM::Role}}")
    for name in ("swagger.yaml", "monitoring.yaml"):
        (tmp_path / name).symlink_to(aside)
    template.write(tmp_path)
    ours = (ROOT / "template.yaml").read_text(encoding="utf-8")
    written = (tmp_path / "template.yaml").read_text(encoding="utf-8")
    assert written == ours.replace("    CodeUri: source\n", "    CodeUri: filestore.zip\n") != ours
    for name in ("swagger.yaml", "monitoring.yaml"):
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()
    assert aside.read_text() == "kept"


def test_the_template_is_written_without_any_package() -> None:
    run = "import runpy; runpy.run_module('tools.template')"
    subprocess.run([sys.executable, "-S", "-c", run], cwd=ROOT, check=True)


class TestARelease:
    def test_is_made_for_tags_of_versions_alone(self) -> None:
        # YAML 1.1, which PyYAML reads, takes "on" for true.
        workflow: dict[Any, Any] = WORKFLOWS["release"]
        assert workflow[True] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}

    def test_is_checked_tested_and_built_before_it_is_published(self) -> None:
        assert {name: job.get("needs", []) for name, job in RELEASE.items()} == {
            "check": [],
            "test": "check",
            "build": "check",
            "publish": ["test", "build"],
        }
        assert RELEASE["test"]["steps"] == DEPLOY["test"]["steps"]

    def test_is_built_as_what_github_deploys_is(self) -> None:
        assert RELEASE["build"]["steps"] == DEPLOY["build"]["steps"]

    def test_the_job_that_may_write_installs_nothing(self) -> None:
        assert [step["run"] for step in RELEASE["publish"]["steps"] if "run" in step] == [
            "python3 -m tools.template",
            'cd .aws-sam/build && sums=$(sha256sum -- *) && tee SHA256SUMS <<< "$sums"',
            'python3 -m tools.release "$TAG" > "$RUNNER_TEMP/notes.md"',
            (
                'gh release create "$TAG" --verify-tag --title "$TAG" --notes-file "$RUNNER_TEMP/notes.md"'
                " .aws-sam/build/*"
            ),
        ]

    def test_takes_its_template_from_its_own_checkout(self) -> None:
        """As the job that deploys: what was handed over is written over."""
        steps = [step.get("uses", step.get("run", "")) for step in RELEASE["publish"]["steps"]]
        order = [
            next(index for index, step in enumerate(steps) if words in step)
            for words in ("download-artifact", "tools.template", "sha256sum", "gh release")
        ]
        assert order == sorted(order)


class TestTheLock:
    def test_has_the_versions_that_are_tested(self) -> None:
        tested = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
        locked = pins(LOCK.read_text(encoding="utf-8"))
        assert locked["aws-sam-cli"] == tested["aws-sam-cli"]
        # pip freeze, which writes constraints.txt, leaves out what pip itself needs.
        assert locked.keys() - tested.keys() == {"setuptools", "wheel"}
        assert {name: version for name, version in locked.items() if name in tested}.items() <= tested.items()

    def test_of_the_functions_has_what_is_deployed(self) -> None:
        tested = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
        asked = [Requirement(line) for line in (ROOT / "source/requirements.txt").read_text("utf-8").splitlines()]
        needed = {name for each in asked for name in brought_along(str(each))}
        assert pins(FUNCTIONS.read_text(encoding="utf-8")) == {name: tested[name] for name in needed}
        assert {each.name: f"=={tested[each.name]}" for each in asked} == {
            each.name: str(each.specifier) for each in asked
        }

    def test_is_all_that_a_build_installs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A package whose bytes are others than those that were locked ends the build."""
        (tmp_path / ".ci").mkdir()
        lock = FUNCTIONS.read_text(encoding="utf-8")
        forged = re.sub(r"(six==\S+)( \\\n    --hash=sha256:[0-9a-f]{64})+", rf"\1 --hash=sha256:{'0' * 64}", lock)
        assert forged != lock
        (tmp_path / ".ci" / FUNCTIONS.name).write_text(forged)
        monkeypatch.setattr(build, "ROOT", tmp_path)
        monkeypatch.setattr(build, "target", lambda: ("3.13", "arm64"))
        with pytest.raises(build.BuildError, match="THESE PACKAGES DO NOT MATCH THE HASHES"):
            build.build(tmp_path / "built", None)

    @pytest.mark.parametrize("lock", [LOCK, FUNCTIONS], ids=["deploy", "functions"])
    def test_has_a_hash_of_everything(self, lock: Path) -> None:
        entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").split("\n", 1)[1].strip())
        assert all(re.fullmatch(r"\S+==\S+( \\\n    --hash=sha256:[0-9a-f]{64})+", entry) for entry in entries)

    def test_has_everything_that_the_sam_cli_needs(self) -> None:
        """It is installed as it stands (--no-deps)."""
        assert brought_along("aws-sam-cli") - {"wheel", "setuptools"} <= pins(LOCK.read_text(encoding="utf-8")).keys()
