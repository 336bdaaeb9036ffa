"""What uploads in parts do where something has come in between, port by port."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from filestore.domain.file import Checksum, Deletion, File, ObjectVersion, Receipt, hash_token
from filestore.domain.multipart import Completed, Part
from filestore.domain.outcome import Applied, Attempt, Refused
from filestore.errors import (
    AlreadyUploadedError,
    ChecksumMismatchError,
    NotInPartsError,
    TryAgainError,
    UploadEndedError,
)
from filestore.use_cases.complete import CompleteUpload
from filestore.use_cases.opened import opened
from filestore.use_cases.parts import ShowParts
from filestore.use_cases.sign import SignParts, WantedPart
from tests.unit.test_states import ID, PENDING, THEN

TOKEN = "token"
FILE = PENDING._replace(token_hash=hash_token(TOKEN), upload_id="upload", part_size=5, size=6, url_expires_at=2000)
ENDED = FILE._replace(deleted_at=THEN, deletion=Deletion.UNDONE)
PARTS = [Part(1, 5, "a", "x"), Part(2, 1, "b", "y")]
VERSION = ObjectVersion(ID, "version", size=6, etag="etag")
RECORDED = FILE._replace(uploaded_at=THEN, version_id="version", etag="etag")
RECEIPT = Receipt(Checksum("CRC64NVME", "c"), "s3")


class Ports:
    """The table and S3, as they answer now; ``asked`` is what they were asked for."""

    def __init__(self, file: File = FILE, *, parts: Sequence[Part] | None = PARTS, **answers: Any) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self._file = file
        self._parts = parts
        self._answers = answers

    def get(self, ids: Sequence[str]) -> tuple[dict[str, File], set[str]]:
        return ({}, set(ids)) if self._answers.get("throttled") else ({ID: self._file}, set())

    def parts(self, key: str, upload_id: str) -> Sequence[Part] | None:
        self.asked.append(("parts", key, upload_id))
        return self._parts

    def complete(self, *_: object) -> Completed:
        if self._answers.get("mismatch"):
            raise ChecksumMismatchError("Another.")
        return Completed(self._answers.get("made", VERSION), "c")

    def pin(self, *_: object) -> dict[str, Attempt]:
        return {ID: self._answers["pinned"]}

    def attest(self, upload: ObjectVersion, receipt: Receipt) -> None:
        self.asked.append(("attest", upload, receipt))

    def undo(self, file_id: str, **how: object) -> Attempt:
        self.asked.append(("undo", file_id, how["even_stored"]))
        return Applied(self._file)

    def abort(self, key: str, upload_id: str) -> bool:
        self.asked.append(("abort", key, upload_id))
        return True

    def renew(self, file_id: str, **until: object) -> Attempt:
        self.asked.append(("renew", file_id, until["url_expires_at"]))
        return Applied(self._file)

    def versions(self, _: Sequence[str]) -> dict[str, list[ObjectVersion]]:
        return dict(self._answers.get("versions", {}))

    def part(self, *_: object, **__: object) -> str:
        return "link"

    def complete_upload(self) -> int | None:
        ports: Any = self
        return CompleteUpload(ports, ports, ports, ports, lambda: 1000.5).complete(ID, TOKEN, None)


class TestCompleting:
    def test_tells_how_much_was_recorded(self) -> None:
        assert Ports(pinned=Applied(None)).complete_upload() == 6

    def test_is_not_over_where_what_s3_made_has_no_version(self) -> None:
        """It could be overwritten."""
        with pytest.raises(TryAgainError, match="bucket is not ready"):
            Ports(made=VERSION._replace(version_id="null"), pinned=Applied(None)).complete_upload()

    @pytest.mark.parametrize("checksum", [None, Checksum("CRC64NVME", "c")])
    def test_adds_the_checksum_where_s3s_event_was_first_and_nobody_else_has(self, checksum: Checksum | None) -> None:
        ports = Ports(pinned=Refused(RECORDED._replace(checksum=checksum)))
        assert ports.complete_upload() is None
        attested = [each for each in ports.asked if each[0] == "attest"]
        assert attested == ([("attest", VERSION, RECEIPT)] if checksum is None else [])

    @pytest.mark.parametrize(
        ("current", "error"),
        [(FILE, TryAgainError), (RECORDED._replace(version_id="v"), TryAgainError), (ENDED, UploadEndedError)],
    )
    def test_says_whether_to_repeat_it_where_it_is_not_recorded(self, current: File, error: type[Exception]) -> None:
        with pytest.raises(error):
            Ports(pinned=Refused(current)).complete_upload()

    def test_is_over_where_there_is_no_record_any_more(self) -> None:
        with pytest.raises(UploadEndedError):
            Ports(pinned=Refused(None)).complete_upload()

    def test_gives_up_what_is_not_stored_and_its_parts(self) -> None:
        ports = Ports(mismatch=True)
        with pytest.raises(ChecksumMismatchError):
            ports.complete_upload()
        assert ports.asked[1:] == [("undo", ID, False), ("abort", ID, "upload")]


class TestGoingOn:
    def test_is_asked_again_where_the_record_could_not_be_read(self) -> None:
        files: Any = Ports(throttled=True)
        with pytest.raises(TryAgainError):
            opened(files, ID, TOKEN)

    @pytest.mark.parametrize("lacking", ["upload_id", "part_size", "size"])
    def test_takes_all_that_parts_need(self, lacking: str) -> None:
        without: Any = {lacking: None}
        files: Any = Ports(FILE._replace(**without))
        with pytest.raises(NotInPartsError):
            opened(files, ID, TOKEN)

    @pytest.mark.parametrize(("file", "error"), [(RECORDED, AlreadyUploadedError), (ENDED, UploadEndedError)])
    def test_asks_s3_for_nothing_of_what_is_over(self, file: File, error: type[Exception]) -> None:
        ports: Any = Ports(file)
        with pytest.raises(error):
            ShowParts(ports, ports, ports).show(ID, TOKEN)
        assert ports.asked == []

    @pytest.mark.parametrize(
        ("versions", "error"),
        [({}, TryAgainError), ({ID: [VERSION]}, AlreadyUploadedError), ({ID: []}, UploadEndedError)],
    )
    def test_tells_apart_why_s3_has_no_parts(self, versions: Any, error: type[Exception]) -> None:
        ports: Any = Ports(parts=None, versions=versions)
        with pytest.raises(error):
            ShowParts(ports, ports, ports).show(ID, TOKEN)

    def test_says_how_long_what_was_signed_works(self) -> None:
        ports: Any = Ports()
        settings: Any = SimpleNamespace(signed_url_expiration=900)
        signed: Any = SignParts(ports, ports, settings, lambda: 1000.5).sign(ID, TOKEN, [WantedPart(2)])
        assert signed == ([(2, "link")], "1970-01-01T00:31:40.000Z")
        assert ports.asked == [("renew", ID, 1900)]
