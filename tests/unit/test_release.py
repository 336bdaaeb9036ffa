"""What may be released: one version in the tag, in pyproject.toml and in CHANGELOG.md."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT
from tools.release import ReleaseError, notes

CHANGELOG = """# Changelog

Words before the first version.

## Unreleased

## 1.2.3 - 2026-11-28

### Added
- This.

## 1.2.2 - 2026-11-01
- That.
"""


def project(folder: Path, *, version: str = "1.2.3", package: str = "1.2.3", changelog: str = CHANGELOG) -> Path:
    """A folder with what a release is checked by."""
    (folder / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n', encoding="utf-8")
    client = folder / "static/filestore-client"
    client.mkdir(parents=True, exist_ok=True)
    (client / "package.json").write_text(f'{{"version": "{package}"}}', encoding="utf-8")
    (folder / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    return folder


def test_its_notes_are_the_section_of_the_changelog(tmp_path: Path) -> None:
    assert notes(project(tmp_path), "v1.2.3") == "### Added\n- This."


def test_a_changelog_needs_no_section_for_what_comes_next(tmp_path: Path) -> None:
    assert notes(project(tmp_path, changelog="## 1.2.3 - 2026-11-28\n- This.\n"), "v1.2.3") == "- This."


@pytest.mark.parametrize("tag", ["1.2.3", "v1.2", "v1.2.3-rc.1", "v01.2.3", "v1.2.3\n", "v1.2.3; true"])
def test_a_tag_of_another_form_is_refused(tag: str, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is no tag of a release"):
        notes(project(tmp_path), tag)


def test_a_version_that_was_not_raised_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"The tag is v1\.2\.3, but pyproject\.toml says version 1\.2\.2\."):
        notes(project(tmp_path, version="1.2.2"), "v1.2.3")


def test_a_browser_package_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"but static/filestore-client/package\.json says version 1\.2\.2\."):
        notes(project(tmp_path, package="1.2.2"), "v1.2.3")


@pytest.mark.parametrize(
    ("changelog", "said"),
    [
        (CHANGELOG.replace("## 1.2.3 - 2026-11-28", "## 1.2.3 - unreleased"), r"## 1\.2\.3 - YYYY-MM-DD"),
        (CHANGELOG.replace("1.2.3", "1.3.0"), r"## 1\.2\.3 - YYYY-MM-DD"),
        ("# Changelog\n", r"## 1\.2\.3 - YYYY-MM-DD"),
        (CHANGELOG.replace("## Unreleased\n", "## Unreleased\n- Forgotten.\n"), "still has changes under Unreleased"),
        (CHANGELOG.replace("### Added\n- This.\n", ""), r"says nothing of 1\.2\.3"),
    ],
)
def test_a_changelog_that_is_not_ready_is_refused(changelog: str, said: str, tmp_path: Path) -> None:
    assert changelog != CHANGELOG
    with pytest.raises(ReleaseError, match=said):
        notes(project(tmp_path, changelog=changelog), "v1.2.3")


def test_the_command_says_what_to_mend_and_fails() -> None:
    """A workflow goes on only after exit status 0."""
    run = subprocess.run(
        [sys.executable, "-S", "-m", "tools.release", "v0.0.0"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr.startswith("error: The tag is v0.0.0, but pyproject.toml says version ")
