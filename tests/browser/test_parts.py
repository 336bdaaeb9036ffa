"""Large files in parts: what is sent, what is sent again, and what goes on after a reload."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Complaints
from tests.browser.parts import CONTENTS, DONE, SEND, SEND_ANOTHER, PartsService, crc64nvme, number_of
from tests.browser.service import Call, until

CHANGED = "The file has changed while it was uploaded. Add it again."


@pytest.fixture
def service() -> Iterator[PartsService]:
    service = PartsService()
    yield service
    service.stop()


@pytest.fixture
def open_client(open_client: Callable[..., Page]) -> Callable[..., Page]:
    """A client that brings small files in parts, too."""
    return lambda options="": open_client(f"{{ multipart: true, {options} }}")


def once(number: int, status: int, body: str = "") -> Callable[[Call], tuple[int, str] | None]:
    """A plan in which this part goes wrong the first time."""
    left = [(status, body)]
    return lambda call: left.pop() if call.method == "PUT" and number_of(call) == number and left else None


class TestSending:
    def test_a_file_in_parts_arrives_as_it_is(
        self, page: Page, open_client: Callable[..., Page], service: PartsService
    ) -> None:
        """The storage refuses what the checksums do not fit: those of the parts, and the one combined of them."""
        open_client().evaluate(SEND)
        file_id = page.evaluate(DONE)
        assert service.complete == {file_id: CONTENTS}
        assert sorted(service.sent()) == list(range(1, 11))
        asked = [part for call in service.made("POST") if call.path.endswith("/parts") for part in call.json["parts"]]
        assert {part["part_number"]: part["checksum"] for part in asked} == {
            number + 1: crc64nvme(CONTENTS[number * 1000 : number * 1000 + 1000]) for number in range(10)
        }
        steps = page.evaluate("steps")
        assert steps == sorted(steps)
        assert steps[-1] == 9500
        assert page.evaluate("filestore.unsubmitted().map(({ id }) => id)") == [file_id]

    def test_four_parts_are_on_their_way_at_once(
        self, page: Page, open_client: Callable[..., Page], service: PartsService, complaints: Complaints
    ) -> None:
        complaints.expect("status of 503")
        service.hold_from(1)
        open_client().evaluate(SEND)
        until(lambda: len(service.sent()) == 4)
        assert sorted(service.sent()) == [1, 2, 3, 4]
        service.release()
        page.evaluate(DONE)

    def test_without_a_worker_the_page_itself_reads(
        self, page: Page, open_client: Callable[..., Page], service: PartsService
    ) -> None:
        """A policy may forbid workers."""
        page.add_init_script("delete window.Worker;")
        open_client().evaluate(SEND)
        assert service.complete == {page.evaluate(DONE): CONTENTS}


class TestTrouble:
    def test_a_part_that_is_refused_is_sent_again_alone_to_a_fresh_address(
        self, page: Page, open_client: Callable[..., Page], service: PartsService, complaints: Complaints
    ) -> None:
        complaints.expect("status of 403")
        service.plan = once(3, 403, "<Error><Code>AccessDenied</Code></Error>")
        open_client().evaluate(SEND)
        page.evaluate(DONE)
        assert sorted(service.sent()) == [1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10]
        asked = [part["part_number"] for call in service.made("POST") for part in call.json.get("parts", [])]
        assert asked.count(3) == 2

    def test_a_network_that_refuses_for_a_while_costs_no_part_that_has_arrived(
        self, page: Page, open_client: Callable[..., Page], service: PartsService, complaints: Complaints
    ) -> None:
        """As that of a hotel does, until one has logged in."""
        complaints.expect("status of 403")
        left = [(403, "<h1>Log in</h1>")] * 6
        service.plan = lambda call: left.pop() if call.method == "PUT" and number_of(call) == 3 and left else None
        open_client().evaluate(SEND)
        assert page.evaluate(DONE) == "large-1"
        assert sorted(service.sent()) == [1, 2, *[3] * 7, 4, 5, 6, 7, 8, 9, 10]

    def test_a_connection_that_stands_still_is_noticed(
        self, page: Page, open_client: Callable[..., Page], service: PartsService, complaints: Complaints
    ) -> None:
        complaints.expect("status of 503")
        service.hold_from(10)
        open_client("stallTimeout: 0.2").evaluate(SEND)
        until(lambda: service.sent().count(10) >= 2)
        service.release()
        page.evaluate(DONE)
        assert service.complete == {"large-1": CONTENTS}
        assert "The connection stands still. Trying again …" in page.evaluate("said")

    def test_parts_that_the_storage_has_lost_are_sent_again(
        self, page: Page, open_client: Callable[..., Page], service: PartsService, complaints: Complaints
    ) -> None:
        complaints.expect("status of 409")

        def plan(call: Call) -> None:
            if call.path.endswith("/complete") and len(service.made("PUT")) == 10:
                for number in (2, 7):
                    del service.parts["large-1"][number]

        service.plan = plan
        open_client().evaluate(SEND)
        page.evaluate(DONE)
        assert service.sent()[10:] in ([2, 7], [7, 2])

    def test_what_arrived_otherwise_than_it_was_sent_is_given_up(
        self, page: Page, open_client: Callable[..., Page], service: PartsService, complaints: Complaints
    ) -> None:
        complaints.expect("status of 409")
        refusal = json.dumps({"message": "No.", "code": "checksum_mismatch"})
        service.plan = lambda call: (409, refusal) if call.path.endswith("/complete") else None
        open_client().evaluate(SEND)
        said = page.evaluate("() => upload.done.catch(({ message }) => message)")
        assert said == CHANGED
        page.evaluate(SEND)
        until(lambda: len(service.begun) == 2)

    @pytest.mark.parametrize(("times", "outcome"), [(1, "large-1"), (2, CHANGED)])
    def test_a_part_that_is_other_than_its_checksum_says_is_sent_once_more(
        self,
        page: Page,
        open_client: Callable[..., Page],
        service: PartsService,
        complaints: Complaints,
        times: int,
        outcome: str,
    ) -> None:
        """A connection may have changed it; twice, the file has."""
        complaints.expect("status of 400")
        left = [(400, "<Error><Code>BadDigest</Code></Error>")] * times
        service.plan = lambda call: left.pop() if call.method == "PUT" and number_of(call) == 10 and left else None
        open_client().evaluate(SEND)
        assert page.evaluate("() => upload.done.then(({ id }) => id, ({ message }) => message)") == outcome
        assert service.sent().count(10) == 2


class TestStopping:
    def test_a_pause_keeps_what_has_arrived(
        self, page: Page, open_client: Callable[..., Page], service: PartsService, complaints: Complaints
    ) -> None:
        complaints.expect("status of 503")
        service.hold_from(5)
        open_client().evaluate(SEND)
        until(lambda: {1, 2, 3, 4} <= service.parts.get("large-1", {}).keys() and len(service.sent()) == 8)
        page.evaluate("upload.pause()")
        service.release()
        page.wait_for_function("said.at(-1) === 'Paused.'")
        assert page.evaluate("Promise.race([upload.done, Promise.resolve('paused')])") == "paused"
        page.evaluate("upload.resume()")
        page.evaluate(DONE)
        assert service.complete == {"large-1": CONTENTS}
        assert sorted(service.sent()[8:]) == [5, 6, 7, 8, 9, 10]

    def test_an_abort_takes_all_of_it_back(
        self, page: Page, open_client: Callable[..., Page], service: PartsService, complaints: Complaints
    ) -> None:
        complaints.expect("status of 503")
        service.hold_from(5)
        open_client().evaluate(SEND)
        until(lambda: len(service.sent()) == 8)
        page.evaluate("upload.abort()")
        until(lambda: len(service.made("DELETE")) == 1)
        service.release()
        page.evaluate(SEND)
        assert page.evaluate(DONE) == "large-2"


class TestGoingOn:
    """An upload was interrupted when it had parts 1 to 4."""

    @pytest.fixture
    def interrupted(
        self, page: Page, open_client: Callable[..., Page], service: PartsService, complaints: Complaints
    ) -> Page:
        complaints.expect("status of 503")
        service.hold_from(5)
        open_client().evaluate(SEND)
        until(lambda: len(service.parts.get("large-1", {})) == 4 and len(service.sent()) == 8)
        return page

    def come_back(self, page: Page, service: PartsService) -> None:
        page.reload()
        service.release()
        service.calls.clear()
        page.wait_for_function("typeof send === 'function'")

    def test_after_a_reload_only_what_is_missing_is_sent(self, interrupted: Page, service: PartsService) -> None:
        self.come_back(interrupted, service)
        (waiting,) = interrupted.evaluate("client.restorable()")
        assert (waiting["name"], waiting["pending"], waiting["goesOn"]) == ("film.mp4", True, True)
        interrupted.evaluate(SEND)
        assert interrupted.evaluate(DONE) == "large-1"
        assert sorted(service.sent()) == [5, 6, 7, 8, 9, 10]
        assert service.complete == {"large-1": CONTENTS}
        assert interrupted.evaluate("said")[0] == "Comparing the file with what has arrived …"
        assert service.made("DELETE") == []

    def test_another_file_of_the_same_name_and_size_starts_anew(self, interrupted: Page, service: PartsService) -> None:
        self.come_back(interrupted, service)
        interrupted.evaluate(SEND_ANOTHER)
        assert interrupted.evaluate(DONE) == "large-2"
        assert sorted(service.sent()) == list(range(1, 11))
        assert service.complete["large-2"] == CONTENTS[:9] + b"\x07" + CONTENTS[10:]

    def test_what_the_service_no_longer_knows_starts_anew(
        self, interrupted: Page, service: PartsService, complaints: Complaints
    ) -> None:
        complaints.expect("status of 404")
        service.begun.clear()
        self.come_back(interrupted, service)
        interrupted.evaluate(SEND)
        assert interrupted.evaluate(DONE) == "large-2"

    def test_another_tab_leaves_it_alone(self, interrupted: Page, service: PartsService) -> None:
        """It was given the same file while this one is at it."""
        with interrupted.context.expect_page() as opened:
            interrupted.evaluate("() => void window.open(location.href, '_blank', 'noopener')")
        other = opened.value
        other.wait_for_function("typeof send === 'function'")
        service.plan = lambda _: None
        other.evaluate(SEND)
        assert other.evaluate(DONE) == "large-2"
        service.release()
        assert interrupted.evaluate(DONE) == "large-1"
        assert service.complete == {"large-1": CONTENTS, "large-2": CONTENTS}
        other.close()
