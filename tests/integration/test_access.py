"""Who may do what: API keys, throttling, CORS, and bodies that are not as they should be."""

import json
from typing import Any

import pytest
import requests

from tests.stack import Stack, eventually
from tests.support import UNKNOWN_ID

METHODS = ["PUT", "POST", "DELETE"]


@pytest.mark.parametrize("method", METHODS)
class TestApiKeys:
    def test_none(self, stack: Stack, method: str) -> None:
        reply = stack.files(method, [UNKNOWN_ID], headers={})
        assert reply.status_code == 403
        assert reply.json()["message"] == "Forbidden"

    def test_a_wrong_one(self, stack: Stack, method: str) -> None:
        assert stack.files(method, [UNKNOWN_ID], headers={"x-api-key": "x" * 40}).status_code == 403

    @pytest.mark.parametrize(("enabled", "status"), [(True, 200), (False, 403)])
    def test_one_that_is_disabled(self, stack: Stack, method: str, enabled: bool, status: int) -> None:
        gateway = stack.client("apigateway")
        key = gateway.create_api_key(name="another", enabled=enabled)
        gateway.create_usage_plan_key(usagePlanId=stack.outputs["UsagePlanId"], keyId=key["id"], keyType="API_KEY")
        assert stack.files(method, [UNKNOWN_ID], headers={"x-api-key": key["value"]}).status_code == status

    def test_one_that_is_on_no_usage_plan(self, stack: Stack, method: str) -> None:
        key = stack.client("apigateway").create_api_key(name="loose", enabled=True)
        assert stack.files(method, [UNKNOWN_ID], headers={"x-api-key": key["value"]}).status_code == 403


def test_browsers_need_no_key(stack: Stack) -> None:
    assert stack.post_file({"name": "a"}).status_code == 200


class TestThrottling:
    """On a stack's own usage plan and stage, so that no other test is throttled."""

    def test_a_key_that_asks_too_much_gets_429(self, stack: Stack) -> None:
        gateway = stack.client("apigateway")
        plan = gateway.get_usage_plan(usagePlanId=stack.outputs["UsagePlanId"])
        slow = gateway.create_usage_plan(
            name="slow", apiStages=plan["apiStages"], throttle={"rateLimit": 1, "burstLimit": 2}
        )
        key = gateway.create_api_key(name="slow", enabled=True)
        gateway.create_usage_plan_key(usagePlanId=slow["id"], keyId=key["id"], keyType="API_KEY")
        replies = [stack.files("POST", [UNKNOWN_ID], headers={"x-api-key": key["value"]}) for _ in range(10)]
        throttled = [reply for reply in replies if reply.status_code == 429]
        assert throttled
        assert throttled[0].headers["Access-Control-Allow-Origin"] == "*"
        assert throttled[0].headers["Retry-After"] == "1"
        assert throttled[0].json()["code"] == "throttled"

    def test_browsers_that_ask_too_much_get_429_that_a_page_can_read(self, stack: Stack) -> None:
        """The stage's limit is 50 a second and 100 at once: lowered here to what a test can reach."""
        gateway = stack.client("apigateway")
        (plan_stage,) = gateway.get_usage_plan(usagePlanId=stack.outputs["UsagePlanId"])["apiStages"]
        where = {"restApiId": plan_stage["apiId"], "stageName": plan_stage["stage"]}
        limits = gateway.get_stage(**where)["methodSettings"]["/file/POST"]
        assert (limits["throttlingRateLimit"], limits["throttlingBurstLimit"]) == (50.0, 100)

        def limit(rate: str, burst: str) -> None:
            gateway.update_stage(
                **where,
                patchOperations=[
                    {"op": "replace", "path": "/~1file/POST/throttling/rateLimit", "value": rate},
                    {"op": "replace", "path": "/~1file/POST/throttling/burstLimit", "value": burst},
                ],
            )

        limit("0.001", "1")
        try:
            replies = [stack.post_file({"name": "a"}, headers={"Origin": "https://www.example.com"}) for _ in range(9)]
        finally:
            limit("50", "100")
            eventually(lambda: stack.post_file({"name": "a"}).ok)
        throttled = [reply for reply in replies if reply.status_code == 429]
        assert throttled
        assert throttled[0].headers["Access-Control-Allow-Origin"] == "*"
        assert throttled[0].json()["code"] == "throttled"


class TestCors:
    @pytest.mark.parametrize(
        ("path", "method", "header"),
        [
            ("/file", "POST", "content-type"),
            ("/file", "POST", "x-api-key"),
            ("/file", "POST", "idempotency-key"),
            (f"/file/{UNKNOWN_ID}", "DELETE", "x-upload-token"),
            (f"/file/{UNKNOWN_ID}", "DELETE", "x-api-key"),
        ],
    )
    def test_a_page_of_another_origin_may_ask_first(self, stack: Stack, path: str, method: str, header: str) -> None:
        reply = requests.options(
            stack.outputs["ApiRootUrl"] + path,
            headers={
                "Origin": "https://www.example.com",
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": header,
            },
            timeout=60,
        )
        assert reply.ok
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        assert method in reply.headers["Access-Control-Allow-Methods"]
        assert header in reply.headers["Access-Control-Allow-Headers"].lower()

    def test_a_preflight_that_nobody_would_send_is_refused_and_is_no_fault(self, stack: Stack) -> None:
        """A mock without a template for the type answers 500 unless told otherwise, and an alarm goes off."""
        reply = requests.options(
            f"{stack.outputs['ApiRootUrl']}/file", headers={"Content-Type": "text/plain"}, data=b"x", timeout=60
        )
        assert reply.status_code == 415
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        assert reply.json()["code"] == "refused"

    def test_the_bucket_answers_its_preflight(self, stack: Stack) -> None:
        url = stack.post_file({"name": "a"}).json()["url"]
        reply = requests.options(
            url,
            headers={
                "Origin": "https://www.example.com",
                "Access-Control-Request-Method": "PUT",
                "Access-Control-Request-Headers": "content-type",
            },
            timeout=60,
        )
        assert reply.ok
        assert "PUT" in reply.headers["Access-Control-Allow-Methods"]
        assert reply.headers["Access-Control-Allow-Headers"].lower() in ("*", "content-type")

    def test_a_refused_body_can_be_read_by_the_page(self, stack: Stack) -> None:
        reply = stack.post_file([], headers={"Origin": "https://www.example.com"})
        assert reply.status_code == 400
        assert reply.headers["Access-Control-Allow-Origin"] == "*"


MALFORMED: list[tuple[str, Any]] = [
    ("empty", b""),
    ("not JSON", b"not json"),
    ("cut off", b'{"name": "a'),
    ("not UTF-8", b'{"name": "\xff\xfe"}'),
    ("a byte order mark", b'\xef\xbb\xbf{"name": "a"'),
    ("null", b"null"),
    ("a number", b"7"),
    ("a string", b'"a"'),
    ("nested arrays", b"[[[[]]]]"),
    ("numbers", b"[1, 2, 3]"),
    ("objects", b"[{}]"),
    ("an empty object", b"{}"),
    ("an empty id", b'[""]'),
    ("a NUL in an id", b'["\\u0000"]'),
    ("a lone surrogate in an id", b'["\\ud800"]'),
    ("101 ids", json.dumps([f"{number:032x}" for number in range(101)]).encode()),
    ("a megabyte", json.dumps(["x" * 1_000_000]).encode()),
    ("a deep nest", b"[" * 20_000),
    ("an unknown property", b'{"name": "a", "unknown": 1}'),
    ("a NUL in a name", b'{"name": "a\\u0000b"}'),
    ("a lone surrogate in a name", b'{"name": "\\udc00"}'),
    ("a name that is none", b'{"name": {"name": "a"}}'),
    ("a long name", json.dumps({"name": "x" * 256}).encode()),
    ("a negative size", b'{"name": "a", "size": -1}'),
]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", None])
@pytest.mark.parametrize(("method", "path"), [("POST", "/file"), *((method, "/files") for method in METHODS)])
def test_a_malformed_body_is_a_400_that_says_so(stack: Stack, method: str, path: str, content_type: str | None) -> None:
    """Whatever the type it is announced as: API Gateway checks only what is announced as JSON."""
    for what, body in MALFORMED:
        headers = stack.key | ({"Content-Type": content_type} if content_type else {})
        reply = stack.request_patiently(method, path, data=body, headers=headers)
        assert reply.status_code == 400, (what, reply.status_code, reply.text)
        assert reply.json()["message"], what
        assert reply.json()["code"] in ("invalid_body", "too_many_ids"), what


@pytest.mark.parametrize("method", METHODS)
def test_no_ids_pass_the_gateway_and_are_answered_by_nothing(stack: Stack, method: str) -> None:
    assert [(reply := stack.files(method, [])).status_code, reply.json()] == [200, []]
    explained = stack.files(method, [], "?problems=true")
    assert (explained.status_code, explained.json()) == (200, {"result": [], "problems": {}})


def test_an_unknown_route_is_404(stack: Stack) -> None:
    reply = requests.get(stack.outputs["ApiRootUrl"] + "/nowhere", timeout=60)
    assert (reply.status_code, reply.json()["code"]) == (404, "unknown_route")
