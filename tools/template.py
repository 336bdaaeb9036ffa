"""Writes the template that is deployed, and the swagger beside it, from this checkout: a build adds the zip alone.

The standard library alone: the job of GitHub that may deploy runs it.
"""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / ".aws-sam/build"
"""Where ``sam deploy`` looks for what is built."""

CODE = "filestore.zip"
_SOURCE = "    CodeUri: source\n"


class TemplateError(Exception):
    """The template is not as this expects it."""


def write(output: Path) -> None:
    """Write both into the folder, in place of what lies there. Raises TemplateError."""
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    if template.count(_SOURCE) != 1:
        raise TemplateError("template.yaml no longer says in one place that the code is in source.")
    for name in ("template.yaml", "swagger.yaml"):
        (output / name).unlink(missing_ok=True)
    (output / "template.yaml").write_text(template.replace(_SOURCE, f"    CodeUri: {CODE}\n"), encoding="utf-8")
    shutil.copy(ROOT / "swagger.yaml", output)


if __name__ == "__main__":
    write(OUTPUT)
