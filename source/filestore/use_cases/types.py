"""The type of an upload that declared none: what the uploader said when it sent the contents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from filestore.domain.file import ObjectVersion
from filestore.domain.media_type import told_by

if TYPE_CHECKING:
    from filestore.domain.ports import Bucket


def types_told(bucket: Bucket, uploads: Sequence[ObjectVersion]) -> tuple[dict[str, str | None], set[str]]:
    """Ask for the types of uploads. Returns them by file id, and the ids of uploads that are not there any more.

    None is a type that says nothing. An id that is in neither was throttled or refused.
    """
    told = bucket.content_types(uploads)
    types = {file_id: told_by(header) for file_id, header in told.items() if header is not None}
    return types, {file_id for file_id, header in told.items() if header is None}
