"""What make smoke says and leaves, whatever happens while it runs."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from local.loopback import free_port
from ops.errors import OperatorError
from ops.smoke import __main__ as program
from ops.smoke import checks, report
from ops.smoke.catalogue import CHECKS
from ops.smoke.checks import Check, CheckFailed, NotSeen, Row, Verdict
from ops.smoke.cleanup import Cleanup
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
