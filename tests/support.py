"""What the tests share: functions called as Lambda calls them, and the state behind them."""

import copy
import functools
import importlib
import itertools
import json
import re
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from filestore.storage import aws
from local.deploy import read_template, read_yaml
from local.openapi import document

ROOT = Path(__file__).parents[1]


TEMPLATE = read_template()
SWAGGER = read_yaml("swagger.yaml")


def translated(**parameters: str) -> dict[str, Any]:
    """The resources that CloudFormation gets from SAM."""
    template = read_template()
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/code"
    template["Resources"]["FilestoreApi"]["Properties"]["DefinitionBody"] = SWAGGER
    defaults = {name: parameter["Default"] for name, parameter in template["Parameters"].items()}
    session = boto3.Session(region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
    resources: dict[str, Any] = Translator({}, Parser(), boto_session=session).translate(
        template, defaults | parameters
    )["Resources"]
    return resources


UNKNOWN_ID = "0" * 32
"""Has the form of an id, and is the id of nothing."""


class Clock:
    """A clock that only moves when it is told to. Seconds since the epoch."""

    def __init__(self, start: float) -> None:
        self.time = start

    def __call__(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


class Context:
    """The part of Lambda's context that the functions look at."""

    aws_request_id = "5a0fbd4c-7d39-4cf3-b4f5-6d0b4a2f0f2b"

    def __init__(self, remaining: Iterator[int] | None = None) -> None:
        self._remaining = remaining or itertools.repeat(300_000)

    def get_remaining_time_in_millis(self) -> int:
        return next(self._remaining)


class Reply(NamedTuple):
    """An answer of an endpoint, its body parsed."""

    status: int
    body: Any
    headers: dict[str, str]


def sample_event(operation: str) -> dict[str, Any]:
    """The sample event of a function."""
    event: dict[str, Any] = json.loads(_sample(operation))
    return event


@functools.cache
def _sample(operation: str) -> str:
    return (ROOT / "events" / f"{operation}.json").read_text()


def invoke(operation: str, event: Mapping[str, Any], context: Context | None = None) -> Any:
    """Run a function as Lambda does."""
    handler = importlib.import_module(f"filestore.handlers.{operation}").handler
    answer = handler(copy.deepcopy(dict(event)), context or Context())
    assert payload(answer) <= MAX_PAYLOAD, f"{operation} answers {payload(answer)} octets, which Lambda refuses"
    return answer


MAX_PAYLOAD = 6_291_556
"""Octets of a function's answer (Lambda quotas: 6 MB). More is a 502."""


def payload(answer: object) -> int:
    """The size of an answer as Lambda counts it: as JSON, in which the body is a string, escaped once more."""
    return len(json.dumps(answer).encode())


def call(
    operation: str,
    body: object = None,
    *,
    raw: str | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    file_id: str | None = None,
    key_id: str | None = None,
) -> Reply:
    """Call an endpoint as API Gateway does. ``raw`` is a body that need not be JSON, ``key_id`` another key's."""
    event = sample_event(operation)
    event["body"] = raw if raw is not None else None if body is None else json.dumps(body)
    event["queryStringParameters"] = dict(query) if query else None
    event["headers"] |= headers or {}
    if file_id is not None:
        event["pathParameters"] = {"id": file_id}
    if key_id is not None:
        event["requestContext"]["identity"]["apiKeyId"] = key_id
    answer = invoke(operation, event)
    reply = Reply(answer["statusCode"], json.loads(answer["body"] or "null"), answer["headers"])
    if reply.status >= HTTPStatus.BAD_REQUEST:
        assert_says_why(reply.body)
        if reply.status != HTTPStatus.INTERNAL_SERVER_ERROR:
            assert reply.body["code"] in codes(operation)[reply.status]
            assert reply.body.keys() == refusals(operation)[reply.body["code"]].keys()
    return reply


@functools.cache
def refusals(operation: str) -> dict[str, dict[str, Any]]:
    """The examples that the reference has of an operation's refusals, by code."""
    responses = next(
        each["responses"]
        for item in document(SWAGGER)["paths"].values()
        for each in item.values()
        if each.get("operationId") == operation
    )
    return {
        code: example["value"]
        for status, response in responses.items()
        if int(status) >= HTTPStatus.BAD_REQUEST
        for code, example in response["content"]["application/json"]["examples"].items()
    }


@functools.cache
def codes(operation: str) -> dict[int, set[str]]:
    """The codes that swagger.yaml says an operation refuses with, by status."""
    (responses,) = [
        each["responses"]
        for item in SWAGGER["paths"].values()
        for each in item.values()
        if each.get("operationId") == operation
    ]
    return {
        int(status): set(response["description"].split(", "))
        for status, response in responses.items()
        if int(status) >= HTTPStatus.BAD_REQUEST
    }


def assert_says_why(body: Mapping[str, Any]) -> None:
    """Every refusal has a sentence for people and a code for programs, and where it is the body's, where in it."""
    assert body["message"].endswith(".")
    assert re.fullmatch("[a-z]+(_[a-z]+)*", body["code"])
    for error in body.get("errors", []):
        assert isinstance(error["path"], str)
        assert re.fullmatch(r"[A-Z].*\.", error["message"], re.DOTALL)


def upload_event(*uploads: Mapping[str, Any]) -> dict[str, Any]:
    """An SQS event with one message per upload; each is ``key``, ``versionId``, ``size``, ``eTag``."""
    event = sample_event("uploaded")
    (template,) = event["Records"]
    event["Records"] = []
    for number, upload in enumerate(uploads):
        message = copy.deepcopy(template)
        notification = json.loads(message["body"])
        notification["Records"][0]["s3"]["object"] |= upload
        message |= {"messageId": f"message-{number}", "body": json.dumps(notification)}
        event["Records"].append(message)
    return event


def put(url: str, contents: bytes, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """PUT to a presigned URL. Answers what S3's event would say of the object."""
    request = urllib.request.Request(url, data=contents, headers={"Content-Type": "", **(headers or {})}, method="PUT")
    with urllib.request.urlopen(request) as response:
        key = urlsplit(url).path.rsplit("/", 1)[-1]
        return {
            "key": key,
            "versionId": response.headers["x-amz-version-id"],
            "size": len(contents),
            "eTag": response.headers["ETag"].strip('"'),
        }


def get(url: str) -> bytes:
    """GET a presigned URL."""
    with urllib.request.urlopen(url) as response:
        contents: bytes = response.read()
        return contents


def status_of(method: str, url: str, contents: bytes | None = None, headers: Mapping[str, str] | None = None) -> int:
    """The status with which a presigned URL answers."""
    request = urllib.request.Request(url, data=contents, headers={"Content-Type": "", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """Count the AWS calls of the functions, by operation, while the block runs."""
    calls: Counter[str] = Counter()
    # Some calls are made beside each other.
    one_at_a_time = threading.Lock()

    def count(model: Any, **_: object) -> None:
        with one_at_a_time:
            calls[model.name] += 1

    clients = (aws.dynamodb(), aws.s3())
    for client in clients:
        client.meta.events.register("before-call", count)
    try:
        yield calls
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", count)
