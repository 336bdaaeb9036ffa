"""A changed parameter reaches the functions, and goes back."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import requests

from ops.errors import OperatorError
from ops.smoke import scratch
from ops.smoke.checks import CheckFailed, NotSeen, check, expect
from ops.smoke.session import UNKNOWN_ID, Smoke, said

# It stands in the functions' environment and in the description of their versions; a second more harms nobody.
_PARAMETER = "UnstoredFileLifetime"
_MAX = 31_536_000
_WITHIN = 30 * 60
_ASK_EVERY = 0.5
_SAY_EVERY = 30
_VERSIONS = "Parameters do not reach the functions: see VersionDescription in template.yaml."


@check(source="template.yaml, VersionDescription; SAM: AutoPublishAlias")
def parameter_change(smoke: Smoke) -> str:
    """A parameter's new value makes a new version of every function, no request fails meanwhile, and it goes back."""
    if not smoke.with_update:
        raise NotSeen("not asked for: UPDATE=yes changes a parameter and sets it back, for some minutes")
    before = smoke.deployment.parameters[_PARAMETER]
    other = str(int(before) + 1 if int(before) < _MAX else int(before) - 1)
    smoke.say(f"parameter-change: {_PARAMETER} is {before}, becomes {other} and goes back")
    template = _template(smoke)
    smoke.cleanup.note(f"parameter {_PARAMETER}, which was {before}", lambda: _set(smoke, template, before))
    versions = [_versions(smoke)]
    with watched_requests(smoke) as watched:
        for value in (other, before):
            started = time.monotonic()
            _set(smoke, template, value)
            smoke.say(f"parameter-change: {_PARAMETER}={value} after {time.monotonic() - started:.0f} s")
            versions.append(_versions(smoke))
            same = [name for name in versions[-1] if versions[-1][name] == versions[-2][name]]
            expect(f"functions that kept their version with {_PARAMETER}={value}", same, [], _VERSIONS)
    if watched.failures:
        raise CheckFailed(
            expected=f"{watched.count} requests to be answered meanwhile",
            came=f"{len(watched.failures)} that were not, the first: {watched.failures[0]}",
            do="See the log of InfoFunction at that time.",
        )
    return f"{len(versions[0])} functions, twice; {watched.count} requests meanwhile, all answered"


def _versions(smoke: Smoke) -> dict[str, str]:
    """The version that each function's alias points to."""
    client = smoke.deployment.client("lambda")
    return {
        logical: client.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
        for logical, name in smoke.deployment.functions().items()
    }


def _template(smoke: Smoke) -> str:
    """The address of the template as it was deployed: it is too long to be passed on."""
    body = smoke.deployment.client("cloudformation").get_template(
        StackName=smoke.deployment.name, TemplateStage="Original"
    )["TemplateBody"]
    s3, bucket = smoke.deployment.client("s3"), scratch.bucket(smoke)
    s3.put_object(Bucket=bucket, Key="template", Body=body if isinstance(body, str) else json.dumps(body))
    return f"{s3.meta.endpoint_url}/{bucket}/template"


def _set(smoke: Smoke, template: str, value: str) -> None:
    """Give the parameter this value, all others theirs, as sam deploy does: by a change set."""
    cloudformation, stack = smoke.deployment.client("cloudformation"), smoke.deployment.name
    _settle(smoke)
    (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    if {"ParameterKey": _PARAMETER, "ParameterValue": value} in described["Parameters"]:
        return
    name = f"{smoke.name}-{time.time_ns()}"
    change_set = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        ChangeSetType="UPDATE",
        TemplateURL=template,
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value}
            if key == _PARAMETER
            else {"ParameterKey": key, "UsePreviousValue": True}
            for key in smoke.deployment.parameters
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )["Id"]
    cloudformation.get_waiter("change_set_create_complete").wait(
        ChangeSetName=change_set, WaiterConfig={"Delay": 1 if smoke.deployment.here else 5, "MaxAttempts": 120}
    )
    cloudformation.execute_change_set(ChangeSetName=change_set)
    status = _settle(smoke)
    if status != "UPDATE_COMPLETE":
        raise OperatorError(f"The change of {_PARAMETER} ended in {status}: see the stack's events.")


def _settle(smoke: Smoke) -> str:
    """The stack's status, once nothing is going on."""
    cloudformation = smoke.deployment.client("cloudformation")
    until, told = time.monotonic() + _WITHIN, time.monotonic()
    while True:
        (stack,) = cloudformation.describe_stacks(StackName=smoke.deployment.name)["Stacks"]
        status: str = stack["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            return status
        if time.monotonic() > until:
            raise OperatorError(f"The stack is still {status} after {_WITHIN // 60} minutes.")
        if time.monotonic() > told + _SAY_EVERY:
            told = time.monotonic()
            smoke.say(f"parameter-change: {status}")
        time.sleep(0.1 if smoke.deployment.here else 5)


@dataclass
class Watched:
    """How many requests were made, and what came of those that were not answered as they should be."""

    count: int = 0
    failures: list[str] = field(default_factory=list)


@contextmanager
def watched_requests(smoke: Smoke) -> Iterator[Watched]:
    """Ask for details again and again while the block runs."""
    url, headers = f"{smoke.deployment.outputs['ApiRootUrl']}/files", smoke.key_headers()
    watched, over = Watched(), threading.Event()

    def ask() -> None:
        while not (watched.count and over.wait(_ASK_EVERY)):
            watched.count += 1
            smoke.counted["API"] += 1
            try:
                reply = requests.post(url, json=[UNKNOWN_ID], headers=headers, timeout=60)
            except requests.RequestException as error:
                watched.failures.append(type(error).__name__)
            else:
                if reply.status_code != HTTPStatus.OK:
                    watched.failures.append(said(reply))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield watched
    finally:
        over.set()
        thread.join()
