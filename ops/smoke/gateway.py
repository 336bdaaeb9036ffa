"""What API Gateway made of swagger.yaml when CloudFormation imported it."""

import json
from collections.abc import Iterator
from typing import Any

from ops.smoke.checks import CheckFailed, check, expect
from ops.smoke.session import Smoke

_JSON = "application/json"
_IMPORT = "Amazon API Gateway important notes (REST APIs, OpenAPI)"
_DO = "The import dropped it: compare with swagger.yaml in the console, and deploy again."
# Without these a validator checks nothing worth checking. The import is known to drop others.
_NEEDED = frozenset({"type", "items", "properties", "required"})


@check(source=_IMPORT)
def import_methods(smoke: Smoke) -> str:
    """Every operation of swagger.yaml is there, asks for a key where it should, and calls the alias live."""
    methods = _methods(smoke)
    operations = dict(_operations(smoke))
    expect("operations", sorted(methods), sorted(operations), _DO)
    for where, operation in operations.items():
        needed = bool(operation.get("security")) and not (where == "POST /file" and smoke.deployment.upload_is_public)
        expect(f"{where}: API key", bool(methods[where].get("apiKeyRequired")), needed, _DO)
        integration = methods[where]["methodIntegration"]
        wanted = operation["x-amazon-apigateway-integration"]["type"]
        expect(f"{where}: integration", integration["type"].lower(), wanted, _DO)
        if wanted == "aws_proxy" and ":live/invocations" not in integration["uri"]:
            raise CheckFailed(expected=f"{where} to call the alias live", came=integration["uri"], do=_DO)
    return f"{len(operations)} operations"


@check(source=_IMPORT)
def import_validators(smoke: Smoke) -> str:
    """Bodies are validated, those of DELETE /files too."""
    gateway, api = smoke.deployment.client("apigateway"), smoke.deployment.api
    validators = {each["id"]: each for each in gateway.get_request_validators(**api)["items"]}
    wanted = smoke.deployment.swagger["x-amazon-apigateway-request-validators"]
    methods = _methods(smoke)
    count = 0
    for where, operation in _operations(smoke):
        name = operation.get("x-amazon-apigateway-request-validator")
        if name is None:
            continue
        found = validators.get(methods[where].get("requestValidatorId", ""), {})
        expect(f"{where}: validator", found.get("name"), name, _DO)
        settings = {setting: found.get(setting) for setting in wanted[name]}
        expect(f"{where}: validator {name}", settings, wanted[name], _DO)
        count += 1
    return f"{count} operations"


@check(source=_IMPORT)
def import_models(smoke: Smoke) -> str:
    """Each body has its model, and which keywords of the schemas the import kept."""
    gateway, api = smoke.deployment.client("apigateway"), smoke.deployment.api
    methods, models = _methods(smoke), set()
    for where, operation in _operations(smoke):
        if "requestBody" not in operation:
            continue
        model = operation["requestBody"]["content"][_JSON]["schema"]["$ref"].rsplit("/", 1)[-1]
        expect(f"{where}: model", methods[where].get("requestModels", {}).get(_JSON), model, _DO)
        models.add(model)
    wanted: set[str] = set()
    kept: set[str] = set()
    for model in models:
        wanted |= set(_keywords(smoke.deployment.swagger["components"]["schemas"][model]))
        kept |= set(_keywords(json.loads(gateway.get_model(**api, modelName=model)["schema"])))
    if _NEEDED - kept:
        raise CheckFailed(expected=f"models with {sorted(_NEEDED)}", came=sorted(kept), do=_DO)
    return f"{len(models)} models; lost by the import: {', '.join(sorted(wanted - kept)) or 'nothing'}"


@check(source=_IMPORT)
def gateway_responses(smoke: Smoke) -> str:
    """The answers that API Gateway gives itself are swagger.yaml's."""
    gateway, api = smoke.deployment.client("apigateway"), smoke.deployment.api
    found = {each["responseType"]: each for each in gateway.get_gateway_responses(**api, limit=500)["items"]}
    wanted = smoke.deployment.swagger["x-amazon-apigateway-gateway-responses"]
    for kind, response in wanted.items():
        has = {part: found.get(kind, {}).get(part) for part in response}
        expect(kind, has, response, _DO)
    return f"{len(wanted)} kinds"


@check(source="GetExport, API Gateway API reference")
def export(smoke: Smoke) -> str:
    """What is deployed to the stage has every operation; which lost their body (OpenAPI has none for DELETE)."""
    answer = smoke.deployment.client("apigateway").get_export(
        **smoke.deployment.api,
        stageName=smoke.deployment.stage,
        exportType="oas30",
        parameters={"extensions": "apigateway"},
        accepts=_JSON,
    )
    exported = json.loads(answer["body"].read())["paths"]
    has = {
        f"{method.upper()} {path}": operation
        for path, item in exported.items()
        for method, operation in item.items()
        if method != "parameters"
    }
    wanted = dict(_operations(smoke))
    expect("operations", sorted(has), sorted(wanted), "The stage is older than the API: deploy again.")
    bare = [where for where in wanted if "requestBody" in wanted[where] and "requestBody" not in has[where]]
    return f"{len(has)} operations; exported without their body: {', '.join(bare) or 'none'}"


def _operations(smoke: Smoke) -> Iterator[tuple[str, dict[str, Any]]]:
    """Those of swagger.yaml, such as PUT /files."""
    for path, item in smoke.deployment.swagger["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def _methods(smoke: Smoke) -> dict[str, dict[str, Any]]:
    """Those of the API, likewise."""
    answer = smoke.deployment.client("apigateway").get_resources(**smoke.deployment.api, embed=["methods"], limit=500)
    return {
        f"{name} {resource['path']}": method
        for resource in answer["items"]
        for name, method in resource.get("resourceMethods", {}).items()
    }


def _keywords(schema: Any) -> Iterator[str]:
    """The keywords of a JSON schema, without the names of properties."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            yield key
            if key == "properties":
                for each in value.values():
                    yield from _keywords(each)
            elif isinstance(value, dict):
                yield from _keywords(value)
