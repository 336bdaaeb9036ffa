"""swagger.yaml as clients read it: OpenAPI, without what is for AWS alone, and with what API Gateway does not import.

Its import refuses models with oneOf or an example, and loses additionalProperties (Amazon API Gateway important notes).
So swagger.yaml has these in extensions of its own, and here they come where OpenAPI has them: ``x-examples`` of a
request and answer, ``x-links`` from an answer to the next request, ``x-result`` for what the array of an answer has.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from local.emulator import ROOT

Yaml = dict[str, Any]

_OF_AWS = "x-amazon-apigateway-"
_MEANING = re.compile(r"^- `(\w+)` \(\w+\): (.+)$", re.MULTILINE)
# What an answer has beside message and code.
_MORE: Yaml = {
    "invalid_body": {"errors": [{"path": "", "message": "It is not JSON."}]},
    "invalid_cursor": {"errors": [{"path": "cursor", "message": "It is not of this query."}]},
    "parts_missing": {"missing": [2, 3], "missing_count": 2},
}
_GROUPS = {
    "Pages": "What a browser calls. It holds no key: it gets a token with the upload.",
    "Back ends": "What a server calls, with its API key.",
}


def of_release(root: str | None = None) -> str:
    """The document of this checkout, as JSON."""
    return json.dumps(document(yaml.safe_load((ROOT / "swagger.yaml").read_text(encoding="utf-8")), root))


def document(swagger: Yaml, root: str | None = None) -> Yaml:
    """Returns the document, its server at ``root``.

    What a parameter of the stack decides is left open: a key for POST /file may be needed, or not.
    """
    stripped: Yaml = _stripped(swagger)
    schemas = stripped["components"]["schemas"]
    meanings = dict(_MEANING.findall(schemas["Error"]["properties"]["code"]["description"]))
    # An operation says what it is in its own case.
    del schemas["Result"]
    schemas["Page"]["properties"]["next"] |= {"type": "string", "nullable": True}
    for item in stripped["paths"].values():
        for operation in item.values():
            _close(operation.get("requestBody", {}).get("content", {}).get("application/json", {}), schemas)
    stripped["tags"] = [{"name": name, "description": description} for name, description in _GROUPS.items()]
    stripped["paths"] = {
        path: {
            method: _operation(operation, stripped["components"]["parameters"], meanings)
            for method, operation in item.items()
            if method != "options"
        }
        for path, item in stripped["paths"].items()
    }
    return {**stripped, "servers": [{"url": root}]} if root else stripped


def _stripped(node: Any) -> Any:
    match node:
        case {"Fn::If": [_, list() as public, list() as closed]}:
            # No requirement at all is one way to meet them.
            return [each or {} for each in (*(public or [{}]), *closed)]
        case {"type": "object"} if "properties" not in node:
            # There is no other: pairs of strings.
            return {**node, "additionalProperties": {"type": "string"}}
        case dict():
            return {key: _stripped(value) for key, value in node.items() if not str(key).startswith(_OF_AWS)}
        case list():
            return [_stripped(member) for member in node]
    return node


def _close(node: Any, schemas: Yaml) -> None:
    """Say of a request's objects that they take no other properties than theirs."""
    match node:
        case {"$ref": str() as reference}:
            _close(schemas[reference.rsplit("/", 1)[-1]], schemas)
        case dict():
            if "properties" in node:
                node["additionalProperties"] = False
            for value in node.values():
                _close(value, schemas)


def _operation(operation: Yaml, parameters: Yaml, meanings: Mapping[str, str]) -> Yaml:
    """The operation with its extensions where OpenAPI has them, and its codes explained."""
    examples = operation.pop("x-examples", {})
    links = operation.pop("x-links", {})
    items = operation.pop("x-result", None)
    needs_key = {} not in operation.get("security", [{}])
    more = _MORE | _wrong_query(operation.get("parameters", []), parameters)
    operation["tags"] = ["Back ends" if needs_key else "Pages"]
    for status, response in operation["responses"].items():
        if status >= "4":
            codes = {code: meanings[code] for code in response["description"].split(", ")}
            response["description"] = "\n".join(f"- `{code}`: {meaning}" for code, meaning in codes.items())
            for content in response.get("content", {}).values():
                content["examples"] = {
                    code: {
                        "value": {"message": f"{meaning[0].upper()}{meaning[1:]}.", "code": code} | more.get(code, {})
                    }
                    for code, meaning in codes.items()
                }
    if items:
        operation["responses"]["200"]["content"]["application/json"]["schema"] = _result(items)
    if links:
        operation["responses"]["200"]["links"] = links
    bodies = {"request": operation.get("requestBody"), "answer": operation["responses"].get("200")}
    for part, message in bodies.items():
        shown = {name: _example(name, each.get("query"), each[part]) for name, each in examples.items() if part in each}
        if message and shown:
            message["content"]["application/json"]["examples"] = shown
    return operation


def _example(name: str, query: Mapping[str, str] | None, value: object) -> Yaml:
    asked = "&".join(f"{key}={wanted}" for key, wanted in (query or {}).items())
    return {"summary": f"{name} (?{asked})" if asked else name, "value": value}


def _wrong_query(references: list[Yaml], parameters: Yaml) -> Yaml:
    """What the refusal of a query parameter has more, at an operation that takes one."""
    taken = [parameters[each["$ref"].rsplit("/", 1)[-1]] for each in references if "$ref" in each]
    names = [each["name"] for each in taken if each["in"] == "query"]
    if not names:
        return {}
    return {"invalid_request": {"errors": [{"path": names[0], "message": "It has a value that it does not take."}]}}


def _result(items: Yaml) -> Yaml:
    """An answer to a batch, without ``problems=yes`` and with it."""
    result = {"type": "array", "items": items}
    problems = {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Problem"}}
    with_problems = {
        "type": "object",
        "required": ["result", "problems"],
        "properties": {"result": result, "problems": problems},
    }
    return {"oneOf": [result, with_problems]}
