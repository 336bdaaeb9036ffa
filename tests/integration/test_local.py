"""``make run``: what survives a stop, what may run side by side, and how it fails."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
import requests

from bench.processes import free_port
from tests.stack import Stack, eventually
from tests.support import ROOT


def run(state: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """``python -m local`` where it is expected to give up."""
    ports = [] if "--port" in options else ["--port", str(free_port()), "--aws-port", str(free_port())]
    return subprocess.run(
        [sys.executable, "-m", "local", "--state-dir", state, *ports, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def processes_of(stack: Stack) -> list[str]:
    """The processes that have a stack's port among their arguments, or its folder in their environment."""
    marks = [str(stack.aws_port).encode(), str(stack.state).encode()]
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid():
            try:
                arguments = (process / "cmdline").read_bytes()
                known = arguments.split(b"\0") + (process / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(mark in entry for mark in marks for entry in known):
                found.append(arguments.decode())
    return found


class TestStopping:
    def test_keeps_files_records_and_key_for_the_next_run(self, start_stack: Callable[..., Stack]) -> None:
        stack = start_stack()
        key = stack.outputs["ApiKey"]
        stored, waiting = stack.store(b"kept"), stack.upload(b"waiting")
        assert stack.stop() == 0
        stack.start()
        assert stack.outputs["ApiKey"] == key
        assert stack.download(stored["id"]) == b"kept"
        assert stack.files("PUT", [waiting["id"]]).json() == [waiting["id"]]
        assert stack.download(waiting["id"]) == b"waiting"
        assert stack.files("PUT", [waiting["id"]], headers={}).status_code == 403
        assert stack.post_file({}).json()["code"] == "invalid_body"

    def test_leaves_neither_processes_nor_outputs(self, start_stack: Callable[..., Stack]) -> None:
        stack = start_stack()
        stack.store()
        assert (stack.state / "outputs.json").stat().st_mode & 0o777 == 0o600
        assert processes_of(stack)
        assert stack.stop() == 0
        assert not (stack.state / "outputs.json").exists()
        assert processes_of(stack) == []

    def test_leaves_no_process_even_when_it_is_killed(self, start_stack: Callable[..., Stack]) -> None:
        stack = start_stack()
        stored = stack.store(b"kept")
        stack.process.send_signal(signal.SIGKILL)
        stack.process.wait(timeout=60)
        eventually(lambda: not processes_of(stack))
        assert stack.start().download(stored["id"]) == b"kept"


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


class TestPagesOfOtherSites:
    """The engine's root key is known to everybody: a page that is open on this machine must not get to use it."""

    ELSEWHERE: ClassVar = [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
    ]

    @pytest.mark.parametrize("headers", ELSEWHERE)
    def test_cannot_command_the_embedded_aws(self, stack: Stack, headers: dict[str, str]) -> None:
        url = stack.client("apigateway").generate_presigned_url("get_api_keys", Params={"includeValues": True})
        assert requests.get(url, headers={"Sec-Fetch-Site": "none"}, timeout=60).status_code == 200
        assert requests.get(url, headers=headers, timeout=60).status_code == 403
        aws = stack.outputs["AwsEndpointUrl"]
        query = "?Action=ListRoles&Version=2010-05-08&X-Amz-Credential=test/20261124/us-east-1/iam/aws4_request"
        assert requests.post(f"{aws}/{query}", headers=headers, timeout=60).status_code == 403
        assert requests.post(stack.outputs["UploadedQueueUrl"], headers=headers, timeout=60).status_code == 403

    @pytest.mark.parametrize("headers", ELSEWHERE)
    def test_cannot_read_objects_with_the_root_key(self, stack: Stack, headers: dict[str, str]) -> None:
        upload = stack.upload()
        where = {"Bucket": stack.outputs["StorageBucketName"], "Key": upload["id"]}
        url = stack.client("s3").generate_presigned_url("get_object", Params=where)
        assert requests.get(url, timeout=60).content == b"contents"
        assert requests.get(url, headers=headers, timeout=60).status_code == 403

    def test_cannot_reset_it(self, stack: Stack) -> None:
        stored = stack.store()
        assert requests.post(f"{stack.outputs['AwsEndpointUrl']}/_ministack/reset", timeout=60).status_code == 403
        assert stack.download(stored["id"]) == b"contents"


class TestSideBySide:
    def test_two_stacks_know_nothing_of_each_other(self, stack: Stack, storing_stack: Stack) -> None:
        upload = stack.store()
        assert storing_stack.files("POST", [upload["id"]], "?nonstored=yes&deleted=yes").json() == []
        assert storing_stack.files("POST", [upload["id"]], headers=stack.key).status_code == 403
        for each in (stack, storing_stack):
            assert requests.get(each.outputs["WebUrl"], timeout=60).status_code == 200
            config = requests.get(each.outputs["WebUrl"] + "config.json", timeout=60).json()
            assert config["apiRootUrl"] == each.outputs["ApiRootUrl"]

    def test_a_folder_that_is_in_use_is_refused(self, stack: Stack) -> None:
        refused = run(stack.state)
        assert refused.returncode == 1
        assert refused.stderr == (
            f"error: {stack.state} belongs to a stack that is running."
            " Stop that one, or choose another: STATE_DIR=...\n"
        )
        assert (stack.state / "outputs.json").exists()


class TestFailures:
    @pytest.mark.parametrize("option", ["--port", "--aws-port"])
    def test_a_port_that_is_taken_is_named(self, tmp_path: Path, option: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            ports = {"--port": free_port(), "--aws-port": free_port()} | {option: port}
            refused = run(tmp_path, *(str(part) for pair in ports.items() for part in pair))
        name = option.removeprefix("--").replace("-", "_").upper()
        assert refused.returncode == 1
        assert refused.stderr == (
            f"error: Port {port} cannot be used (Address already in use). Choose another: make run {name}={port + 1}\n"
        )

    @pytest.mark.parametrize(
        ("state", "why"),
        [
            ("Makefile", "File exists"),
            ("Makefile/state", "Not a directory"),
            ("/proc/state", "No such file or directory"),
            ("x" * 300, "File name too long"),
        ],
    )
    def test_a_folder_that_cannot_be_used_is_named(self, state: str, why: str) -> None:
        """One line, whatever is the matter with it."""
        refused = run(Path(state))
        path = state if state.startswith("/") else f"{ROOT}/{state}"
        assert (refused.returncode, refused.stderr) == (
            1,
            f"error: {path} cannot be used ({why}). Choose another: STATE_DIR=...\n",
        )

    def test_a_path_of_several_lines_is_refused_in_one(self, tmp_path: Path) -> None:
        refused = run(tmp_path / "two\nlines")
        assert (refused.returncode, refused.stderr) == (
            1,
            f"error: STATE_DIR is a path that cannot be printed: '{tmp_path}/two\\nlines'. Choose another.\n",
        )

    def test_what_cannot_be_written_in_it_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "engine.log").mkdir()
        refused = run(tmp_path)
        assert refused.returncode == 1
        assert refused.stderr == f"error: {tmp_path}/engine.log: Is a directory. Put it right, then make run again.\n"

    def test_one_port_cannot_serve_both(self, tmp_path: Path) -> None:
        port = str(free_port())
        refused = run(tmp_path, "--port", port, "--aws-port", port)
        assert (refused.returncode, refused.stderr) == (
            1,
            f"error: PORT and AWS_PORT are both {port}, and have to differ.\n",
        )

    def test_a_parameter_that_the_template_refuses_is_told(self, tmp_path: Path) -> None:
        """A fraction would be deployed, and every request a 502."""
        refused = run(tmp_path, "--signed-url-expiration", "1.5")
        assert refused.returncode == 1
        assert refused.stderr == (
            "error: The template cannot be deployed:"
            " Parameter 'SignedUrlExpiration' must be a whole number from 1 to 604800\n"
        )

    def test_what_is_no_port_is_told(self, tmp_path: Path) -> None:
        refused = run(tmp_path, "--port", "x")
        assert refused.returncode == 2
        assert refused.stderr.endswith("x is not a port: a number from 1 to 65535\n")

    @pytest.mark.parametrize("target", ["run", "test"])
    def test_an_old_python_is_told_which_one_is_needed(self, tmp_path: Path, target: str) -> None:
        """Make asks the interpreter that it is given, before it installs anything."""
        old = tmp_path / "python3"
        old.write_text('#!/bin/sh\ntest "$1" = --version && echo "Python 3.9.2"\nexit 1\n')
        old.chmod(0o755)
        (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
        for name in ("requirements.txt", "constraints.txt", "source/requirements.txt", ".ci/scan-requirements.txt"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        refused = subprocess.run(
            ["make", target, f"PYTHON={old}"],  # noqa: S607 - the make of whoever runs the tests
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert refused.returncode != 0
        assert "error: Python 3.11 or newer is needed" in refused.stderr
        assert "Python 3.9.2" in refused.stderr
        assert not (tmp_path / ".venv").exists()
