"""The sweep: whatever is due is brought to its end, and whatever was interrupted is finished.

Per file that is due, by what its record says: a deleted one loses the objects it still has; an upload that nobody
stored is marked as deleted and loses its object once its lifetime is over; one that the bucket has but no record
(S3's event was lost) is recorded now; one that never happened loses its record. S3 looks at a URL's expiry when a
request begins and acknowledges what ends hours later, so a pending record and a deleted file stay in the sweep until no
upload can still be on its way (LateUploadMargin). One in parts that nobody went on with for so long is marked as
expired and aborted, until S3 has nothing of it. All of it may be repeated at any point.

S3 may also have uploads in parts of which there is no record: POST /file was interrupted. Each sweep asks for the
list once (a page of 1000 costs as much as the query of a shard, ten pages are the most) and aborts those.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from filestore.domain.clock import Clock, seconds, timestamp
from filestore.domain.file import Deletion, File, ObjectVersion, is_file_id
from filestore.domain.lifecycle import OVER, PENDING, UPLOADED, State
from filestore.domain.multipart import Unfinished, lease_ends_at
from filestore.domain.outcome import Applied, Attempt
from filestore.settings import Settings
from filestore.use_cases.uploaded import RecordUploads

if TYPE_CHECKING:
    from filestore.domain.ports import Bucket, DueFiles, Files, MultipartUploads

# How long the record of an upload that was never stored can be asked about.
_RECORD_RETENTION = 30 * 24 * 3600
# A record is written within a minute after its upload in parts was begun.
_ORPHAN_AGE = 3600


@dataclass(slots=True)
class Swept:
    """What a sweep did. ``finished`` is False where something is left; the next one goes on.

    ``failures`` are why shards, or the uploads without a record, were left as they were; the others were swept all the
    same. ``due`` is how many files it found due, ``oldest`` for how many seconds the first of them had been.
    """

    due: int = 0
    oldest: int = 0
    expired: int = 0
    deleted: int = 0
    adopted: int = 0
    pending_removed: int = 0
    versions: int = 0
    aborted: int = 0
    finished: bool = True
    failures: list[Exception] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Sweeps."""

    files: Files
    due: DueFiles
    bucket: Bucket
    uploads: MultipartUploads
    record_uploads: RecordUploads
    settings: Settings
    late_upload_margin: int
    clock: Clock

    def sweep(self, has_time: Callable[[], bool]) -> Swept:
        """Handle every file that is due, page by page while ``has_time()``."""
        swept = Swept()
        now = int(self.clock())
        # In another order each time, so that a backlog or a fault in one shard does not hold up the same others always.
        for shard in random.sample(self.due.shards, len(self.due.shards)):
            try:
                in_time = self._sweep_shard(shard, now, swept, has_time)
            except Exception as failure:
                failure.add_note(f"shard {shard}")
                swept.failures.append(failure)
                swept.finished = False
            else:
                if not in_time:
                    swept.finished = False
                    return swept
        try:
            swept.finished = self._end_orphans(now, swept, has_time) and swept.finished
        except Exception as failure:
            failure.add_note("uploads without a record")
            swept.failures.append(failure)
            swept.finished = False
        return swept

    def _sweep_shard(self, shard: str, now: int, swept: Swept, has_time: Callable[[], bool]) -> bool:
        """Handle the files of this shard that are due; returns whether there was time for all of them."""
        for page in self.due.pages(shard, now=now):
            if not has_time():
                return False
            swept.due += len(page)
            swept.oldest = max([swept.oldest, *(now - file.sweep_at for file in page if file.sweep_at is not None)])
            self._sweep(page, now, swept)
        return True

    def _sweep(self, page: Sequence[File], now: int, swept: Swept) -> None:
        self._end_pending([file for file in page if file.state is State.PENDING], now, swept)
        expired = self._expire(self._put_off([file for file in page if file.state is State.UPLOADED], now), now)
        swept.expired += len(expired)
        self._finish([*expired, *(file for file in page if file.state in OVER)], now, swept)

    def _end_pending(self, pending: Sequence[File], now: int, swept: Swept) -> None:
        """Record the uploads whose event was lost, and remove the records of those that can never come."""
        closes_at = {file.id: self._closes_at(file) for file in pending}
        versions = self.bucket.versions(list(closes_at))
        self._adopt(versions, swept)
        none = [file_id for file_id, found in versions.items() if not any(version.is_lasting for version in found)]
        self.due.sweep_later({file_id: closes_at[file_id] for file_id in none if closes_at[file_id] > now}, PENDING)
        over = [file for file in pending if file.id in versions and closes_at[file.id] <= now]
        self._remove({file.id: versions[file.id] for file in over if file.upload_id is None}, now, swept)
        self._abandon([file for file in over if file.upload_id is not None and file.id in none], now, swept)

    def _adopt(self, versions: Mapping[str, Sequence[ObjectVersion]], swept: Swept) -> None:
        # What is too large is not recorded but removed, and S3 may refuse that for longer than TTL waits.
        self.due.keep_pending(file_id for file_id, found in versions.items() if found)
        uploads = (version for found in versions.values() for version in found)
        recorded = self.record_uploads.record(uploads, are_due=True)
        swept.adopted += recorded.recorded
        swept.versions += recorded.removed

    def _remove(self, over: Mapping[str, Sequence[ObjectVersion]], now: int, swept: Swept) -> None:
        # What came while the bucket was not versioned yet is no file, and nothing else can come in its place any more.
        hopeless = [found for found in over.values() if not any(self._may_be_a_file(each) for each in found)]
        unwanted = [version for found in hopeless for version in found if not version.is_lasting]
        remaining = self.bucket.delete(unwanted)
        swept.versions += sum(version.key not in remaining for version in unwanted)
        removed = self.due.remove_pending((file_id for file_id, found in over.items() if not found), now=now)
        swept.pending_removed += len(_applied(removed))

    def _abandon(self, over: Sequence[File], now: int, swept: Swept) -> None:
        """End uploads in parts that nobody went on with: what S3 has of them goes once the record says so."""
        marked = _applied(self.due.abandon((file.id for file in over), deleted_at=timestamp(now), now=now))
        swept.expired += len(marked)
        self._finish(
            [file._replace(deletion=Deletion.EXPIRED, deleted_at=timestamp(now)) for file in over if file.id in marked],
            now,
            swept,
        )

    def _end_orphans(self, now: int, swept: Swept, has_time: Callable[[], bool]) -> bool:
        """Abort the uploads in parts that no pending record is about; returns whether there was time for all."""
        for page in self.uploads.unfinished():
            if not has_time():
                return False
            old = [each for each in page if is_file_id(each.key) and each.begun_at < now - _ORPHAN_AGE]
            found, throttled = self.files.get(list(dict.fromkeys(each.key for each in old)))
            orphans = [each for each in old if each.key not in throttled and not _is_of(each, found.get(each.key))]
            remaining = self.uploads.end([(each.key, each.upload_id) for each in orphans])
            swept.aborted += sum(each.key not in remaining for each in orphans)
        return True

    def _may_be_a_file(self, version: ObjectVersion) -> bool:
        return version.is_lasting and version.size <= self.settings.max_file_size

    def _closes_at(self, file: File) -> int:
        """When no upload to the file's URL can be on its way any more."""
        return lease_ends_at(file, self.late_upload_margin)

    def _put_off(self, uploaded: Sequence[File], now: int) -> list[File]:
        """Give the uploads that live on the time that they live to; returns the others."""
        lifetime = self.settings.unstored_file_lifetime
        live_to = {file.id: int(seconds(file.uploaded_at)) + lifetime for file in uploaded if file.uploaded_at}
        self.due.sweep_later({file_id: at for file_id, at in live_to.items() if at > now}, UPLOADED)
        return [file for file in uploaded if live_to[file.id] <= now]

    def _expire(self, uploaded: Sequence[File], now: int) -> list[File]:
        marked = _applied(self.due.expire((file.id for file in uploaded), deleted_at=timestamp(now)))
        return [file for file in uploaded if file.id in marked]

    def _finish(self, deleted: Iterable[File], now: int, swept: Swept) -> None:
        deleted = list(deleted)
        files = {file.id: file for file in deleted}
        unfinished = [upload for upload in (file.unfinished_upload for file in deleted) if upload]
        # First, so that no object comes of it after the list of versions.
        left = self.uploads.end(unfinished)
        swept.aborted += len(unfinished) - len(left)
        versions = self.bucket.versions(list(files))
        found = [version for of_file in versions.values() for version in of_file]
        remaining = self.bucket.delete(found)
        swept.versions += sum(version.key not in remaining for version in found)
        gone = [files[file_id] for file_id in versions if file_id not in remaining | left]
        # More may come: look again when that is over.
        alive = {file.id: self._closes_at(file) for file in gone if self._closes_at(file) > now}
        self.due.sweep_later(alive, OVER)
        finished = self.due.finish_deletion(
            {
                file.id: None if file.deletion is Deletion.REQUESTED else now + _RECORD_RETENTION
                for file in gone
                if file.id not in alive
            }
        )
        swept.deleted += len(_applied(finished))


def _applied(attempts: dict[str, Attempt]) -> set[str]:
    return {file_id for file_id, attempt in attempts.items() if isinstance(attempt, Applied)}


def _is_of(upload: Unfinished, file: File | None) -> bool:
    """Whether a record is about this upload, or will have seen to it: one that is over is the sweep's own."""
    return file is not None and file.upload_id == upload.upload_id and (file.sweep_at is not None)
