"""The usage plan, and the key that every back end's request needs."""

import time
from http import HTTPStatus

from requests import RequestException

from ops.smoke.checks import CheckFailed, NotSeen, check
from ops.smoke.session import UNKNOWN_ID, Smoke

# A key is known to one of API Gateway's hosts before it is to others.
_IN_A_ROW = 3
_MAKE_DEPLOY = "Deploy again; if it stays so, compare FilestoreUsagePlan in template.yaml with the console."


@check(source="template.yaml, FilestoreUsagePlan")
def usage_plan(smoke: Smoke) -> str:
    """The API's stage is on the usage plan, without which no key works."""
    plan = smoke.deployment.client("apigateway").get_usage_plan(usagePlanId=smoke.deployment.outputs["UsagePlanId"])
    stages = [(each["apiId"], each["stage"]) for each in plan.get("apiStages", [])]
    wanted = (smoke.deployment.outputs["ApiId"], smoke.deployment.stage)
    if wanted not in stages:
        raise CheckFailed(expected=f"{wanted} on it", came=stages, do=_MAKE_DEPLOY)
    return f"{wanted[1]} of {wanted[0]}"


@check(source="API Gateway developer guide: a new key takes up to a minute")
def key_works(smoke: Smoke) -> str:
    """A new API key opens the routes of back ends, and how soon."""
    started = time.monotonic()
    key = smoke.make_key()
    said = ""

    def works() -> bool:
        nonlocal said
        for _ in range(_IN_A_ROW):
            try:
                reply = smoke.call("POST", "/files", [UNKNOWN_ID], headers={"x-api-key": key})
            except RequestException as error:
                # A name that is new is not known everywhere at once either.
                said = str(error)[:200]
                return False
            if reply.status_code != HTTPStatus.OK:
                said = f"{reply.status_code} {reply.text[:200]}"
                return False
        return True

    if not smoke.wait(works):
        smoke.abandon_key()
        raise CheckFailed(
            expected=f"200 within {smoke.patience:.0f} s",
            came=said,
            do="See usage-plan, the log of InfoFunction, and where ApiRootUrl leads.",
        )
    return f"after {time.monotonic() - started:.1f} s"


@check(source="swagger.yaml: security")
def no_key(smoke: Smoke) -> str:
    """Without a key, and with a made-up one, /files is refused."""
    for method in ("PUT", "POST", "DELETE"):
        for headers in ({}, {"x-api-key": "x" * 40}):
            reply = smoke.call(method, "/files", [UNKNOWN_ID], headers=headers)
            if reply.status_code != HTTPStatus.FORBIDDEN:
                raise CheckFailed(
                    expected=f"403 for {method} /files with {headers or 'no key'}",
                    came=reply.status_code,
                    do="Take the stack off the net: see import-methods for the method that asks for no key.",
                )
    return "403, six times"


@check(source="swagger.yaml: POST /file has no security")
def browsers_need_no_key(smoke: Smoke) -> str:
    """A page asks for an upload without a key."""
    if smoke.key is None:
        raise NotSeen("the upload could not be deleted without a key: see key-works")
    return f"200, {smoke.begin()['id']}"
