"""What ``make run`` prints, and where that goes."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import requests

from local.loopback import free_port
from tests.stack import Stack, eventually
from tests.support import ROOT


class TestWhatItPrints:
    def test_has_four_curl_lines_that_work_when_pasted(self, start_stack: Callable[..., Stack]) -> None:
        stack = start_stack()
        lines = [line for line in stack.output.read_text().splitlines() if line.startswith("  ") and "curl" in line]
        assert len(lines) == 4
        pasted = subprocess.run(
            ["bash", "-c", "\n".join(lines)],  # noqa: S607 - the shell of whoever runs the tests
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        file_id, stored, details, deleted = pasted.stdout.splitlines()
        assert json.loads(stored) == json.loads(deleted) == [file_id]
        (file,) = json.loads(details)
        assert (file["name"], file["size"]) == ("README.md", (ROOT / "README.md").stat().st_size)

    def test_has_no_line_that_stores_where_files_are_stored_as_they_arrive(self, storing_stack: Stack) -> None:
        lines = [line for line in storing_stack.output.read_text().splitlines() if "curl" in line]
        assert len(lines) == 3
        assert [line for line in lines if "-X PUT" in line] == []

    def test_has_a_line_per_request_without_anything_secret(self, start_stack: Callable[..., Stack]) -> None:
        stack = start_stack()
        upload = stack.store(size=8)
        assert stack.undo(upload["id"], upload["token"]).status_code == 409
        # The number alone may be the milliseconds of another line.
        refused = re.compile(rf"DELETE /file/{upload['id']} +409 .* ms$", re.MULTILINE)
        eventually(lambda: refused.search(stack.output.read_text()))
        printed = stack.output.read_text().split("Requests:")[1]
        shown = [" ".join(line.split()[1:-2]) for line in printed.splitlines() if line.endswith(" ms")]
        assert shown == [
            "POST /file 200",
            f"PUT to S3 {upload['id']} 200",
            "PUT /files 200",
            f"DELETE /file/{upload['id']} 409",
        ]
        for secret in (stack.outputs["ApiKey"], upload["token"], "X-Amz-Signature"):
            assert secret not in printed


class TestTheTerminal:
    def test_shows_what_strangers_send_as_text(self, start_stack: Callable[..., Stack]) -> None:
        stack = start_stack()
        forged = "/%1b%5b2J%0a12:00:00%20%20PUT%20/files%20200"
        for address in (stack.outputs["WebUrl"].rstrip("/"), stack.outputs["AwsEndpointUrl"]):
            requests.get(address + forged, timeout=60)
        stack.undo("%1b%5b2J%0a", "x" * 43)
        shown = re.compile(r"(?i)DELETE /file/%1b%5b2J%0a +40\d")
        eventually(lambda: shown.search(stack.output.read_text()))
        printed = stack.output.read_bytes() + (stack.state / "emulator.log").read_bytes()
        assert b"\x1b" not in printed
        assert b"GET page /\\u001b[2J\\n12:00:00  PUT /files 200" in printed
        assert not re.search(rb"^12:00:00", printed, re.MULTILINE)


class TestNobodyReadsIt:
    def test_any_more(self, tmp_path: Path) -> None:
        """As after ``make run | head -1``: it ends as by Ctrl-C, and says nothing of pipes."""
        command = [sys.executable, "-m", "local", "--state-dir", str(tmp_path)]
        ports = ["--port", str(free_port()), "--aws-port", str(free_port())]
        with subprocess.Popen(
            [*command, *ports], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            assert "Starting the emulator ...\n" in iter(running.stdout.readline, "")
            running.stdout.close()
            assert running.stderr.read() == ""
            assert running.wait(timeout=60) == 0
        assert not (tmp_path / "outputs.json").exists()
