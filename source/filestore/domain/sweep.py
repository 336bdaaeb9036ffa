"""The sweep: whatever is due is brought to its end, and whatever was interrupted is finished.

Per file that is due, by what its record says: a deleted one loses the objects it still has; an upload that nobody
stored is marked as deleted and loses its object once its lifetime is over; one that never happened loses its record,
unless the bucket has its object after all (S3's event was lost): then it is recorded now. All of it may be repeated at
any point.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from filestore.domain.uploaded import RecordUploads
from filestore.model import URL_MARGIN, Clock, Deletion, File, seconds, timestamp
from filestore.settings import Settings
from filestore.storage.bucket import Bucket
from filestore.storage.repository import SWEEP_SHARDS, Applied, Attempt, FileRepository

# How long the record of an upload that was never stored can be asked about.
_RECORD_RETENTION = 30 * 24 * 3600


@dataclass(slots=True)
class Swept:
    """What a sweep did. ``finished`` is False where something is left; the next one goes on.

    ``failures`` are why shards were left as they were, one for each; the others were swept all the same. ``due`` is how
    many files it found due, ``oldest`` for how many seconds the first of them had been.
    """

    due: int = 0
    oldest: int = 0
    expired: int = 0
    deleted: int = 0
    adopted: int = 0
    placeholders: int = 0
    versions: int = 0
    finished: bool = True
    failures: list[Exception] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Sweeps."""

    files: FileRepository
    bucket: Bucket
    record_uploads: RecordUploads
    settings: Settings
    clock: Clock

    def __call__(self, has_time: Callable[[], bool]) -> Swept:
        """Handle every file that is due, page by page while ``has_time()``."""
        swept = Swept()
        now = int(self.clock())
        # In another order each time, so that a backlog or a fault in one shard does not hold up the same others always.
        for shard in random.sample(SWEEP_SHARDS, len(SWEEP_SHARDS)):
            try:
                in_time = self._sweep_shard(shard, now, swept, has_time)
            except Exception as failure:
                failure.add_note(f"shard {shard}")
                swept.failures.append(failure)
                swept.finished = False
            else:
                if not in_time:
                    swept.finished = False
                    break
        return swept

    def _sweep_shard(self, shard: str, now: int, swept: Swept, has_time: Callable[[], bool]) -> bool:
        """Handle the files of this shard that are due; answers whether there was time for all of them."""
        for page in self.files.due(shard, now=now):
            if not has_time():
                return False
            swept.due += len(page)
            swept.oldest = max([swept.oldest, *(now - file.sweep_at for file in page if file.sweep_at is not None)])
            self._sweep(page, now, swept)
        return True

    def _sweep(self, page: Sequence[File], now: int, swept: Swept) -> None:
        self._end_uploads([file for file in page if file.uploaded_at is None and file.deletion is None], swept)
        unstored = [file for file in page if file.uploaded_at is not None and file.deletion is None]
        expired = self._expire(self._put_off(unstored, now), now)
        swept.expired += len(expired)
        self._finish([*expired, *(file for file in page if file.deletion is not None)], now, swept)

    def _end_uploads(self, placeholders: Sequence[File], swept: Swept) -> None:
        versions = self.bucket.versions([file.id for file in placeholders])
        # What is too large is not recorded but removed, and S3 may refuse that for longer than TTL waits.
        self.files.keep_placeholders(file_id for file_id, found in versions.items() if found)
        recorded = self.record_uploads((version for found in versions.values() for version in found), are_due=True)
        swept.adopted += recorded.recorded
        swept.versions += recorded.removed
        removed = self.files.remove_placeholders(file_id for file_id, found in versions.items() if not found)
        swept.placeholders += len(_applied(removed))

    def _put_off(self, unstored: Sequence[File], now: int) -> list[File]:
        """Give the uploads that live on the time that they live to; answers the others."""
        lifetime = self.settings.unstored_file_lifetime
        live_to = {file.id: int(seconds(file.uploaded_at)) + lifetime for file in unstored if file.uploaded_at}
        self.files.sweep_later({file_id: at for file_id, at in live_to.items() if at > now}, deleted=False)
        return [file for file in unstored if live_to[file.id] <= now]

    def _expire(self, unstored: Sequence[File], now: int) -> list[File]:
        marked = _applied(self.files.expire((file.id for file in unstored), deleted_at=timestamp(now)))
        return [file for file in unstored if file.id in marked]

    def _finish(self, deleted: Iterable[File], now: int, swept: Swept) -> None:
        files = {file.id: file for file in deleted}
        versions = self.bucket.versions(list(files))
        found = [version for of_file in versions.values() for version in of_file]
        remaining = self.bucket.delete(found)
        swept.versions += sum(version.key not in remaining for version in found)
        gone = [files[file_id] for file_id in versions if file_id not in remaining]
        # While the upload URL works, more may come: look again when it is dead.
        alive = {file.id: file.url_expires_at + URL_MARGIN for file in gone if file.url_expires_at + URL_MARGIN > now}
        self.files.sweep_later(alive, deleted=True)
        finished = self.files.finish_deletion(
            {
                file.id: None if file.deletion is Deletion.REQUESTED else now + _RECORD_RETENTION
                for file in gone
                if file.id not in alive
            }
        )
        swept.deleted += len(_applied(finished))


def _applied(attempts: dict[str, Attempt]) -> set[str]:
    return {file_id for file_id, attempt in attempts.items() if isinstance(attempt, Applied)}
