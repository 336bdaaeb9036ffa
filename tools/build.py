"""Builds what is deployed, into the folder where ``sam deploy`` looks for it.

.aws-sam/build/template.yaml    the template, with the code and what it includes beside it
.aws-sam/build/swagger.yaml
.aws-sam/build/monitoring.yaml
.aws-sam/build/filestore.zip    source/ and the packages it needs, for the template's runtime and architecture

The same input gives the same bytes, on any machine: nothing in the zip has a date, an owner or a compression of this
machine's. Bytecode is part of it, because Lambda cannot keep what it compiles: without, every cold start compiles
again. Only the runtime's own version of Python can make it.

``sam build`` makes the same for each function, by source/Makefile: there the SAM CLI makes the zip. Of packages this
needs pip alone, so it works beside any installation of the SAM CLI.
"""

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tools import template

ROOT = template.ROOT
OUTPUT = template.OUTPUT
SHARED = ROOT / ".aws-sam/functions"
"""Where ``sam build`` has the code that its functions share, in a folder named by what it was made of."""

_FROM = ("source", "tools")
_LOCK = ".ci/functions-requirements.txt"
_PLATFORMS = {"arm64": "manylinux2014_aarch64", "x86_64": "manylinux2014_x86_64"}
# The earliest date that a zip can name.
_DATE = (1980, 1, 1, 0, 0, 0)

# Unchecked: Lambda's file dates say nothing. The name that tracebacks show is the one that Lambda has it under.
_COMPILE = """
import importlib.util, pathlib, py_compile, sys
for path in sorted(pathlib.Path().rglob("*.py")):
    py_compile.compile(
        str(path), importlib.util.cache_from_source(str(path)), f"/var/task/{path}", doraise=True,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
"""


class BuildError(Exception):
    """The build cannot go on; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What was built."""

    code: Path
    sha256: str
    bytecode: bool


def build(output: Path, interpreter: Path | None) -> Artifact:
    """Build into a folder, which is made anew. Without an interpreter there is no bytecode. Raises BuildError."""
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder) / "code"
        _make(code, interpreter)
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True)
        _zip(code, output / template.CODE)
    try:
        template.write(output)
    except template.TemplateError as error:
        raise BuildError(str(error)) from error
    return Artifact(
        code=output / template.CODE,
        sha256=hashlib.sha256((output / template.CODE).read_bytes()).hexdigest(),
        bytecode=interpreter is not None,
    )


def fill(folder: Path, interpreter: Path | None) -> None:
    """Put the code of a function into a folder of the SAM CLI's. The first one makes it for all. Raises BuildError."""
    if interpreter is None:
        version, _ = target()
        # The SAM CLI shows what is printed only where it fails, so a warning would be lost.
        raise BuildError(
            f"sam build needs Python {version}: put python{version} on the PATH, or name it by PYTHON_FOR_BUILD."
            " make build does without, for slower cold starts."
        )
    made = SHARED / _inputs(interpreter)
    SHARED.mkdir(parents=True, exist_ok=True)
    lock = os.open(SHARED, os.O_RDONLY)
    try:
        # The SAM CLI may build several functions at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            for older in SHARED.iterdir():
                shutil.rmtree(older)
            draft = SHARED / "draft"
            _make(draft, interpreter)
            draft.rename(made)
        shutil.copytree(made, folder, dirs_exist_ok=True)
    finally:
        os.close(lock)


def target() -> tuple[str, str]:
    """The version of Python and the architecture that the template deploys to. Raises BuildError."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    said = re.findall(r"^    Runtime: python(\S+)\n    Architectures: \[(\w+)\]$", text, re.MULTILINE)
    if len(said) != 1:
        raise BuildError("template.yaml no longer says in one place, one below the other, Runtime and Architectures.")
    version, architecture = said[0]
    return version, architecture


def find_interpreter(version: str) -> Path | None:
    """A Python of this version: the one in PYTHON_FOR_BUILD, this one, or one on the PATH."""
    named = os.environ.get("PYTHON_FOR_BUILD")
    if named and (not shutil.which(named) or version_of(Path(named)) != version):
        raise BuildError(f"PYTHON_FOR_BUILD={named} is no Python {version}.")
    for name in (named, sys.executable, f"python{version}"):
        found = shutil.which(name) if name else None
        if found and version_of(Path(found)) == version:
            return Path(found)
    return None


def version_of(interpreter: Path) -> str | None:
    """The version of this Python, such as 3.13; None if it does not run."""
    asked = subprocess.run(
        [interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return asked.stdout.strip() if asked.returncode == 0 else None


def _inputs(interpreter: Path) -> str:
    """The sha256 of all that the code is made of."""
    files = [
        ROOT / "template.yaml",
        ROOT / _LOCK,
        *(path for top in _FROM for path in sorted((ROOT / top).rglob("*.py"))),
    ]
    found = hashlib.sha256(str(version_of(interpreter)).encode())
    for path in files:
        found.update(f"{path}\n{path.stat().st_size}\n".encode() + path.read_bytes())
    return found.hexdigest()


def _make(code: Path, interpreter: Path | None) -> None:
    """What a function consists of, in a new folder."""
    version, architecture = target()
    _install(code, version, _PLATFORMS[architecture])
    _prune(code)
    shutil.copytree(ROOT / "source/filestore", code / "filestore", ignore=shutil.ignore_patterns("__pycache__"))
    if interpreter is not None:
        _compile(code, interpreter)


def _prune(folder: Path) -> None:
    pruned = subprocess.run(
        # By the botocore that was just installed: this Python may have none.
        [sys.executable, "-B", "-m", "tools.prune", str(folder)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if pruned.returncode != 0:
        raise BuildError(f"The functions' packages cannot be pruned:\n{pruned.stderr.strip()}")


def _install(folder: Path, version: str, platform: str) -> None:
    installed = subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
            "--target", str(folder), "--only-binary", ":all:", "--implementation", "cp",
            "--python-version", version, "--platform", platform,
            "--require-hashes", "--no-deps", "--requirement", _LOCK,
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if installed.returncode != 0:
        raise BuildError(f"pip cannot install the functions' packages:\n{installed.stderr.strip()}")


def _compile(folder: Path, interpreter: Path) -> None:
    compiled = subprocess.run(
        [interpreter, "-S", "-c", _COMPILE],
        # Sets among the constants are written in the order of their hashes.
        cwd=folder, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if compiled.returncode != 0:
        raise BuildError(f"{interpreter} cannot compile:\n{compiled.stderr.strip()}")


def _zip(folder: Path, archive: Path) -> None:
    # Stored, not deflated: compressors differ from machine to machine, and Lambda takes 50 MB.
    with zipfile.ZipFile(archive, "w") as bundle:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _DATE)
                # Written as by Unix, readable by all: Lambda runs as a user of its own.
                entry.create_system = 3
                entry.external_attr = 0o100644 << 16
                bundle.writestr(entry, path.read_bytes())


def main() -> None:
    """Build, and say what was built."""
    parser = argparse.ArgumentParser(prog="python -m tools.build", description="Builds what is deployed.")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder to build into, made anew (%(default)s)")
    parser.add_argument(
        "--for-sam", type=Path, metavar="FOLDER", help="what sam build asks for: a function's code alone"
    )
    arguments = parser.parse_args()
    try:
        version, architecture = target()
        interpreter = find_interpreter(version)
        if arguments.for_sam:
            fill(arguments.for_sam, interpreter)
        else:
            artifact = build(arguments.output, interpreter)
            size = artifact.code.stat().st_size / 1e6
            print(f"Built for Python {version} on {architecture}: {artifact.code} ({size:.1f} MB)")
            print(f"sha256 {artifact.sha256}")
    except BuildError as error:
        sys.exit(f"error: {error}")
    if interpreter is None:
        print(
            f"warning: there is no Python {version} here, so the zip has no bytecode: it works, but its cold starts\n"
            f"take twice as long. Put python{version} on the PATH, or: make build PYTHON_FOR_BUILD=/path/to/python",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
