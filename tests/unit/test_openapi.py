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
    for word in ("x-amazon", "x-examples", "x-links", "x-result", "Fn::", "AWS::", "arn:"):
        assert word not in text


def test_leaves_open_what_a_parameter_decides(read: dict[str, Any]) -> None:
    """Whether POST /file needs a key is the stack's business: a client sends one if it has one."""
    assert read["paths"]["/file"]["post"]["security"] == [{}, {"ApiKey": []}]
    assert read["paths"]["/files"]["put"]["security"] == [{"ApiKey": []}]


def test_explains_the_codes_where_they_are_answered(read: dict[str, Any]) -> None:
    refused = read["paths"]["/files/{id}/content"]["get"]["responses"]
    assert refused["409"]["description"] == (
        "- `not_stored`: nobody has stored the file yet, so its contents cannot be had"
    )
    assert refused["403"]["description"].count("\n") == 1


def test_says_what_api_gateway_cannot_import(read: dict[str, Any]) -> None:
    """One of two answers, pairs of strings, null: without them a generated client would know no type."""
    schemas = read["components"]["schemas"]
    assert "Result" not in schemas
    answers = read["paths"]["/files"]["put"]["responses"]["200"]["content"]["application/json"]["schema"]["oneOf"]
    assert answers[0] == {"type": "array", "items": {"type": "string"}}
    assert answers[1]["properties"]["result"] == answers[0]
    assert schemas["File"]["properties"]["meta"]["additionalProperties"] == {"type": "string"}
    assert schemas["Page"]["properties"]["next"]["nullable"] is True


def test_leads_from_an_answer_to_operations_that_there_are(read: dict[str, Any]) -> None:
    operations = [operation for item in read["paths"].values() for operation in item.values()]
    by_id = {operation["operationId"]: operation for operation in operations if "operationId" in operation}
    links = [link for each in operations for link in each["responses"].get("200", {}).get("links", {}).values()]
    assert len(links) > 10
    for link in links:
        target = by_id[link["operationId"]]
        names = {parameter["$ref"].rsplit("/", 1)[-1] for parameter in target["parameters"]}
        known = {read["components"]["parameters"][name]["name"] for name in names}
        assert set(link.get("parameters", {})) <= known
        assert ("requestBody" in link) <= ("requestBody" in target)


def test_tells_pages_from_back_ends(read: dict[str, Any]) -> None:
    of_pages = {
        path for path, item in read["paths"].items() for operation in item.values() if operation["tags"] == ["Pages"]
    }
    assert of_pages == {"/file", "/file/{id}", "/file/{id}/parts", "/file/{id}/complete"}


def test_names_the_server(read: dict[str, Any]) -> None:
    assert read["servers"] == [{"url": ROOT_URL}]
    assert "servers" not in document(SWAGGER)
