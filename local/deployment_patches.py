"""Gives the deployed stack what the emulator leaves out of a deployment, and AWS does not.

Its runtime knows all of it, only its CloudFormation does not pass it on. So it is read from the same swagger.yaml and
template.yaml and set through the ordinary control plane, as an operator could. What is there already is left alone.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from local.emulator import Emulator

Yaml = dict[str, Any]

PARTIQL_POLICY = "emulator-partiql"


def apply(
    aws: Emulator,
    outputs: Mapping[str, str],
    *,
    swagger: Yaml,
    template: Yaml,
    functions: Mapping[str, str],
    stage: str = "dev",
) -> None:
    """Give the stack all of it, as far as it concerns Filestore."""
    api = _Api(aws, outputs["ApiId"], stage)
    api.check_bodies(swagger)
    api.answer_preflights(swagger)
    api.shape_refusals(swagger)
    api.deploy()
    api.throttle(template)
    _expire_records(aws, outputs["TableName"], template)
    _allow_plain_http(aws, outputs["StorageBucketName"])
    _allow_partiql(aws, functions)


class _Api:
    """The REST API, as far as the import of swagger.yaml left it unfinished."""

    def __init__(self, aws: Emulator, api_id: str, stage: str) -> None:
        self._gateway = aws.client("apigateway")
        self._api = {"restApiId": api_id}
        self._stage = stage
        self._changed = False
        resources = self._gateway.get_resources(**self._api, embed=["methods"], limit=500)["items"]
        self._resources = {resource["path"]: resource for resource in resources}

    def check_bodies(self, swagger: Yaml) -> None:
        """Request validators, with the schemas of the bodies as models."""
        if self._gateway.get_request_validators(**self._api)["items"]:
            return
        self._changed = True
        validators = {
            name: self._gateway.create_request_validator(**self._api, name=name, **settings)["id"]
            for name, settings in swagger["x-amazon-apigateway-request-validators"].items()
        }
        models = set()
        for path, method, operation in _operations(swagger):
            validator = operation.get("x-amazon-apigateway-request-validator")
            if validator is None:
                continue
            body = _resolve(operation["requestBody"], swagger)
            model = body["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
            if model not in models:
                models.add(model)
                schema = json.dumps(_inlined(swagger["components"]["schemas"][model], swagger))
                self._gateway.create_model(**self._api, name=model, contentType="application/json", schema=schema)
            where = self._method(path, method)
            existing = self._gateway.get_method(**where)
            integration = existing["methodIntegration"]
            self._gateway.put_method(
                **where,
                authorizationType="NONE",
                apiKeyRequired=existing["apiKeyRequired"],
                requestValidatorId=validators[validator],
                requestModels={"application/json": model},
            )
            self._gateway.put_integration(
                **where,
                type=integration["type"],
                integrationHttpMethod=integration["httpMethod"],
                uri=integration["uri"],
            )

    def answer_preflights(self, swagger: Yaml) -> None:
        """The answers of mock integrations."""
        for path, method, operation in _operations(swagger):
            spec = operation["x-amazon-apigateway-integration"]
            where = self._method(path, method)
            if spec["type"] != "mock" or self._gateway.get_integration(**where).get("integrationResponses"):
                continue
            self._changed = True
            self._gateway.put_integration(
                **where,
                type="MOCK",
                requestTemplates=spec["requestTemplates"],
                passthroughBehavior=spec.get("passthroughBehavior", "when_no_match").upper(),
            )
            for answer in spec["responses"].values():
                status, parameters = answer["statusCode"], answer["responseParameters"]
                self._gateway.put_method_response(
                    **where, statusCode=status, responseParameters=dict.fromkeys(parameters, False)
                )
                self._gateway.put_integration_response(**where, statusCode=status, responseParameters=parameters)

    def shape_refusals(self, swagger: Yaml) -> None:
        """Gateway responses."""
        existing = self._gateway.get_gateway_responses(**self._api)["items"]
        shaped = {response["responseType"] for response in existing if not response["defaultResponse"]}
        for kind, spec in swagger["x-amazon-apigateway-gateway-responses"].items():
            if kind not in shaped:
                self._changed = True
                status = {"statusCode": spec["statusCode"]} if "statusCode" in spec else {}
                self._gateway.put_gateway_response(
                    **self._api,
                    responseType=kind,
                    responseParameters=spec["responseParameters"],
                    responseTemplates=spec["responseTemplates"],
                    **status,
                )

    def deploy(self) -> None:
        """Make the changes so far take effect."""
        if self._changed:
            self._gateway.create_deployment(**self._api, stageName=self._stage)

    def throttle(self, template: Yaml) -> None:
        """Limits of single methods: the emulator files them under the escaped path, where no request finds them."""
        stage = self._gateway.get_stage(**self._api, stageName=self._stage)
        settings = stage.get("methodSettings", {})
        for limits in template["Resources"]["FilestoreApi"]["Properties"]["MethodSettings"]:
            path, method = limits["ResourcePath"].lstrip("/"), limits["HttpMethod"]
            escaped = settings.get(f"/{path}/{method}")
            unescaped = f"{path.replace('~1', '/')}/{method}"
            if "~1" not in path or escaped is None or unescaped in settings:
                continue
            self._gateway.update_stage(
                **self._api,
                stageName=self._stage,
                patchOperations=[
                    {"op": "replace", "path": f"/{path}/{method}/throttling/{name}", "value": str(escaped[key])}
                    for name, key in (("rateLimit", "throttlingRateLimit"), ("burstLimit", "throttlingBurstLimit"))
                ],
            )

    def _method(self, path: str, method: str) -> dict[str, str]:
        return {**self._api, "resourceId": self._resources[path]["id"], "httpMethod": method.upper()}


def _operations(swagger: Yaml) -> list[tuple[str, str, Yaml]]:
    return [(path, method, operation) for path, item in swagger["paths"].items() for method, operation in item.items()]


def _resolve(node: Yaml, swagger: Yaml) -> Yaml:
    """The node itself, or what its reference (a JSON Pointer) leads to."""
    if "$ref" not in node:
        return node
    target = swagger
    for part in node["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return target


def _inlined(node: Any, swagger: Yaml) -> Any:
    """A schema without references."""
    if isinstance(node, dict):
        return {key: _inlined(value, swagger) for key, value in _resolve(node, swagger).items()}
    if isinstance(node, list):
        return [_inlined(member, swagger) for member in node]
    return node


def _expire_records(aws: Emulator, table: str, template: Yaml) -> None:
    dynamodb = aws.client("dynamodb")
    described = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    if described["TimeToLiveStatus"] == "DISABLED":
        wanted = template["Resources"]["FilesTable"]["Properties"]["TimeToLiveSpecification"]
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)


def _allow_plain_http(aws: Emulator, bucket: str) -> None:
    """The bucket refuses whatever comes without TLS, which nothing here has: it does not leave the loopback."""
    s3 = aws.client("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    policy["Statement"] = [statement for statement in policy["Statement"] if statement["Sid"] != "TlsOnly"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def _allow_partiql(aws: Emulator, functions: Mapping[str, str]) -> None:
    iam, lambda_ = aws.client("iam"), aws.client("lambda")
    for name in functions.values():
        allow_partiql(iam, lambda_.get_function_configuration(FunctionName=name)["Role"].rsplit("/", 1)[-1])


def allow_partiql(iam: Any, role: str) -> None:
    """On AWS a batch needs the rights to its statements, while the emulator wants a right to the batch itself."""
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        document = json.loads(unquote(document)) if isinstance(document, str) else document
        for statement in document["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if any(action.startswith("dynamodb:PartiQL") for action in actions):
                allowed = {**statement, "Action": "dynamodb:BatchExecuteStatement", "Resource": "*"}
                iam.put_role_policy(
                    RoleName=role,
                    PolicyName=PARTIQL_POLICY,
                    PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
                )
