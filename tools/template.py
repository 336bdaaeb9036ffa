"""Writes the template that is deployed, and what it includes beside it, from this checkout: a build adds the zip alone.

The standard library alone: the job of GitHub that may deploy runs it.
"""

import argparse
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / ".aws-sam/build"
"""Where ``sam deploy`` looks for what is built."""

CODE = "filestore.zip"
INCLUDED = ("swagger.yaml", "monitoring.yaml")
"""What template.yaml includes; CloudFormation does it, from copies that ``sam deploy`` puts into S3."""

_SOURCE = "    CodeUri: source\n"
_INCLUDE = "  Fn::Transform:\n    Name: AWS::Include\n    Parameters:\n      Location: monitoring.yaml\n"


class TemplateError(Exception):
    """The template is not as this expects it."""


def write(output: Path) -> None:
    """Write all of them into the folder, in place of what lies there. Raises TemplateError."""
    template = _template_with(_SOURCE, f"    CodeUri: {CODE}\n")
    for name in ("template.yaml", *INCLUDED):
        (output / name).unlink(missing_ok=True)
    (output / "template.yaml").write_text(template, encoding="utf-8")
    for name in INCLUDED:
        shutil.copy(ROOT / name, output)


def write_whole(file: Path) -> None:
    """Write one template with the resources of both files, which is what scanners can read. Raises TemplateError."""
    lines = (ROOT / "monitoring.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    whole = _template_with(_INCLUDE, "".join(f"  {line}" if line.strip() else line for line in lines))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(whole, encoding="utf-8")


def _template_with(old: str, new: str) -> str:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    if template.count(old) != 1:
        raise TemplateError(f"template.yaml no longer says this in one place:\n{old}")
    return template.replace(old, new)


def main() -> None:
    """Write what is deployed or, for scanners, the whole in one file."""
    parser = argparse.ArgumentParser(prog="python -m tools.template", description=__doc__)
    parser.add_argument("--whole", type=Path, metavar="FILE", help="write one template with all resources")
    whole = parser.parse_args().whole
    if whole is None:
        write(OUTPUT)
    else:
        write_whole(whole)


if __name__ == "__main__":
    main()
