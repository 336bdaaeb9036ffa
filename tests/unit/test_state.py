"""The emulator's state on disk: whatever is damaged, what was before it takes over, or it is said what to do."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from local import state, writes
from local.errors import LocalError

ACCOUNT = "000000000000"
SERVICES = ("apigateway_v1", "cloudformation", "dynamodb", "iam", "lambda", "s3", "sqs")

DAMAGES: dict[str, Any] = {
    "cut to half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "without its last byte": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "cut to one byte": lambda path: path.write_bytes(path.read_bytes()[:1]),
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"\0\xff{garbage" * 9),
    "missing": lambda path: path.unlink(),
}


def saved(service: str) -> str:
    payload: dict[str, Any] = (
        {"buckets_meta": {"data": {f"{ACCOUNT}\0'files'": {}}}} if service == "s3" else {"of": service}
    )
    return json.dumps({"__ministack_format__": 2, "payload": payload})


def snapshot(aws: Path, number: int) -> None:
    draft = state.draft_folder(aws, number)
    (draft / "lambda-blobs").mkdir(parents=True)
    (draft / "lambda-blobs" / "code.zip").write_bytes(b"code" * number)
    for service in SERVICES:
        (draft / f"{service}.json").write_text(saved(service))
    state.seal(draft, state.snapshot_folder(aws, number))
    writes.file_of(aws, number).write_bytes(writes.line({"write": "PutItem", "body": f"{number}"}))


def put(folder: Path, key: str, contents: bytes, **more: object) -> Path:
    path = folder / "s3" / ACCOUNT / "files" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(contents)
    meta = {"size": len(contents), "version_id": "v1", "versions": [{"version_id": "v1"}], "key": key}
    path.with_name(key + ".meta.json").write_text(json.dumps(meta | more))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two snapshots and an object."""
    for number in (6, 7):
        snapshot(tmp_path / "aws", number)
    put(tmp_path, "key", b"contents")
    return tmp_path


def entries(folder: Path, number: int) -> list[object]:
    return list(writes.since(folder / "aws", number))


class TestSnapshots:
    def test_the_newest_is_taken(self, folder: Path) -> None:
        found = state.open_state(folder)
        assert (found.number, found.notes) == (7, [])
        assert found.snapshot == folder / "aws" / "000007"
        assert entries(folder, 7) == [{"write": "PutItem", "body": "7"}]

    @pytest.mark.parametrize("damage", DAMAGES)
    def test_a_damaged_one_leaves_its_place_to_the_one_before_and_the_writes_since(
        self, folder: Path, tmp_path: Path, damage: str
    ) -> None:
        """Each of its files in turn."""
        files = sorted(path.relative_to(folder) for path in (folder / "aws" / "000007").rglob("*") if path.is_file())
        assert len(files) == len(SERVICES) + 2
        for number, name in enumerate(files):
            copy = tmp_path / f"copy{number}"
            shutil.copytree(folder / "aws", copy / "aws")
            shutil.copytree(folder / "s3", copy / "s3")
            DAMAGES[damage](copy / name)
            found = state.open_state(copy)
            assert found.number == 6
            (note,) = found.notes
            assert note.startswith(str(copy / name))
            assert note.endswith("The snapshot before it and the writes since take its place.")
            assert entries(copy, 6) == [{"write": "PutItem", "body": "6"}, {"write": "PutItem", "body": "7"}]

    def test_a_whole_one_that_is_gone_does_not_hide(self, folder: Path) -> None:
        shutil.rmtree(folder / "aws" / "000007")
        assert state.open_state(folder).number == 6
        assert len(entries(folder, 6)) == 2

    def test_where_none_can_be_read_the_way_out_is_named_and_works(self, folder: Path) -> None:
        for number in (6, 7):
            (folder / "aws" / f"{number:06}" / "dynamodb.json").unlink()
        with pytest.raises(LocalError) as refused:
            state.open_state(folder)
        assert str(refused.value) == (
            f"The state cannot be read: {folder}/aws/000007/dynamodb.json is missing."
            f" Put it back, or start anew: mv {folder} {folder}.damaged"
        )
        folder.rename(f"{folder}.damaged")
        assert state.open_state(folder).number == 0

    @pytest.mark.parametrize("gone", ["aws", "s3"])
    def test_records_without_objects_and_objects_without_records_are_no_empty_stack(
        self, folder: Path, gone: str
    ) -> None:
        shutil.rmtree(folder / gone)
        with pytest.raises(LocalError, match="Put it back, or start anew: mv"):
            state.open_state(folder)

    def test_a_draft_is_swept_away(self, folder: Path) -> None:
        draft = state.draft_folder(folder / "aws", 8)
        draft.mkdir()
        assert state.open_state(folder).number == 7
        assert not draft.exists()

    def test_only_those_asked_for_are_kept(self, folder: Path) -> None:
        snapshot(folder / "aws", 8)
        state.prune(folder / "aws", [8, 7])
        names = sorted(path.name for path in (folder / "aws").iterdir())
        assert names == ["000007", "000007.writes", "000008", "000008.writes"]


class TestFirstStart:
    def test_begins_with_an_empty_snapshot(self, tmp_path: Path) -> None:
        found = state.open_state(tmp_path)
        assert (found.number, found.notes) == (0, [])
        assert entries(tmp_path, 0) == []

    def test_that_did_not_come_to_its_end_begins_again(self, tmp_path: Path) -> None:
        """A half-made deployment has its bucket already, and the next one could not make it."""
        state.open_state(tmp_path)
        writes.file_of(tmp_path / "aws", 0).write_bytes(writes.line({"write": "PutItem"}))
        put(tmp_path, "code", b"code")
        assert state.open_state(tmp_path).number == 0
        assert not (tmp_path / "s3").exists()
        assert entries(tmp_path, 0) == []


class TestFolderOfAnEarlierRelease:
    @pytest.fixture
    def earlier(self, tmp_path: Path) -> Path:
        (tmp_path / "aws" / "lambda-blobs").mkdir(parents=True)
        for service in SERVICES:
            (tmp_path / "aws" / f"{service}.json").write_text(saved(service))
        put(tmp_path, "key", b"contents")
        return tmp_path

    def test_is_gone_on_from(self, earlier: Path) -> None:
        found = state.open_state(earlier)
        assert (found.snapshot, found.number, found.notes) == (earlier / "aws", 0, [])

    @pytest.mark.parametrize("damage", DAMAGES)
    @pytest.mark.parametrize("service", SERVICES)
    def test_says_what_is_damaged(self, earlier: Path, service: str, damage: str) -> None:
        DAMAGES[damage](earlier / "aws" / f"{service}.json")
        with pytest.raises(LocalError, match=rf"{service}\.json is (damaged|missing)\. Put it back, or start anew: mv"):
            state.open_state(earlier)

    def test_is_left_behind_with_the_first_snapshot(self, earlier: Path) -> None:
        snapshot(earlier / "aws", 1)
        state.prune(earlier / "aws", [1])
        assert sorted(path.name for path in (earlier / "aws").iterdir()) == ["000001", "000001.writes"]


class TestWrites:
    @pytest.fixture
    def written(self, folder: Path) -> Path:
        file = writes.file_of(folder / "aws", 7)
        file.write_bytes(b"".join(writes.line({"write": "PutItem", "body": f"é{number}"}) for number in range(9)))
        return file

    def test_come_back_in_their_order(self, written: Path) -> None:
        assert [entry["body"] for entry in entries(written.parents[1], 7)] == [f"é{number}" for number in range(9)]  # type: ignore[index]

    def test_one_that_was_cut_off_is_told(self, folder: Path, written: Path) -> None:
        for cut in (1, 5, 20):
            text = written.read_bytes()
            written.write_bytes(text[:-cut])
            *whole, told = entries(folder, 7)
            assert len(whole) == 8
            assert told == f"{written} is damaged: 1 of its 9 lines are lost"
            written.write_bytes(text)

    def test_one_that_is_damaged_does_not_take_the_others_with_it(self, folder: Path, written: Path) -> None:
        text = bytearray(written.read_bytes())
        text[len(text) // 2] ^= 1
        written.write_bytes(text)
        *whole, told = entries(folder, 7)
        assert len(whole) == 8
        assert told == f"{written} is damaged: 1 of its 9 lines are lost"

    def test_a_file_that_is_missing_is_told(self, folder: Path) -> None:
        writes.file_of(folder / "aws", 6).unlink()
        told, *rest = entries(folder, 6)
        assert told == f"{folder}/aws/000006.writes is missing: the writes in it, if any, are lost"
        assert len(rest) == 1

    def test_the_last_file_is_missed_by_the_one_before(self, folder: Path) -> None:
        before, after = writes.file_of(folder / "aws", 7), writes.file_of(folder / "aws", 8)
        before.write_bytes(before.read_bytes() + writes.line({"next": 8}))
        assert entries(folder, 7)[1:] == [f"{after} is missing: the writes in it, if any, are lost"]
        after.touch()
        assert entries(folder, 7)[1:] == [f"{after} is empty: the writes in it, if any, are lost"]

    def test_lines_that_are_gone_are_missed_by_the_next_file(self, folder: Path) -> None:
        before, after = writes.file_of(folder / "aws", 6), writes.file_of(folder / "aws", 7)
        before.write_bytes(before.read_bytes() * 2)
        after.write_bytes(writes.line({"follows": before.stat().st_size}))
        before.write_bytes(before.read_bytes()[: before.stat().st_size // 2])
        assert entries(folder, 6)[1:] == [f"{before} was cut off: the writes at its end are lost"]


class TestObjects:
    @pytest.mark.parametrize("damage", DAMAGES)
    @pytest.mark.parametrize("name", ["key", "key.meta.json"])
    def test_one_that_is_damaged_is_put_aside_and_told(self, folder: Path, name: str, damage: str) -> None:
        path = folder / "s3" / ACCOUNT / "files" / name
        DAMAGES[damage](path)
        put(folder, "other", b"whole")
        (note,) = state.open_state(folder).notes
        assert note.startswith(f"{ACCOUNT}/files/key")
        assert "make audit names the files that lack it; delete them: DELETE /files" in note
        left = {path.name for path in (folder / "s3").rglob("*") if path.is_file()}
        assert left == {"other", "other.meta.json"}
        assert any((folder / "damaged").rglob("key*"))

    def test_the_bytes_of_another_version_are_exchanged_for_its_own(self, folder: Path) -> None:
        """Killed between the next version's bytes and what is known of them: nobody acknowledged that one."""
        path = folder / "s3" / ACCOUNT / "files" / "key"
        displaced = folder / "s3" / ".versions" / ACCOUNT / "files" / "v1" / "key"
        displaced.parent.mkdir(parents=True)
        displaced.write_bytes(path.read_bytes())
        path.write_bytes(b"CONTENTS")
        assert state.open_state(folder).notes == []
        assert path.read_bytes() == b"contents"

    def test_drafts_are_swept_away(self, folder: Path) -> None:
        draft = folder / "s3" / ACCOUNT / "files" / "key.tmp"
        draft.touch()
        assert state.open_state(folder).notes == []
        assert not draft.exists()

    def test_a_bucket_that_the_snapshot_does_not_know_is_out_of_the_next_deployments_way(self, folder: Path) -> None:
        (folder / "s3" / ACCOUNT / "half-made").mkdir()
        put(folder, "key", b"contents")
        unknown = folder / "s3" / ACCOUNT / "unknown"
        unknown.mkdir()
        (unknown / "key").write_bytes(b"?")
        (note,) = state.open_state(folder).notes
        assert note.startswith(f"{ACCOUNT}/unknown could not be read and is in {folder}/damaged now.")
        assert [path.name for path in (folder / "s3" / ACCOUNT).iterdir()] == ["files"]
        assert (folder / "damaged" / ACCOUNT / "unknown" / "key").read_bytes() == b"?"
