"""The emulator's state on disk: snapshots of all its services, and the writes that came after each.

::

    aws/000007/        a snapshot: what every service saves, the functions' code, and a manifest of it with checksums
    aws/000007.writes  what was acknowledged since, a line each
    aws/000006...      the same before, which takes over when the newest snapshot is damaged
    s3/                the objects, written by the emulator as they arrive
    damaged/           objects that cannot be read any more, or that nothing knows of

The state is a snapshot and all writes from its number on. A snapshot is written beside its place, synced and renamed,
so it is there whole or not at all. Earlier releases kept what the services saved in ``aws`` itself, and only
when they were stopped in order.
"""

import ast
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.errors import LocalError

PROMISED_SECONDS = 2
"""What was acknowledged so long ago survives a power cut. The end of a process takes nothing that was acknowledged."""

MANIFEST = "manifest.json"

_SNAPSHOT = re.compile(r"\d{6}")
_DRAFTS = "*.draft"
_SIDECAR = ".meta.json"
_VERSIONS = ".versions"
# Without one of these there is no stack.
_SERVICES = ("apigateway_v1", "cloudformation", "dynamodb", "iam", "lambda", "s3", "sqs")


@dataclass(frozen=True)
class Found:
    """What the emulator goes on from."""

    snapshot: Path
    number: int
    notes: list[str] = field(default_factory=list)


def open_state(state: Path) -> Found:
    """The newest snapshot that can be read, the objects tidied up for it.

    Raises LocalError where going on would lose or hide what is there.
    """
    aws, s3 = state / "aws", state / "s3"
    aws.mkdir(parents=True, exist_ok=True)
    with claimed(state):
        for draft in aws.glob(_DRAFTS):
            shutil.rmtree(draft)
    numbers = _numbers(aws)
    if numbers == [0] and _problem(snapshot_folder(aws, 0)) is None:
        # Nothing was ever ready, so nothing was promised; a half-made deployment would only be in the way.
        shutil.rmtree(aws)
        shutil.rmtree(s3, ignore_errors=True)
        return _anew(aws)
    if not numbers and not any(aws.iterdir()):
        if any(_is_file(path) for path in s3.rglob("*")):
            raise unreadable(state, f"{s3} has objects, but {aws} is empty")
        return _anew(aws)
    if not any(_is_file(path) for path in s3.rglob("*")):
        raise unreadable(state, f"the objects in {s3} are gone")
    found = _newest(state, numbers)
    found.notes.extend(_tidy(state, _buckets(found.snapshot / "s3.json")))
    return found


def newest(aws: Path) -> int:
    """The number of the newest snapshot."""
    return max(_numbers(aws), default=0)


def snapshot_folder(aws: Path, number: int) -> Path:
    """Where the snapshot of this number is."""
    return aws / f"{number:06}"


def draft_folder(aws: Path, number: int) -> Path:
    """Where the snapshot of this number is while it is made."""
    return aws / f"{number:06}.draft"


@contextmanager
def claimed(state: Path) -> Iterator[None]:
    """Nobody else makes a snapshot meanwhile: one that was begun goes on when the emulator is killed."""
    with (state / "saving").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def seal(draft: Path, place: Path) -> None:
    """Make a snapshot of a folder: a manifest, everything on the disk, then its name."""
    files = [path for path in sorted(draft.rglob("*")) if path.is_file()]
    manifest = {str(path.relative_to(draft)): _checksum(path) for path in files}
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    for path in (*files, draft / MANIFEST, *(path for path in draft.rglob("*") if path.is_dir()), draft):
        sync(path)
    draft.rename(place)
    sync(place.parent)


def sync(path: Path) -> None:
    """Have the disk write a file or folder down. One that is gone by now need not be."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prune(aws: Path, keep: list[int]) -> None:
    """Remove what is older than the snapshots that are kept, and snapshots that are not."""
    for path in aws.iterdir():
        number = int(path.name[:6]) if path.name[:6].isdecimal() else None
        if path.is_dir() and number not in keep:
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_file() and (number is None or number < min(keep)):
            path.unlink(missing_ok=True)


def _numbers(aws: Path) -> list[int]:
    """The numbers of the snapshots, newest first."""
    return sorted((int(path.name) for path in aws.iterdir() if _SNAPSHOT.fullmatch(path.name)), reverse=True)


def _anew(aws: Path) -> Found:
    """An empty snapshot: from here on, a folder without one has lost it."""
    draft, place = draft_folder(aws, 0), snapshot_folder(aws, 0)
    draft.mkdir(parents=True)
    seal(draft, place)
    return Found(place, 0)


def _newest(state: Path, numbers: list[int]) -> Found:
    aws = state / "aws"
    problems: list[str] = []
    for number in numbers:
        problem = _problem(snapshot_folder(aws, number))
        if problem is None:
            notes = [f"{problem}. The snapshot before it and the writes since take its place." for problem in problems]
            return Found(snapshot_folder(aws, number), number, notes)
        problems.append(problem)
    if any(aws.glob("*.json")):
        problem = _older_problem(aws)
        if problem is None:
            return Found(aws, 0, [f"{problem}. The older state in {aws} takes its place." for problem in problems])
        problems.append(problem)
    raise unreadable(state, problems[0] if problems else f"{aws} has no snapshot")


def _problem(snapshot: Path) -> str | None:
    """What keeps a snapshot from being read."""
    try:
        manifest = json.loads((snapshot / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return f"{snapshot / MANIFEST} is damaged"
    for name, checksum in manifest.items():
        path = snapshot / name
        if not path.is_file():
            return f"{path} is missing"
        if _checksum(path) != checksum:
            return f"{path} is damaged"
    return None


def _older_problem(aws: Path) -> str | None:
    """The same for what an older release has left: it knew no checksums."""
    for service in _SERVICES:
        path = aws / f"{service}.json"
        if not path.is_file():
            return f"{path} is missing"
    for path in aws.glob("*.json"):
        try:
            json.loads(path.read_bytes())
        except ValueError:
            return f"{path} is damaged"
    return None


def unreadable(state: Path, why: str) -> LocalError:
    """What is said, with the way out, where going on would lose or hide what is there."""
    move = f"mv {shlex.quote(str(state))} {shlex.quote(str(state.with_name(state.name + '.damaged')))}"
    return LocalError(f"The state cannot be read: {why}. Put it back, or start anew: {move}")


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _buckets(saved: Path) -> set[tuple[str, str]]:
    """The buckets of a snapshot, as (account, name)."""
    if not saved.exists():
        return set()
    payload = json.loads(saved.read_bytes())
    payload = payload.get("payload", payload)
    keys = (key.split("\0", 1) for key in payload["buckets_meta"]["data"])
    return {(account, ast.literal_eval(name)) for account, name in keys}


def _tidy(state: Path, buckets: set[tuple[str, str]]) -> Iterator[str]:
    """Leave only objects that the emulator reads as they were acknowledged; returns what is to be told of the rest."""
    s3 = state / "s3"
    for draft in s3.rglob("*.tmp"):
        draft.unlink()
    damaged: list[Path] = []
    for bucket in (path for path in s3.glob("[0-9]*/*") if path.is_dir()):
        if (bucket.parent.name, bucket.name) not in buckets:
            # Made after the snapshot, so by a deployment that did not come to its end: the next one makes it again.
            if any(_is_file(path) for path in bucket.rglob("*")):
                damaged.append(_set_aside(state, bucket))
            else:
                shutil.rmtree(bucket)
            continue
        files = {path for path in bucket.rglob("*") if path.is_file()}
        for path in files:
            if path.name.endswith(_SIDECAR):
                if path.with_name(path.name.removesuffix(_SIDECAR)) not in files and not _meta(path).get(
                    "is_delete_marker"
                ):
                    damaged.append(_set_aside(state, path))
            elif not _mended(s3, bucket, path):
                damaged.append(_set_aside(state, path))
    if damaged:
        first, more = damaged[0], f" and {len(damaged) - 1} more" if damaged[1:] else ""
        yield (
            f"{first.relative_to(state / 'damaged')}{more} could not be read and is in {state / 'damaged'} now."
            " make audit names the files that lack it; delete them: DELETE /files"
        )


def _mended(s3: Path, bucket: Path, path: Path) -> bool:
    """Whether an object has its own bytes, and its sidecar tells which they are. Mends what a kill left half-done."""
    sidecar = path.with_name(path.name + _SIDECAR)
    meta = _meta(sidecar)
    if meta.get("is_delete_marker"):
        return True
    displaced = s3 / _VERSIONS / bucket.relative_to(s3) / str(meta.get("version_id")) / path.relative_to(bucket)
    if displaced.is_file() and displaced.stat().st_size == meta.get("size"):
        # The next version's bytes came, and its sidecar did not; or it went, and these are the same bytes.
        displaced.replace(path)
    return path.stat().st_size == meta.get("size")


def _meta(sidecar: Path) -> dict[str, Any]:
    try:
        meta = json.loads(sidecar.read_bytes())
    except (OSError, ValueError):
        return {}
    return meta if isinstance(meta, dict) else {}


def _set_aside(state: Path, path: Path) -> Path:
    place = state / "damaged" / path.relative_to(state / "s3")
    for each in (path, path.with_name(path.name + _SIDECAR)):
        if each.exists():
            target = place.with_name(each.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                shutil.rmtree(target)
            each.replace(target)
    return place


def _is_file(path: Path) -> bool:
    return path.is_file()
