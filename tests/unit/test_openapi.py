"""The document that clients and their generators read: swagger.yaml without what is for AWS alone."""

import json
from typing import Any

import pytest
from openapi_spec_validator import validate

from local.openapi import document
from tests.support import SWAGGER

ROOT_URL = "https://example.org/dev"


@pytest.fixture
def read() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(json.dumps(document(SWAGGER, ROOT_URL)))
    return parsed


def test_is_valid_openapi(read: dict[str, Any]) -> None:
    validate(read)


def test_has_every_operation_but_the_preflights(read: dict[str, Any]) -> None:
    def routes(paths: dict[str, Any]) -> set[tuple[str, str]]:
        return {(path, method) for path, item in paths.items() for method in item if method != "options"}

    assert routes(read["paths"]) == routes(SWAGGER["paths"])
    assert ("/file", "options") not in {(path, method) for path, item in read["paths"].items() for method in item}


def test_has_nothing_of_aws(read: dict[str, Any]) -> None:
    text = json.dumps(read)
    for word in ("x-amazon", "Fn::", "AWS::", "arn:"):
        assert word not in text


def test_leaves_open_what_a_parameter_decides(read: dict[str, Any]) -> None:
    """Whether POST /file needs a key is the stack's business: a client sends one if it has one."""
    assert read["paths"]["/file"]["post"]["security"] == [{}, {"ApiKey": []}]
    assert read["paths"]["/files"]["put"]["security"] == [{"ApiKey": []}]


def test_names_the_server(read: dict[str, Any]) -> None:
    assert read["servers"] == [{"url": ROOT_URL}]
    assert "servers" not in document(SWAGGER)
