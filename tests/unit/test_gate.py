"""Who may ask the emulator for what: the decision alone, over requests as ASGI describes them."""

import pytest

from local.gate import Gate
from local.loopback import hosts
from tests.gated import API, BROWSERS, BUCKETS, CODE, FETCH, KEYS, OBJECT, PORT, ROOT, SIGNATURE, scope, signed


@pytest.fixture
def gate() -> Gate:
    return Gate(PORT, ROOT, BUCKETS.__contains__, KEYS.__contains__)


class TestAnybody:
    @pytest.mark.parametrize("headers", [{}, *BROWSERS])
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
    def test_reaches_the_routes_of_an_api(self, gate: Gate, method: str, headers: dict[str, str]) -> None:
        for route in ("", "/file", "/file/%C3%A4", "/files?deleted=yes"):
            path, _, query = route.partition("?")
            assert gate.admits(scope(method, API + path, query, headers))

    @pytest.mark.parametrize("headers", [{}, *BROWSERS])
    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
    def test_reaches_an_object_that_a_function_signed(self, gate: Gate, method: str, headers: dict[str, str]) -> None:
        for more in ({}, {"versionId": "v"}, {"response-content-type": "a/b"}, {"x-amz-checksum-sha256": "x"}):
            assert gate.admits(scope(method, OBJECT, SIGNATURE | more, headers))

    @pytest.mark.parametrize(
        ("asked", "is_admitted"), [("PUT", True), ("GET", True), ("HEAD", True), ("DELETE", False), ("POST", False)]
    )
    def test_may_ask_first_for_what_is_allowed(self, gate: Gate, asked: str, is_admitted: bool) -> None:
        preflight = FETCH | {"Access-Control-Request-Method": asked}
        assert gate.admits(scope("OPTIONS", OBJECT, SIGNATURE, preflight)) is is_admitted
        assert not gate.admits(scope("OPTIONS", "/2015-03-31/functions", "", preflight))


class TestPrograms:
    def test_command_the_emulator_with_the_root_key(self, gate: Gate) -> None:
        assert gate.admits(scope("PUT", CODE, "", signed(ROOT)))
        assert gate.admits(scope("GET", OBJECT, {"X-Amz-Credential": f"{ROOT}/20261125/us-east-1/s3/aws4_request"}))

    def test_do_not_with_a_part_of_it(self, gate: Gate) -> None:
        assert not gate.admits(scope("PUT", CODE, "", signed("")))
        assert not gate.admits(scope("POST", "/_ministack/reset", "", signed(ROOT[:-1])))

    @pytest.mark.parametrize("key", ["ASIA0123456789ABCDEF", "AKIA0123456789ABCDEF"])
    def test_are_functions_and_users_whose_signature_the_emulator_checks(self, gate: Gate, key: str) -> None:
        assert gate.admits(scope("POST", "/", "", signed(key)))
        assert not gate.admits(scope("POST", "/_ministack/reset", "", signed(key)))

    @pytest.mark.parametrize("headers", BROWSERS)
    def test_are_no_browsers(self, gate: Gate, headers: dict[str, str]) -> None:
        for key in (ROOT, "ASIA0123456789ABCDEF"):
            assert not gate.admits(scope("PUT", CODE, "", signed(key) | headers))

    def test_read_what_a_bucket_makes_public(self, gate: Gate) -> None:
        assert gate.admits(scope("GET", "/published/index.html"))
        assert not gate.admits(scope("PUT", "/published/index.html"))
        assert not gate.admits(scope("GET", "/published/index.html", "acl"))
        assert not gate.admits(scope("GET", "/published"))
        assert not gate.admits(scope("GET", "/published/index.html", "", FETCH))
        assert not gate.admits(scope("GET", "/nothing/index.html"))

    def test_ask_whether_it_is_well(self, gate: Gate) -> None:
        assert gate.admits(scope("GET", "/_ministack/health"))


class TestNames:
    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "evil.example:4566",
            "127.0.0.1",
            "127.0.0.1:4567",
            "127.0.0.2:4566",
            "127.0.0.1.:4566",
            "localhost.:4566",
            "0.0.0.0:4566",
            "[::1]:4566",
            "[::ffff:127.0.0.1]:4566",
            "2130706433:4566",
            "4e05efcf.execute-api.127.0.0.1:4566",
            "filestore-4df925dd.s3.localhost:4566",
            "filestore-4df925dd.127.0.0.1:4566",
            "0123456789abcdef0123456789abcdef.lambda-url.us-east-1.on.aws",
            "127.0.0.1:4566, evil.example",
            "",
        ],
    )
    def test_of_somebody_else_lead_nowhere(self, gate: Gate, host: str) -> None:
        """A name that somebody points at this machine (DNS rebinding), or one by which the emulator finds services."""
        for request in (
            scope("POST", f"{API}/file", "", {"Host": host}),
            scope("GET", OBJECT, SIGNATURE, {"Host": host}),
            scope("PUT", CODE, "", signed(ROOT) | {"Host": host}),
        ):
            assert not gate.admits(request)

    def test_are_given_once(self, gate: Gate) -> None:
        request = scope("POST", f"{API}/file")
        assert not gate.admits(request | {"headers": []})
        assert not gate.admits(request | {"headers": request["headers"] * 2})

    def test_need_no_port_where_it_is_that_of_http(self) -> None:
        assert hosts(80) == {"127.0.0.1", "localhost", "127.0.0.1:80", "localhost:80"}
        assert hosts(8000) == {"127.0.0.1:8000", "localhost:8000"}

    def test_of_this_machine_are_two(self, gate: Gate) -> None:
        for host in ("127.0.0.1:4566", "localhost:4566", "LOCALHOST:4566"):
            assert gate.admits(scope("POST", f"{API}/file", "", {"Host": host}))


def test_no_other_protocol_passes(gate: Gate) -> None:
    """Pages may open web sockets to wherever they like; browsers do not ask first."""
    assert not gate.admits(scope("GET", f"{API}/file") | {"type": "websocket"})
