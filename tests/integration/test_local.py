"""``make run``: what survives a stop, what may run side by side, and how it fails."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from botocore.exceptions import ClientError

from local import emulator
from local.loopback import free_port
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


class TestWhoMayCommandTheEmulator:
    """What pages may is in tests/browser/test_hostile_page.py, and each request in tests/unit/test_gate.py."""

    @pytest.mark.parametrize("key", ["test", "000000000000", "123456789012", "AKIA0123456789ABCDEF"])
    def test_nobody_who_names_another_key(self, stack: Stack, key: str) -> None:
        for service, operation in (("lambda", "list_functions"), ("s3", "list_buckets"), ("iam", "list_users")):
            client = emulator.client(stack.outputs["AwsEndpointUrl"], service, key)
            with pytest.raises(ClientError, match=r"403|AccessDenied|InvalidAccessKeyId|security token"):
                getattr(client, operation)()

    def test_nobody_who_names_none(self, stack: Stack) -> None:
        stored = stack.store()
        aws = stack.outputs["AwsEndpointUrl"]
        for method, path in (
            ("POST", "/_ministack/reset"),
            ("GET", "/2015-03-31/functions"),
            ("POST", "/?Action=ListQueues&Version=2012-11-05"),
            ("POST", stack.outputs["UploadedQueueUrl"].removeprefix(aws)),
            ("GET", f"/{stack.outputs['StorageBucketName']}?versions"),
            ("GET", f"/{stack.outputs['StorageBucketName']}/{stored['id']}"),
        ):
            assert requests.request(method, aws + path, timeout=60).status_code == 403
        assert stack.download(stored["id"]) == b"contents"

    def test_whoever_may_read_the_state_folder(self, stack: Stack) -> None:
        assert stack.client("lambda").list_functions()["Functions"]
        assert (stack.state / "root-key").read_text() == stack.outputs["AwsAccessKeyId"]
        assert (stack.state / "root-key").stat().st_mode & 0o777 == 0o600
        assert stack.state.stat().st_mode & 0o777 == 0o700

    def test_nobody_who_computes_the_functions_credentials(self, stack: Stack) -> None:
        """The emulator makes them of names alone, which are the same on every machine."""
        upload = parse_qs(urlsplit(stack.post_file({"name": "a"}).json()["url"]).query)
        used = upload["X-Amz-Credential"][0].split("/")[0]
        function = stack.outputs["Functions"]["UploadFunction"]
        found = stack.client("lambda").get_function_configuration(FunctionName=function)
        versions = stack.client("lambda").list_versions_by_function(FunctionName=function)["Versions"]
        arns = {found["FunctionArn"], *(f"{found['FunctionArn']}:{each['Version']}" for each in versions)}
        computed = {hashlib.sha256(f"{arn}:{found['Role']}".encode()).hexdigest()[:16].upper() for arn in arns}
        assert len(computed) >= 2
        assert used.removeprefix("ASIA") not in computed


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

    def test_a_folder_with_files_of_somebody_is_left_alone(self, tmp_path: Path) -> None:
        mine = tmp_path / "tmp" / "mine"
        mine.parent.mkdir()
        mine.write_text("precious")
        tmp_path.chmod(0o755)
        refused = run(tmp_path)
        assert (refused.returncode, refused.stderr) == (
            1,
            f"error: {tmp_path} has files that are no stack's. Choose an empty folder: STATE_DIR=...\n",
        )
        assert (mine.read_text(), tmp_path.stat().st_mode & 0o777) == ("precious", 0o755)

    def test_a_path_of_several_lines_is_refused_in_one(self, tmp_path: Path) -> None:
        refused = run(tmp_path / "two\nlines")
        assert (refused.returncode, refused.stderr) == (
            1,
            f"error: STATE_DIR is a path that cannot be printed: '{tmp_path}/two\\nlines'. Choose another.\n",
        )

    def test_what_cannot_be_written_in_it_is_named(self, tmp_path: Path) -> None:
        # A folder that a stack had.
        (tmp_path / "lock").touch()
        (tmp_path / "emulator.log").mkdir()
        refused = run(tmp_path)
        assert refused.returncode == 1
        assert refused.stderr == f"error: {tmp_path}/emulator.log: Is a directory. Put it right, then make run again.\n"

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
        for name in ("requirements/run.txt", "constraints.txt", "source/requirements.txt", ".ci/scan-requirements.txt"):
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
