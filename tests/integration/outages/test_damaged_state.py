"""A state that is damaged, and the snapshots that it is made of."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local import state
from local.emulator import Emulator
from local.errors import LocalError
from tests.stack import Stack, eventually
from tests.support import ROOT
from tests.unit.test_state import DAMAGES


class TestDamagedState:
    @pytest.mark.parametrize("name", ["dynamodb.json", "s3.json", "manifest.json"])
    def test_loses_nothing_where_it_is_the_newest_snapshot(
        self, stopped: tuple[Stack, str, str], folder: Path, emulator: Emulator, notes: list[str], name: str
    ) -> None:
        stack, stored, deleted = stopped
        newest = max(path for path in (folder / "aws").iterdir() if path.is_dir())
        DAMAGES["cut to half"](newest / name)
        emulator.start()
        (note,) = notes
        assert note.startswith(f"{newest / name} is damaged. The snapshot before it")
        assert stack.download(stored) == b"kept" * 100
        assert "deleted_at" in (stack.details(deleted) or {})
        eventually(lambda: stack.findings() == [])

    @pytest.mark.parametrize("damage", DAMAGES)
    def test_tells_of_writes_that_are_lost(
        self, stopped: tuple[Stack, str, str], folder: Path, emulator: Emulator, notes: list[str], damage: str
    ) -> None:
        stack, stored, _ = stopped
        newest = max((folder / "aws").glob("*.writes"))
        DAMAGES[damage](newest)
        emulator.start()
        assert stack.download(stored) == b"kept" * 100
        (note,) = notes
        assert note.startswith(f"{newest} is ")
        assert note.endswith(" lost.")

    @pytest.mark.parametrize("name", ["", ".meta.json"])
    def test_an_object_that_is_damaged_is_told_with_a_way_out_that_works(
        self, stopped: tuple[Stack, str, str], folder: Path, emulator: Emulator, notes: list[str], name: str
    ) -> None:
        stack, stored, _ = stopped
        (path,) = (folder / "s3").glob(f"[0-9]*/*/{stored}{name}")
        DAMAGES["cut to half"](path)
        emulator.start()
        (note,) = notes
        assert f"/{stored} could not be read and is in {folder}/damaged now." in note
        assert {finding.kind for finding in stack.findings()} == {"lost"}
        assert stack.files("DELETE", [stored]).json() == [stored]
        assert stack.findings() == []

    def test_is_not_passed_over_where_this_emulator_cannot_read_it(self, folder: Path, emulator: Emulator) -> None:
        """It would begin anew with the others as they were: a bucket without its table."""
        newest = max(path for path in (folder / "aws").iterdir() if path.is_dir())
        saved = json.loads((newest / "dynamodb.json").read_text())
        (newest / "dynamodb.json").write_text(json.dumps(saved | {"__ministack_format__": 99}))
        (newest / "manifest.json").unlink()
        draft = newest.rename(folder / "aws" / "newer")
        state.seal(draft, newest)
        with pytest.raises(LocalError, match=r"The state cannot be read: .*dynamodb.*start anew: mv"):
            emulator.start()

    def test_can_be_moved_away(self, stopped: tuple[Stack, str, str], folder: Path) -> None:
        """What cannot be read is told by make run in one line, and doing as it says helps."""
        for snapshot in (path for path in (folder / "aws").iterdir() if path.is_dir()):
            (snapshot / "dynamodb.json").unlink()
        command = [sys.executable, "-m", "local", "--state-dir", str(folder), "--port", str(stopped[0].port)]
        command += ["--aws-port", str(stopped[0].aws_port)]
        refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert refused.returncode == 1
        (line,) = refused.stderr.splitlines()
        advice = line.partition("start anew: ")[2]
        assert advice == f"mv {folder} {folder}.damaged"
        subprocess.run(advice.split(), check=True)
        again = Stack(folder)
        again.start()
        assert again.download(again.store(b"anew")["id"]) == b"anew"
        assert again.stop() == 0


class TestSnapshots:
    def test_are_made_of_what_else_has_changed(self, emulator: Emulator, folder: Path) -> None:
        """A key that an operator made is no record, and is not lost either."""
        emulator.start()
        emulator.save()
        before = state.newest(folder / "aws")
        made = emulator.client("apigateway").create_api_key(name="made by hand", enabled=True)
        eventually(lambda: state.newest(folder / "aws") > before)
        os.kill(emulator.pid, signal.SIGKILL)
        emulator.stop()
        emulator.start()
        assert made["id"] in [key["id"] for key in emulator.client("apigateway").get_api_keys()["items"]]

    def test_follow_each_other_where_the_writes_are_gone(self, emulator: Emulator, folder: Path) -> None:
        """A lower number would be taken for an older one."""
        for file in (folder / "aws").glob("*.writes"):
            file.unlink()
        before = state.newest(folder / "aws")
        emulator.start()
        emulator.save()
        assert state.newest(folder / "aws") > before
