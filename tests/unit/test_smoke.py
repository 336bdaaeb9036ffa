"""What make smoke says and leaves, whatever happens while it runs."""

import argparse
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import requests
import trustme
from awscrt.checksums import crc64nvme
from botocore.exceptions import ClientError
from moto import mock_aws

from bench.processes import free_port
from ops import target
from ops.errors import OperatorError
from ops.smoke import __main__ as program
from ops.smoke import checks, multipart, report, roots, update
from ops.smoke.catalogue import CHECKS
from ops.smoke.checks import Check, CheckFailed, NotSeen, Row, Verdict
from ops.smoke.cleanup import Cleanup
from ops.smoke.deployment import Deployment
from ops.smoke.session import Smoke
from tests.support import ROOT

ROWS = [
    Row("key-works", Verdict.OK, "after 0.7 s"),
    Row("roots", Verdict.NOT_SEEN, "the emulator has no TLS"),
    Row("put-chunked", Verdict.FAILED, "Expected status 501, came 200. " + "Say so. " * 11),
]


class TestTheReport:
    def test_is_a_table(self) -> None:
        assert report.table(ROWS).splitlines() == [
            "OK        key-works    after 0.7 s",
            "NOT SEEN  roots        the emulator has no TLS",
            "FAILED    put-chunked  Expected status 501, came 200." + " Say so." * 7,
            "                       Say so. Say so. Say so. Say so.",
            "1 OK, 1 FAILED, 1 NOT SEEN",
        ]

    def test_does_not_obey_what_was_answered(self) -> None:
        shown = report.table([Row("event", Verdict.FAILED, "came 200 \x1b[2Jgone\u202e")])
        assert shown.splitlines()[0] == r"FAILED    event  came 200 \u001b[2Jgone\u202e"

    @pytest.mark.parametrize(("rows", "status"), [(ROWS, 1), (ROWS[:2], 0), ([], 0)])
    def test_has_the_status_0_only_where_nothing_failed(self, rows: list[Row], status: int) -> None:
        assert report.exit_status(rows) == status

    def test_says_what_it_cost(self) -> None:
        """A thousand of each, at list prices: what a run of a hundred costs is a tenth of a cent."""
        counted = dict.fromkeys(("API", "S3 PUT", "S3 GET", "Lambda", "metric"), 1000)
        assert report.bill(counted, 1000) == (
            "It made 1000 requests to the API, 1000 uploads to S3, 1000 downloads, 1000 files, and read 1000 metrics:"
            " 2.90 cents at most."
        )


@pytest.fixture
def asked() -> Callable[[Callable[[Any], str]], Row]:
    """The row of a check that does this."""

    def ask(what: Callable[[Any], str], *, here: bool = False) -> Row:
        return checks.run(Check("row", "", "", what, "not on a laptop"), None, here=here)

    return ask


class TestACheck:
    def test_that_holds_says_what_it_saw(self, asked: Callable[..., Row]) -> None:
        assert asked(lambda _: "after 1 s") == Row("row", Verdict.OK, "after 1 s")

    def test_that_fails_says_what_was_expected_what_came_and_what_to_do(self, asked: Callable[..., Row]) -> None:
        def fail(_: Any) -> str:
            raise CheckFailed(expected="status 501", came=200, do="Say so.")

        assert asked(fail) == Row("row", Verdict.FAILED, "Expected status 501, came 200. Say so.")

    def test_that_an_emulator_cannot_answer_is_not_asked(self, asked: Callable[..., Row]) -> None:
        assert asked(lambda _: "asked", here=True) == Row("row", Verdict.NOT_SEEN, "not on a laptop")

    def test_says_why_it_was_not_seen(self, asked: Callable[..., Row]) -> None:
        def refuse(_: Any) -> str:
            raise NotSeen("no key works")

        assert asked(refuse) == Row("row", Verdict.NOT_SEEN, "no key works")

    def test_without_rights_is_not_seen(self, asked: Callable[..., Row]) -> None:
        """An operator with fewer rights than the checks want is no fault of the stack."""

        def refuse(_: Any) -> str:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetItem")

        assert asked(refuse) == Row("row", Verdict.NOT_SEEN, "your profile may not GetItem")

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (
                ClientError({"Error": {"Code": "NotFound", "Message": "gone"}}, "GetItem"),
                "An error occurred (NotFound) when calling the GetItem operation: gone. Repeat: ONLY=row",
            ),
            (KeyError("url"), "KeyError: 'url'. Repeat: ONLY=row"),
            (ConnectionResetError("reset\nby peer"), "ConnectionResetError: reset by peer. Repeat: ONLY=row"),
        ],
    )
    def test_that_gets_no_proper_answer_fails(self, asked: Callable[..., Row], error: Exception, said: str) -> None:
        def fail(_: Any) -> str:
            raise error

        assert asked(fail) == Row("row", Verdict.FAILED, said)

    def test_that_gets_no_answer_from_s3_keeps_the_signature(self, asked: Callable[..., Row]) -> None:
        """Rows are pasted into tickets, and whoever has a presigned URL may use it."""
        url = f"http://127.0.0.1:{free_port()}/bucket/key?X-Amz-Credential=AKIA&X-Amz-Signature=5ec4e7"
        said = asked(lambda _: str(requests.put(url, timeout=5))).said
        assert said.startswith("ConnectionError: HTTPConnectionPool")
        assert " /bucket/key (Caused by " in said
        assert "X-Amz-" not in said

    def test_that_finds_a_presigned_url_cuts_it_as_well(self, asked: Callable[..., Row]) -> None:
        def fail(_: Any) -> str:
            raise CheckFailed(expected="no url", came="https://b.example/k?x-amz-signature=5ec4e7", do="Say so.")

        assert asked(fail).said == "Expected no url, came https://b.example/k Say so."

    def test_has_a_name_a_sentence_and_a_source(self) -> None:
        assert [each.name for each in CHECKS.values() if not (each.settles.endswith(".") and each.source)] == []
        assert (next(iter(CHECKS)), list(CHECKS)[-1]) == ("usage-plan", "revoked-key")

    def test_is_explained_in_the_guide(self) -> None:
        guide = (ROOT / "docs/first-deployment.md").read_text()
        assert [name for name in [*CHECKS, "cleanup"] if f"`{name}`" not in guide] == []


class TestCleanup:
    def test_undoes_the_last_thing_first(self) -> None:
        done: list[str] = []
        cleanup = Cleanup(lambda _: None)
        for what in ("key", "files", "bucket"):
            cleanup.note(what, lambda what=what: done.append(what))  # type: ignore[misc]
        cleanup.run()
        assert (done, cleanup.left) == (["bucket", "files", "key"], [])

    def test_goes_on_after_what_cannot_be_undone_and_tells(self) -> None:
        done: list[str] = []
        said: list[str] = []

        def fail() -> None:
            raise OperatorError("It is in use.")

        cleanup = Cleanup(said.append)
        cleanup.note("key", lambda: done.append("key"))
        cleanup.note("bucket b", fail)
        cleanup.run()
        assert (done, cleanup.left, said) == (["key"], ["bucket b"], ["bucket b: It is in use."])

    def test_given_up_names_everything_that_is_left(self) -> None:
        def interrupt() -> None:
            raise KeyboardInterrupt

        cleanup = Cleanup(lambda _: None)
        cleanup.note("key", lambda: None)
        cleanup.note("files", lambda: None)
        cleanup.note("parameter", interrupt)
        cleanup.run()
        assert cleanup.left == ["parameter", "files", "key"]


class TestARun:
    @pytest.fixture
    def smoke(self) -> Any:
        return SimpleNamespace(cleanup=Cleanup(lambda _: None), deployment=SimpleNamespace(here=True), made=["a", "b"])

    @staticmethod
    def answering(monkeypatch: pytest.MonkeyPatch, **answers: Callable[[Any], str]) -> None:
        found = {name: Check(name, "", "", ask, None) for name, ask in answers.items()}
        monkeypatch.setattr(program, "CHECKS", {"key-works": Check("key-works", "", "", lambda _: "", None), **found})

    def test_always_makes_a_key_first(self, smoke: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answering(monkeypatch, one=lambda _: "one", two=lambda _: "two")
        rows: list[Row] = []
        assert program.run_checks(smoke, ["two"], rows) == 0
        assert [row.name for row in rows] == ["key-works", "two", "cleanup"]
        assert rows[-1].said == (
            "keys, files and buckets of this run are gone; 2 records of deleted files stay, as always"
        )

    def test_that_is_interrupted_cleans_up_and_shows_what_it_has(
        self, smoke: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupt(_: Any) -> str:
            raise KeyboardInterrupt

        self.answering(monkeypatch, one=lambda _: "one", two=interrupt, three=lambda _: "three")
        undone: list[str] = []
        smoke.cleanup.note("key", lambda: undone.append("key"))
        rows: list[Row] = []
        assert program.run_checks(smoke, ["one", "two", "three"], rows) == 130
        assert undone == ["key"]
        assert [row.name for row in rows] == ["key-works", "one", "cleanup"]

    def test_that_breaks_cleans_up(self, smoke: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_: Any) -> str:
            raise RuntimeError("a fault of this program")

        self.answering(monkeypatch, one=fail)
        undone: list[str] = []
        smoke.cleanup.note("key", lambda: undone.append("key"))
        with pytest.raises(RuntimeError):
            program.run_checks(smoke, ["one"], [])
        assert undone == ["key"]

    def test_that_leaves_something_fails(self, smoke: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail() -> None:
            raise OperatorError("It is in use.")

        self.answering(monkeypatch)
        smoke.cleanup.note("bucket b", fail)
        rows: list[Row] = []
        assert program.run_checks(smoke, [], rows) == 1
        assert rows[-1] == Row("cleanup", Verdict.FAILED, "Left: bucket b. With CLEAN=yes the next run deletes it.")

    def test_in_production_has_to_be_meant(self, monkeypatch: pytest.MonkeyPatch) -> None:
        production = SimpleNamespace(name="filestore-prod", is_production=True)
        monkeypatch.setattr(program, "Deployment", lambda _: production)
        with pytest.raises(OperatorError, match=r"^filestore-prod is in production\. .* If that is meant: YES=yes$"):
            program.main([])

    def test_does_not_know_every_name(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            program.main(["--only", "key-works,put-chunkd"])
        assert "there is no check put-chunkd; --list says which there are" in capsys.readouterr().err


def test_a_stack_that_is_being_changed_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = {
        "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/filestore-dev/0d1e2f30",
        "StackStatus": "UPDATE_IN_PROGRESS",
        "Outputs": [
            {"OutputKey": name, "OutputValue": name} for name in ("ApiRootUrl", "StorageBucketName", "TableName")
        ],
    }
    cloudformation = SimpleNamespace(describe_stacks=lambda **_: {"Stacks": [stack]})
    monkeypatch.setattr(target, "find", lambda _: SimpleNamespace(outputs={}, client=lambda _: cloudformation))
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
