"""Compares the bucket with the table: every object version belongs to a file, and every file has its own.

Reads only, page by page. What differs is read a second time before it is reported, as files come and go meanwhile.
Uploads in parts that are not finished are listed with the bytes that S3 has of them, and bills.
Exit status 1 if something differs that no sweep will put right.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.terminal import printable
from ops import target
from ops.errors import run
from ops.ids import is_file_id

_PROGRESS_EVERY = 10_000

FINDINGS = {
    "lost": "the record names a version that the bucket does not have",
    "orphan": "there is no record of this file",
    "overwrite": "the file is another version; S3's event of this one has not been handled",
    "foreign": "the key is not a file's id",
    "unseen": "the upload is not recorded yet; its event or the sweep does it",
    "unfinished": "the file is deleted; the sweep removes this version",
}
WRONG = frozenset({"lost", "orphan", "overwrite"})


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A version that does not match, and why: one of FINDINGS."""

    kind: str
    key: str
    version_id: str


@dataclass(frozen=True, slots=True, order=True)
class InParts:
    """An upload in parts that is not finished, since when, and the bytes that S3 has of it."""

    begun_at: str
    key: str
    size: int


@dataclass(frozen=True, slots=True)
class _Record:
    version_id: str | None
    deleted: bool


class Audit:
    """One comparison."""

    def __init__(self, stack: target.Target) -> None:
        self._s3 = stack.client("s3")
        self._dynamodb = stack.client("dynamodb")
        self._bucket = stack.outputs["StorageBucketName"]
        self._table = stack.outputs["TableName"]
        self.versions = 0
        self.files = 0

    def run(self) -> list[Finding]:
        """What differs, looked at twice."""
        records = dict(self._records())
        self.files = sum(_has_object(record) for record in records.values())
        missing = {(key, record.version_id) for key, record in records.items() if _has_object(record)}
        suspects = set()
        for key, version_id in self._versions():
            self.versions += 1
            if (key, version_id) in missing:
                missing.discard((key, version_id))
            else:
                suspects.add(key)
        suspects.update(key for key, _ in missing)
        return sorted(finding for key in suspects for finding in self._look_again(key))

    def uploads(self) -> list[InParts]:
        """Uploads in parts that are not finished, the oldest first."""
        pages = self._s3.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket)
        return sorted(
            InParts(f"{each['Initiated']:%Y-%m-%dT%H:%M:%SZ}", each["Key"], self._size(each["Key"], each["UploadId"]))
            for page in pages
            for each in page.get("Uploads", [])
        )

    def _size(self, key: str, upload_id: str) -> int:
        pages = self._s3.get_paginator("list_parts").paginate(Bucket=self._bucket, Key=key, UploadId=upload_id)
        try:
            return sum(part["Size"] for page in pages for part in page.get("Parts", []))
        except self._s3.exceptions.NoSuchUpload:
            # It ended meanwhile.
            return 0

    def _records(self) -> Iterator[tuple[str, _Record]]:
        """Every record, with the little of it that matters."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table, ProjectionExpression="id, version_id, deleted_at", ConsistentRead=True
        )
        for number, item in enumerate((item for page in pages for item in page["Items"]), 1):
            _progress("records", number)
            yield item["id"]["S"], _record(item)

    def _versions(self, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Every version in the bucket; delete markers count, for Filestore makes none."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
        listed = (each for page in pages for kind in ("Versions", "DeleteMarkers") for each in page.get(kind, []))
        for number, version in enumerate(listed, 1):
            if not prefix:
                _progress("object versions", number)
            yield version["Key"], version["VersionId"]

    def _look_again(self, key: str) -> Iterator[Finding]:
        if not is_file_id(key):
            yield from (Finding("foreign", key, version) for other, version in self._versions(key) if other == key)
            return
        versions = {version for other, version in self._versions(key) if other == key}
        item = self._dynamodb.get_item(TableName=self._table, Key={"id": {"S": key}}, ConsistentRead=True).get("Item")
        record = _record(item) if item else None
        if record and _has_object(record) and record.version_id not in versions:
            yield Finding("lost", key, str(record.version_id))
        for version in versions:
            kind = _kind(record, version)
            if kind:
                yield Finding(kind, key, version)


def _kind(record: _Record | None, version_id: str) -> str | None:
    if record is None:
        return "orphan"
    if record.deleted:
        return "unfinished"
    if record.version_id is None:
        return "unseen"
    return None if record.version_id == version_id else "overwrite"


def _has_object(record: _Record) -> bool:
    return record.version_id is not None and not record.deleted


def _record(item: dict[str, Any]) -> _Record:
    return _Record(item.get("version_id", {}).get("S"), "deleted_at" in item)


def _progress(what: str, number: int) -> None:
    if number % _PROGRESS_EVERY == 0:
        print(f"{number} {what} ...", file=sys.stderr, flush=True)


def main() -> int:
    """Return the exit status."""
    stack = target.find(target.parser(__doc__).parse_args())
    audit = Audit(stack)
    findings = audit.run()
    for finding in findings:
        print(f"{finding.kind:10} {printable(finding.key)} {finding.version_id}")
    counts = Counter(finding.kind for finding in findings)
    uploads = audit.uploads()
    for upload in uploads:
        print(f"{'in parts':10} {printable(upload.key)} {upload.size} bytes since {upload.begun_at}")
    print(
        f"{len(uploads)} uploads in parts are not finished, of which S3 has {sum(each.size for each in uploads)} bytes"
    )
    print(f"{audit.versions} object versions, {audit.files} files with an object")
    for kind, count in sorted(counts.items()):
        print(f"{count} {kind}: {FINDINGS[kind]}")
    if not findings:
        print("Nothing differs.")
    return 1 if counts.keys() & WRONG else 0


if __name__ == "__main__":
    sys.exit(run(main))
