"""What single checks of make smoke make of what they find, without a stack."""

import argparse
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import trustme
from awscrt.checksums import crc64nvme
from moto import mock_aws

from local.loopback import free_port
from ops import target
from ops.errors import OperatorError
from ops.smoke import checks, multipart, roots, update
from ops.smoke.checks import CheckFailed, Row, Verdict
from ops.smoke.cleanup import Cleanup
from ops.smoke.deployment import Deployment
from ops.smoke.session import Smoke


def test_a_stack_that_is_being_changed_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = {
        "StackName": "filestore-dev",
        "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/filestore-dev/0d1e2f30",
        "StackStatus": "UPDATE_IN_PROGRESS",
        "Outputs": [
            {"OutputKey": name, "OutputValue": name} for name in ("ApiRootUrl", "StorageBucketName", "TableName")
        ],
    }
    cloudformation = SimpleNamespace(describe_stacks=lambda **_: {"Stacks": [stack]})
    monkeypatch.setattr(target, "find", lambda _: target.Target({}, lambda _: cloudformation))
    expected = r"^filestore-dev is being changed \(UPDATE_IN_PROGRESS\)\. Wait until that is through\.$"
    with pytest.raises(OperatorError, match=expected):
        Deployment(argparse.Namespace(stack="filestore-dev"))


def test_requests_that_fail_during_an_update_are_noticed() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    smoke: Any = SimpleNamespace(
        key_headers=lambda: {"x-api-key": "key"},
        deployment=SimpleNamespace(outputs={"ApiRootUrl": nowhere}),
        counted=Counter(),
    )
    with update.watched_requests(smoke) as watched:
        pass
    assert (watched.count, watched.failures) == (1, ["ConnectionError"])


class TestRoots:
    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def port(self, authority: trustme.CA) -> Iterator[int]:
        """Where a host shows a certificate of the authority's."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(context)
        with socket.create_server(("127.0.0.1", 0)) as server:

            def serve() -> None:
                connection, _ = server.accept()
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    connection.close()

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            yield server.getsockname()[1]
            thread.join(10)

    def test_that_vouch_for_a_host(self, authority: trustme.CA, port: int) -> None:
        roots.vouched("localhost", port, authority.cert_pem.bytes().decode())

    def test_that_do_not(self, port: int) -> None:
        """As behind a proxy that looks into TLS, or on the day that AWS changes its authority."""
        with pytest.raises(CheckFailed, match=r"^Expected a root of tools/prune\.py for localhost, came unable to get"):
            roots.vouched("localhost", port, trustme.CA().cert_pem.bytes().decode())


class TestMultipart:
    """On moto, which is another S3 than the emulator's: it looks at no checksum of the whole, and forgets uploads."""

    @pytest.fixture
    def smoke(self) -> Iterator[Smoke]:
        with mock_aws():
            deployment: Any = SimpleNamespace(
                name="filestore-dev",
                client=boto3.Session(region_name="eu-central-1").client,
                id="arn:aws:cloudformation:eu-central-1:123456789012:stack/filestore-dev/0d1e2f30-aaaa-bbbb",
            )
            cleanup = Cleanup(lambda _: None)
            yield Smoke(deployment, cleanup)
            cleanup._steps = cleanup._steps[2:]  # noqa: SLF001 - there is no key and no file
            cleanup.run()
            assert cleanup.left == []
            assert deployment.client("s3").list_buckets()["Buckets"] == []

    def test_an_s3_that_takes_a_wrong_checksum_is_noticed(self, smoke: Smoke) -> None:
        row = checks.run(multipart.multipart_wrong_checksum, smoke, here=False)
        assert row.verdict is Verdict.FAILED
        assert row.said.startswith("Expected code BadDigest, came None.")

    def test_complete_twice_and_abort_after_complete(self, smoke: Smoke) -> None:
        rows = [
            checks.run(each, smoke, here=False)
            for each in (multipart.multipart_complete_twice, multipart.multipart_abort_after_complete)
        ]
        assert [(row.verdict, row.said) for row in rows] == [
            (Verdict.OK, "the same answer"),
            (Verdict.OK, "NoSuchUpload"),
        ]

    def test_an_s3_that_completes_twice_to_another_version_is_noticed(
        self, smoke: Smoke, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        versions = iter(["first", "second"])
        monkeypatch.setattr(multipart, "_complete", lambda *_: {"ETag": "e", "VersionId": next(versions)})
        row = checks.run(multipart.multipart_complete_twice, smoke, here=False)
        assert row.said.startswith("Expected ('e', 'first') again, or NoSuchUpload, came ('e', 'second').")

    def test_not_asked_for(self, smoke: Smoke) -> None:
        smoke.with_multipart = False
        row = checks.run(multipart.multipart_bare_parts, smoke, here=False)
        assert row == Row("multipart-bare-parts", Verdict.NOT_SEEN, "not asked for: MULTIPART=no")

    def test_checksums_are_those_of_the_specification(self) -> None:
        """The check value of CRC-64/NVME."""
        assert crc64nvme(b"123456789") == 0xAE8B14860A799888
