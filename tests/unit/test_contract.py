"""One name in every layer: swagger.yaml, template.yaml, handlers, events and tests agree."""

import importlib
import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from openapi_spec_validator import validate

from filestore.errors import FilestoreError
from local.openapi import document
from tests.support import ROOT, SWAGGER, TEMPLATE, Context, call, codes, invoke, sample_event
from tools.template import INCLUDED

RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
OPERATIONS = {
    operation["operationId"]: (path, method, operation)
    for path, item in SWAGGER["paths"].items()
    for method, operation in item.items()
    if "operationId" in operation
}
FUNCTIONS = {
    logical_id: resource["Properties"]
    for logical_id, resource in RESOURCES.items()
    if resource["Type"] == "AWS::Serverless::Function"
}
OF_BACK_ENDS = {"store", "info", "list", "show", "content", "update", "delete"}


def logical_id(operation: str) -> str:
    return f"{operation.capitalize()}Function"


def test_the_swagger_is_valid_openapi() -> None:
    validate(json.loads(json.dumps(document(SWAGGER))))


@pytest.mark.parametrize("name", INCLUDED)
def test_what_is_included_has_no_yaml_that_cloudformation_cannot_read(name: str) -> None:
    """It reads neither aliases nor merge keys nor, in a file that is included, short forms such as !Ref."""
    text = (ROOT / name).read_text()
    assert not re.search(r"^[^#'\"]*[:\s-]\s[&*]\w", text, re.MULTILINE)
    assert "<<:" not in text
    assert not re.search(r"^[^#'\"]*!\w", text, re.MULTILINE)


def test_everything_that_the_template_includes_is_deployed_with_it() -> None:
    text = (ROOT / "template.yaml").read_text()
    assert sorted(re.findall(r"Location: (.*)", text)) == sorted(INCLUDED)


def test_the_swagger_has_only_strings_as_status_codes() -> None:
    """API Gateway takes no others."""
    assert all(
        isinstance(status, str)
        for item in SWAGGER["paths"].values()
        for operation in item.values()
        for status in operation["responses"]
    )


def test_the_swagger_has_nothing_that_api_gateway_does_not_import() -> None:
    """References to responses and bodies, oneOf and anyOf: Amazon API Gateway important notes."""
    text = (ROOT / "swagger.yaml").read_text()
    assert set(re.findall(r"\$ref: '#/components/(\w+)/", text)) == {"parameters", "schemas"}
    assert not re.search(r"\b(oneOf|anyOf|allOf):", text)


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    """A schema and those within it."""
    yield node
    for within in (*node.get("properties", {}).values(), *([node["items"]] if "items" in node else [])):
        yield from schemas(within)


@pytest.mark.parametrize("model", SWAGGER["components"]["schemas"])
def test_models_say_only_what_api_gateway_keeps(model: str) -> None:
    """The import knows less than OpenAPI, and drops or refuses the rest.

    It is JSON Schema draft 4 without additionalProperties, oneOf, anyOf, allOf, example and readOnly, and minItems and
    maxItems are not checked (API Gateway developer guide, important notes). A description beside "type: array" was
    refused (aws-apigateway-importer, issue 69).
    """
    limits = {"enum", "minimum", "minLength", "maxLength"}
    kept = {"$ref", "type", "properties", "required", "items", "description"} | limits
    for schema in schemas(SWAGGER["components"]["schemas"][model]):
        assert schema.keys() <= kept
        assert not ("description" in schema and schema.get("type") == "array")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_body_is_a_model_with_a_name(operation: str) -> None:
    """API Gateway makes up a name for a schema in place, so what is said above would not be said of it."""
    spec = OPERATIONS[operation][2]
    for message in (*([spec["requestBody"]] if "requestBody" in spec else []), *spec["responses"].values()):
        for body in message.get("content", {}).values():
            assert re.fullmatch("#/components/schemas/[A-Za-z]+", body["schema"]["$ref"])


def test_every_function_has_a_handler_a_sample_event_and_tests() -> None:
    modules = {path.stem for path in (ROOT / "source/filestore/handlers").glob("*.py")} - {"__init__"}
    assert {logical_id(module) for module in modules} == set(FUNCTIONS)
    assert {path.stem for path in (ROOT / "events").glob("*.json")} == modules
    assert {f"test_{module}" for module in modules} <= {path.stem for path in (ROOT / "tests/unit").glob("*.py")}


@pytest.mark.usefixtures("moto_aws")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_functions_handler_is_where_its_name_says(function: str) -> None:
    module = function.removesuffix("Function").lower()
    assert FUNCTIONS[function]["Handler"] == f"filestore.handlers.{module}.handler"
    assert callable(importlib.import_module(f"filestore.handlers.{module}").handler)


@pytest.mark.parametrize("operation", OPERATIONS)
class TestOperations:
    def test_reach_the_function_of_their_name(self, operation: str) -> None:
        path, method, spec = OPERATIONS[operation]
        integration = spec["x-amazon-apigateway-integration"]
        assert f"${{{logical_id(operation)}.Arn}}" in integration["uri"]["Fn::Sub"]
        assert (integration["type"], integration["httpMethod"]) == ("aws_proxy", "POST")
        event = FUNCTIONS[logical_id(operation)]["Events"]["Api"]["Properties"]
        assert (event["Path"], event["Method"]) == (path, method.upper())

    def test_ask_back_ends_for_a_key_and_browsers_for_none(self, operation: str) -> None:
        security = OPERATIONS[operation][2].get("security", [])
        if operation == "upload":
            assert security == {"Fn::If": ["UploadIsPublic", [], [{"ApiKey": []}]]}
        else:
            assert security == ([{"ApiKey": []}] if operation in OF_BACK_ENDS else [])

    def test_have_bodies_checked_by_the_gateway(self, operation: str) -> None:
        spec = OPERATIONS[operation][2]
        assert ("requestBody" in spec) == (spec.get("x-amazon-apigateway-request-validator") == "body")

    def test_have_a_sample_event_of_their_route(self, operation: str) -> None:
        path, method, _ = OPERATIONS[operation]
        event = sample_event(operation)
        assert (event["resource"], event["httpMethod"]) == (path, method.upper())
        assert ("x-api-key" in event["headers"]) == (operation in OF_BACK_ENDS)


class TestErrors:
    OF_BACK_ENDS: ClassVar = {
        400: {"invalid_body", "invalid_request", "too_many_ids"},
        403: {"forbidden", "origin_not_allowed"},
        429: {"throttled", "quota_exceeded"},
        503: {"try_again"},
    }
    ANSWERED: ClassVar[dict[str, dict[int, set[str]]]] = {
        "upload": {
            400: {"invalid_body", "invalid_request", "file_too_large"},
            403: {"forbidden", "origin_not_allowed"},
            409: {"idempotency_key_reused"},
            429: {"throttled", "quota_exceeded"},
            503: {"try_again"},
        },
        "sign": {
            400: {"invalid_body"},
            403: {"invalid_token", "origin_not_allowed"},
            404: {"unknown"},
            409: {"not_in_parts", "already_uploaded", "upload_ended"},
            429: {"throttled"},
            503: {"try_again"},
        },
        "parts": {
            403: {"invalid_token", "origin_not_allowed"},
            404: {"unknown"},
            409: {"not_in_parts", "already_uploaded", "upload_ended"},
            429: {"throttled"},
            503: {"try_again"},
        },
        "complete": {
            400: {"invalid_body"},
            403: {"invalid_token", "origin_not_allowed"},
            404: {"unknown"},
            409: {"not_in_parts", "parts_missing", "checksum_mismatch", "upload_ended"},
            429: {"throttled", "still_completing"},
            503: {"try_again"},
        },
        "undo": {
            403: {"invalid_token", "origin_not_allowed"},
            404: {"unknown"},
            409: {"already_stored"},
            429: {"throttled"},
            503: {"try_again"},
        },
        "store": OF_BACK_ENDS | {400: {"invalid_body", "invalid_request", "too_many_ids", "stored_on_load"}},
        "info": OF_BACK_ENDS,
        "list": OF_BACK_ENDS | {400: {"invalid_request", "invalid_cursor"}},
        "show": OF_BACK_ENDS | {400: {"invalid_request"}, 404: {"unknown"}},
        "content": OF_BACK_ENDS | {400: {"invalid_request"}, 404: {"unknown"}, 409: {"not_stored"}},
        "update": OF_BACK_ENDS | {400: {"invalid_body"}, 404: {"unknown"}, 409: {"deleted"}},
        "delete": OF_BACK_ENDS,
    }

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_an_operation_names_those_it_answers_and_no_others(self, operation: str) -> None:
        assert codes(operation) == self.ANSWERED[operation]

    def test_are_listed_once_with_their_status(self) -> None:
        code = SWAGGER["components"]["schemas"]["Error"]["properties"]["code"]
        listed = dict(re.findall(r"^- `(\w+)` \((\dxx|\d{3})\): .{20}", code["description"], re.MULTILINE))
        assert list(listed) == code["enum"]
        assert listed.pop("refused") == "4xx"
        assert (listed.pop("internal_error"), listed.pop("unknown_route")) == ("500", "404")
        assert {(code, int(status)) for code, status in listed.items()} == {
            (code, status)
            for answered in self.ANSWERED.values()
            for status, known in answered.items()
            for code in known
        }

    def test_of_every_class_and_of_the_gateway_are_listed(self) -> None:
        def classes(kind: type[FilestoreError]) -> Iterator[type[FilestoreError]]:
            yield kind
            for each in kind.__subclasses__():
                yield from classes(each)

        templates = SWAGGER["x-amazon-apigateway-gateway-responses"].values()
        of_gateway = {re.findall(r'"code":"(\w+)"', str(each["responseTemplates"]))[0] for each in templates}
        of_functions = {kind.code for kind in classes(FilestoreError)}
        assert of_gateway | of_functions == set(SWAGGER["components"]["schemas"]["Error"]["properties"]["code"]["enum"])


@pytest.mark.parametrize("path", SWAGGER["paths"])
def test_browsers_get_a_preflight_on_public_routes_for_the_methods_there(path: str) -> None:
    item = SWAGGER["paths"][path]
    public = [
        method.upper()
        for method, spec in item.items()
        if method != "options" and spec.get("security") != [{"ApiKey": []}]
    ]
    assert ("options" in item) == bool(public)
    if public:
        integration = item["options"]["x-amazon-apigateway-integration"]
        assert integration["passthroughBehavior"] == "never"
        headers = integration["responses"]["default"]["responseParameters"]
        assert headers["method.response.header.Access-Control-Allow-Methods"] == f"'{','.join(public)},OPTIONS'"
        # Pages of 2019 may send their key along, AWS' own clients what they sign.
        assert headers["method.response.header.Access-Control-Allow-Headers"] == (
            "'Content-Type,Authorization,X-Api-Key,X-Upload-Token,X-Amz-Date,X-Amz-Security-Token,Idempotency-Key'"
        )


@pytest.mark.parametrize("kind", SWAGGER["x-amazon-apigateway-gateway-responses"])
def test_every_refusal_by_the_gateway_has_a_message_a_code_and_cors(kind: str) -> None:
    response = SWAGGER["x-amazon-apigateway-gateway-responses"][kind]
    body = json.loads(response["responseTemplates"]["application/json"].replace("$context.error.messageString", '"x"'))
    assert body["message"]
    assert re.fullmatch("[a-z_]+", body["code"])
    assert response["responseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"


@pytest.mark.usefixtures("emulator_aws")
@pytest.mark.parametrize("module", sorted(function.removesuffix("Function").lower() for function in FUNCTIONS))
def test_every_sample_event_is_understood(module: str) -> None:
    answer = invoke(module, sample_event(module), Context())
    assert answer.get("statusCode", 200) in (200, 404)


@pytest.mark.usefixtures("moto_aws")
def test_the_sample_request_is_what_the_schema_allows() -> None:
    event = sample_event("upload")
    assert call("upload", json.loads(event["body"])).status == 200
