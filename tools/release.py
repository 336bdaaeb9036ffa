"""Says whether a tag may be released, and prints its notes: ``python -m tools.release v1.2.3``.

The standard library alone: the job of GitHub that may write releases runs it.
"""

import argparse
import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What browsers get of a release.
_PACKAGE = "static/filestore-client/package.json"


class ReleaseError(Exception):
    """The tag, both packages and CHANGELOG.md do not say the same; the message says what to mend."""


def notes(root: Path, tag: str) -> str:
    """Returns what CHANGELOG.md says of the version of a tag such as v1.2.3. Raises ReleaseError."""
    if not re.fullmatch(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", tag):
        raise ReleaseError(f"{tag} is no tag of a release: it has the form v1.2.3.")
    version = tag.removeprefix("v")
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if project != version:
        raise ReleaseError(f"The tag is {tag}, but pyproject.toml says version {project}.")
    package = json.loads((root / _PACKAGE).read_text(encoding="utf-8"))["version"]
    if package != version:
        raise ReleaseError(f"The tag is {tag}, but {_PACKAGE} says version {package}.")
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.split(r"^## (.+)\n", changelog, flags=re.MULTILINE)[1:]
    released = [(title, text.strip()) for title, text in zip(sections[::2], sections[1::2], strict=True)]
    if released and released[0][0] == "Unreleased":
        if released[0][1]:
            raise ReleaseError("CHANGELOG.md still has changes under Unreleased.")
        del released[0]
    if not released or not re.fullmatch(rf"{re.escape(version)} - \d{{4}}-\d\d-\d\d", released[0][0]):
        raise ReleaseError(f"The newest section of CHANGELOG.md has to be: ## {version} - YYYY-MM-DD")
    if not released[0][1]:
        raise ReleaseError(f"CHANGELOG.md says nothing of {version}.")
    return released[0][1]


def main() -> None:
    """Print the notes, or say what has to be mended."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description="Checks a tag and prints its notes.")
    parser.add_argument("tag", help="such as v1.2.3")
    try:
        print(notes(ROOT, parser.parse_args().tag))
    except ReleaseError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
