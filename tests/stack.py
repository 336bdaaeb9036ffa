"""A deployed stack, as the tests that go over HTTP use it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import requests

from local import emulator
from local.loopback import free_port
from ops.audit import Audit, Finding
from ops.target import Target
from tests import hygiene
from tests.support import ROOT

START_TIMEOUT = 90
PATIENCE = 120


class Stack:
    """A stack as ``make run`` deploys it, on ports and in a folder of its own."""

    def __init__(self, state: Path, *options: str) -> None:
        self.state = state
        self.options = options
        self.port, self.aws_port = free_port(), free_port()
        self.output = state.with_suffix(".log")

    def launch(self) -> None:
        """Start it without waiting until it is ready."""
        # One that was killed had no chance to.
        (self.state / "outputs.json").unlink(missing_ok=True)
        hygiene.keep_log(self.state)
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "local",
                    "--port", str(self.port), "--aws-port", str(self.aws_port), "--state-dir", str(self.state),
                    *self.options,
                ],
                cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def start(self) -> "Stack":
        self.launch()
        deadline = time.monotonic() + START_TIMEOUT
        while not (self.state / "outputs.json").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.fail(f"the stack did not start:\n{self.output.read_text()}")
            time.sleep(0.05)
        self.outputs: dict[str, Any] = json.loads((self.state / "outputs.json").read_text())
        hygiene.stacks[self.outputs["AwsEndpointUrl"]] = self.state
        hygiene.keys.add(self.outputs["ApiKey"])
        return self

    def stop(self) -> int:
        """Stop the stack as Ctrl-C does; returns its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)

    @property
    def key(self) -> dict[str, str]:
        return {"x-api-key": self.outputs["ApiKey"]}

    def client(self, service: str) -> Any:
        return emulator.client(self.outputs["AwsEndpointUrl"], service, self.outputs["AwsAccessKeyId"])

    # ------------------------------------------------------------- the API

    def post_file(self, body: object, **kwargs: Any) -> requests.Response:
        reply = requests.post(f"{self.outputs['ApiRootUrl']}/file", json=body, timeout=60, **kwargs)
        hygiene.remember(reply)
        return reply

    def undo(self, file_id: str, token: str) -> requests.Response:
        return requests.delete(
            f"{self.outputs['ApiRootUrl']}/file/{file_id}", headers={"x-upload-token": token}, timeout=60
        )

    def files(self, method: str, ids: object, query: str = "", headers: Any = None) -> requests.Response:
        return requests.request(
            method,
            f"{self.outputs['ApiRootUrl']}/files{query}",
            json=ids,
            headers=self.key if headers is None else headers,
            timeout=60,
        )

    def show(self, file_id: str, query: str = "", headers: Any = None) -> requests.Response:
        return requests.get(
            f"{self.outputs['ApiRootUrl']}/files/{file_id}{query}",
            headers=self.key if headers is None else headers,
            timeout=60,
        )

    def update(self, file_id: str, body: object, headers: Any = None) -> requests.Response:
        return requests.patch(
            f"{self.outputs['ApiRootUrl']}/files/{file_id}",
            json=body,
            headers=self.key if headers is None else headers,
            timeout=60,
        )

    def page(self, headers: Any = None, **query: str) -> requests.Response:
        return requests.get(
            f"{self.outputs['ApiRootUrl']}/files",
            params=query,
            headers=self.key if headers is None else headers,
            timeout=60,
        )

    def content(self, file_id: str, query: str = "", method: str = "GET", **kwargs: Any) -> requests.Response:
        """Redirects are followed; a header goes along in each, as curl has it."""
        url = f"{self.outputs['ApiRootUrl']}/files/{file_id}/content{query}"
        return requests.request(
            method, url, timeout=60, headers=kwargs.pop("headers", self.key), **{"allow_redirects": True, **kwargs}
        )

    def listed(self, **query: str) -> list[str]:
        """The ids of every file in the list, to its last page."""
        ids: list[str] = []
        page: dict[str, Any] = {"next": ""}
        while page["next"] is not None:
            cursor = {"cursor": page["next"]} if page["next"] else {}
            page = self.page(**query, **cursor).json()
            ids += [file["id"] for file in page["files"]]
        return ids

    def request_patiently(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Any request, repeated while it is throttled."""
        while True:
            reply = requests.request(method, self.outputs["ApiRootUrl"] + path, timeout=60, **kwargs)
            if reply.status_code != HTTPStatus.TOO_MANY_REQUESTS:
                return reply
            time.sleep(float(reply.headers["Retry-After"]))

    # ----------------------------------------------------- what tests often need

    def upload(self, contents: bytes = b"contents", **declared: Any) -> dict[str, Any]:
        """Ask for an upload and PUT the contents."""
        reply = self.post_file({"name": "a.txt", **declared})
        assert reply.status_code == 200, reply.text
        upload: dict[str, Any] = reply.json()
        sent = requests.put(upload["url"], data=contents, headers=upload.get("headers"), timeout=120)
        assert sent.status_code == 200, sent.text
        return upload

    def store(self, contents: bytes = b"contents", **declared: Any) -> dict[str, Any]:
        """Upload and store."""
        upload = self.upload(contents, **declared)
        assert self.files("PUT", [upload["id"]]).json() == [upload["id"]]
        return upload

    def details(self, file_id: str, query: str = "?nonstored=yes&deleted=yes") -> dict[str, Any] | None:
        found: list[dict[str, Any]] = self.files("POST", [file_id], query).json()
        return found[0] if found else None

    def seen(self, file_id: str) -> dict[str, Any]:
        """The details of an upload once S3's event has been handled."""
        details: dict[str, Any] = eventually(lambda: (d := self.details(file_id)) and "uploaded_at" in d and d)
        return details

    def download(self, file_id: str) -> bytes:
        details = self.details(file_id)
        assert details
        return requests.get(details["url"], timeout=120).content

    def sweep(self) -> dict[str, Any]:
        """Run the sweep now instead of waiting for its schedule."""
        answer = self.client("lambda").invoke(FunctionName=self.outputs["Functions"]["SweepFunction"])
        swept: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "errorMessage" not in swept, swept
        return swept

    def findings(self) -> list[Finding]:
        """What the audit finds to differ between bucket and table."""
        return Audit(Target(self.outputs, self.client)).run()

    def make_due(self, file_id: str) -> None:
        """Have the next sweep find a file whose time is over."""
        past = {"sweep_at": {"N": "1"}}
        if "uploaded_at" in (self.record(file_id) or {}):
            past["uploaded_at"] = {"S": "2026-01-01T00:00:00.000Z"}
        self.client("dynamodb").update_item(
            TableName=self.outputs["TableName"],
            Key={"id": {"S": file_id}},
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in past),
            ExpressionAttributeValues={f":{name}": value for name, value in past.items()},
        )

    def versions(self, file_id: str = "") -> list[str]:
        listed = self.client("s3").list_object_versions(Bucket=self.outputs["StorageBucketName"], Prefix=file_id)
        return [version["VersionId"] for version in (*listed.get("Versions", []), *listed.get("DeleteMarkers", []))]

    def record(self, file_id: str) -> dict[str, Any] | None:
        item: dict[str, Any] | None = (
            self.client("dynamodb")
            .get_item(TableName=self.outputs["TableName"], Key={"id": {"S": file_id}}, ConsistentRead=True)
            .get("Item")
        )
        return item


def eventually(condition: Callable[[], object], otherwise: Callable[[], object] | None = None) -> Any:
    """Wait until the condition holds; returns what it returned. ``otherwise`` tells what there is where it does not."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {PATIENCE} seconds: {otherwise() if otherwise else condition}")
        time.sleep(0.05)
    return answer
