"""The stack on this machine: the emulator, what is deployed to it, and the page's server."""

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from local import database, deploy, deployment_patches, npm, page, running
from local.applications import Applications, Filestore
from local.emulator import Emulator
from local.errors import LocalError
from local.journal import Journal
from local.openapi import document
from local.web import Web


class Stack:
    """One stack on ports and in a folder of its own. ``parameters`` are those of template.yaml."""

    def __init__(
        self, *, port: int, aws_port: int, state: Path, parameters: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self.state = Path(os.path.realpath(state))
        self.outputs: dict[str, Any] = {}
        self.emulator_died = threading.Event()
        self._port = port
        self._aws_port = aws_port
        self._parameters = parameters
        self._say = say
        self._journal = Journal(say)
        self._lock: TextIO | None = None
        self._aws: Emulator | None = None
        self._web: Web | None = None

    @property
    def emulator_log(self) -> Path:
        """What the emulator has printed."""
        return self.state / "emulator.log"

    @property
    def failure(self) -> str | None:
        """Why the emulator has ended, if it said so."""
        return self._aws.failure if self._aws else None

    def start(self) -> None:
        """Start all of it; it is ready when this returns. Raises LocalError, then ``stop`` cleans up."""
        self._claim()
        if self._port == self._aws_port:
            raise LocalError(f"PORT and AWS_PORT are both {self._port}, and have to differ.")
        for name, port in (("PORT", self._port), ("AWS_PORT", self._aws_port)):
            _check_free(name, port)
        npm.install(self._say)
        self._say("Starting the emulator ...")
        self._aws = Emulator(
            self._aws_port,
            self.state,
            on_line=self._journal.emulator_line,
            on_note=lambda note: self._say(f"note: {note}"),
            on_death=self.emulator_died.set,
        )
        self._aws.start()
        self._say("Deploying template.yaml ...")
        deployed = deploy.deploy(self._aws, self._parameters)
        functions = deploy.functions(self._aws)
        swagger, template = deploy.read_yaml("swagger.yaml"), deploy.read_yaml("template.yaml")
        deployment_patches.apply(self._aws, deployed, swagger=swagger, template=template, functions=functions)
        stage = template["Parameters"]["EnvironmentParameter"]["Default"]
        self.outputs = {
            "ApiRootUrl": f"{self._aws.url}/restapis/{deployed['ApiId']}/{stage}/_user_request_",
            "ApiKey": deploy.api_key(self._aws, deployed["UsagePlanId"]),
            "UsagePlanId": deployed["UsagePlanId"],
            "WebUrl": f"http://127.0.0.1:{self._port}/",
            "AwsEndpointUrl": self._aws.url,
            "AwsAccessKeyId": self._aws.key,
            "StorageBucketName": deployed["StorageBucketName"],
            "TableName": deployed["TableName"],
            "UploadedQueueUrl": deployed["UploadedQueueUrl"],
            "UploadedDeadLetterQueueUrl": deployed["UploadedDeadLetterQueueUrl"],
            "Functions": functions,
        }
        self._aws.save()
        self._web = self._serve(template["Parameters"])
        self._web.start()
        self._journal.open(self.outputs["StorageBucketName"])
        self._publish()

    def stop(self) -> None:
        """Stop what runs, its state saved."""
        self._journal.close()
        if self._lock is not None:
            with contextlib.suppress(OSError):
                self._outputs_file.unlink(missing_ok=True)
        if self._web is not None:
            self._web.stop()
            self._web = None
        if self._aws is not None:
            self._aws.stop()
            self._aws = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _serve(self, declared: Mapping[str, Any]) -> Web:
        api_root_url = self.outputs["ApiRootUrl"]

        def parameter(name: str) -> str:
            return str(self._parameters.get(name, declared[name]["Default"]))

        return Web(
            self._port,
            config=page.config(
                api_root_url=api_root_url,
                backend_url="backend",
                upload_root_url=None if parameter("PublicUpload") == "True" else f"{self.outputs['WebUrl']}backend",
                store_on_load=parameter("StoreOnLoad") == "True",
                unstored_file_lifetime=int(parameter("UnstoredFileLifetime")),
                max_file_size=int(parameter("MaxFileSize")),
            ),
            contract=json.dumps(document(deploy.read_yaml("swagger.yaml"), api_root_url)),
            policy=page.policy(
                api_root_url=api_root_url, storage_url=self.outputs["AwsEndpointUrl"], backend_url="backend"
            ),
            applications=Applications(Filestore(api_root_url, self.outputs["ApiKey"]), self._applications()),
            on_request=self._journal.page_request,
        )

    def _applications(self) -> Path:
        file = self.state / "applications.sqlite"
        note = database.check(file, "applications")
        if note:
            self._say(f"note: {note}")
        return file

    @property
    def _outputs_file(self) -> Path:
        return self.state / running.OUTPUTS

    def _claim(self) -> None:
        """Two stacks must not share a folder. The lock goes with the process, however that ends."""
        if not str(self.state).isprintable():
            raise LocalError(f"STATE_DIR is a path that cannot be printed: {str(self.state)!a}. Choose another.")
        try:
            if running.is_foreign(self.state):
                raise LocalError(
                    f"{self.state.absolute()} has files that are no stack's. Choose an empty folder: STATE_DIR=..."
                )
            # The API key is in it.
            self.state.mkdir(parents=True, exist_ok=True)
            self.state.chmod(0o700)
            self._lock = running.claim(self.state)
        except OSError as error:
            raise LocalError(f"{self.state} cannot be used ({error.strerror}). Choose another: STATE_DIR=...") from None
        if self._lock is None:
            raise LocalError(
                f"{self.state} belongs to a stack that is running. Stop that one, or choose another: STATE_DIR=..."
            )
        self._outputs_file.unlink(missing_ok=True)

    def _publish(self) -> None:
        """Write outputs.json whole and for its owner alone: the key is in it."""
        draft = self.state / "outputs.json.draft"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(self.outputs, file, indent=2)
            file.write("\n")
        draft.replace(self._outputs_file)


def _check_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        # As servers do it, so that connections of a stack that was just stopped do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LocalError(
                f"Port {port} cannot be used ({error.strerror}). Choose another: make run {name}={port + 1}"
            ) from None
