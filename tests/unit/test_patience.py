"""How long a function waits for AWS: API Gateway waits 29 seconds, and what comes after that comes to nobody."""

import importlib
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from botocore.exceptions import ClientError

from filestore.domain.outcome import Throttled
from filestore.storage import aws
from filestore.storage.repository import FileRepository
from tests.support import TEMPLATE, Clock


def throttling(called: Callable[[str], None] = lambda _: None) -> Any:
    """A client of DynamoDB that refuses every call for now, once ``called`` has heard of it."""

    class Client:
        def __getattr__(self, name: str) -> Callable[..., NoReturn]:
            def refuse(**_: object) -> NoReturn:
                called(name)
                raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, name)

            return refuse

    return Client()


class TestPatience:
    PER_CALL = 3 * (2 + 5)
    """Of the SDK: three attempts, each with two seconds for a connection and five for an answer."""
    PAUSES = 1 + 2
    """Of the SDK in its standard mode between three attempts, at most."""

    @pytest.mark.usefixtures("moto_aws")
    @pytest.mark.parametrize("service", ["dynamodb", "s3"])
    def test_a_call_of_aws_that_hangs_is_given_up_in_time(self, service: str) -> None:
        # Made anew: the one that is kept may be another test's.
        config = getattr(aws, service).__wrapped__().meta.config
        assert (config.connect_timeout, config.read_timeout) == (2, 5)
        assert config.retries == {"mode": "standard", "total_max_attempts": 3}

    def test_a_last_call_that_hangs_ends_before_api_gateway_does(self) -> None:
        """No call is begun after the patience is over, see below."""
        limit = TEMPLATE["Globals"]["Function"]["Timeout"]
        assert limit == 29
        assert limit > 4 + self.PER_CALL + self.PAUSES

    @pytest.mark.parametrize(
        ("each", "calls"), [(0.0, 5), (1.0, 5), (1.3, 4), (1.4, 3), (2.0, 3), (4.0, 2), (4.1, 1), (30.0, 1)]
    )
    @pytest.mark.parametrize("operation", ["batch_execute_statement", "batch_get_item"])
    def test_no_call_is_begun_after_four_seconds(self, operation: str, each: float, calls: int) -> None:
        clock = Clock(1000)
        begun: list[float] = []

        def took(_: str) -> None:
            begun.append(clock.time)
            clock.advance(each)

        files = FileRepository(throttling(took), "files", sleep=lambda _: None, monotonic=clock)
        if operation == "batch_get_item":
            assert files.get(["0" * 32]) == ({}, {"0" * 32})
        else:
            assert files.store(["0" * 32], stored_at="now") == {"0" * 32: Throttled()}
        assert len(begun) == calls
        assert max(begun) <= 1004

    def test_what_is_throttled_is_tried_again_after_pauses_that_double(self) -> None:
        pauses: list[float] = []
        for _ in range(200):
            FileRepository(throttling(), "files", sleep=pauses.append).get(["0" * 32])
        for number, most in enumerate((0.05, 0.1, 0.2, 0.4)):
            seen = pauses[number::4]
            assert most / 2 <= min(seen) < most * 0.6
            assert most * 0.9 < max(seen) <= most

    @pytest.mark.usefixtures("moto_aws")
    def test_the_sweep_has_time_to_end_what_it_has_begun(self) -> None:
        sweep = TEMPLATE["Resources"]["SweepFunction"]["Properties"]["Timeout"]
        assert sweep == 300
        reserve = importlib.import_module("filestore.handlers.sweep")._RESERVE_MILLISECONDS / 1000  # noqa: SLF001
        assert 4 + self.PER_CALL > reserve > 4 + 5
        assert sweep > 10 * reserve
