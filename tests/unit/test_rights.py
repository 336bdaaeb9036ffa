"""Every role has exactly the rights that are written down, on what SAM makes of the template."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests import rights, support
from tests.support import TEMPLATE

FUNCTIONS = list(rights.ALLOWED)


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return support.translated()


def chosen(node: Any, conditions: Mapping[str, bool]) -> Any:
    """The node with its conditions decided; what is then not there is None."""
    match node:
        case {"Fn::If": [str() as name, yes, no]}:
            return chosen(yes if conditions[name] else no, conditions)
        case {"Ref": "AWS::NoValue"}:
            return None
        case dict():
            return {key: chosen(value, conditions) for key, value in node.items()}
        case list():
            return [member for value in node if (member := chosen(value, conditions)) is not None]
    return node


def text(resource: Any) -> str:
    """A resource of a statement as one would write it in a Fn::Sub."""
    match resource:
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::GetAtt": str() as name}:
            return f"${{{name}}}"
        case {"Fn::Sub": str() as template}:
            return template
        case {"Ref": name}:
            return f"${{{name}}}"
        case str():
            return resource
    raise AssertionError(f"not understood: {resource}")


def granted(role: Mapping[str, Any], **conditions: bool) -> dict[str, str]:
    """The actions that a role allows, each with its resource. Anything but plain statements that allow is an error."""
    properties = chosen(
        role["Properties"],
        {"HasPermissionsBoundary": False, "HasEncryptionKey": False, "IsTraced": False} | conditions,
    )
    assert properties.keys() <= {"PermissionsBoundary", "AssumeRolePolicyDocument", "Policies"}
    actions: dict[str, str] = {}
    for policy in properties["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement.keys() == {"Effect", "Action", "Resource"}
            assert statement["Effect"] == "Allow"
            named = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            for action in named:
                assert action not in actions
                actions[action] = text(statement["Resource"])
    return actions


LOGGING = dict.fromkeys(("logs:CreateLogStream", "logs:PutLogEvents"), "${FunctionsLogGroup.Arn}")


@pytest.mark.parametrize("function", FUNCTIONS)
class TestEveryFunction:
    def test_has_exactly_the_rights_that_are_written_down(self, resources: dict[str, Any], function: str) -> None:
        assert granted(resources[f"{function}FunctionRole"]) == rights.ALLOWED[function] | LOGGING

    def test_has_one_more_for_a_key_of_ones_own(self, resources: dict[str, Any], function: str) -> None:
        more = rights.WITH_ENCRYPTION_KEY.get(function, {})
        assert granted(resources[f"{function}FunctionRole"], HasEncryptionKey=True) == (
            rights.ALLOWED[function] | LOGGING | more
        )

    def test_may_trace_where_that_is_on(self, resources: dict[str, Any], function: str) -> None:
        assert granted(resources[f"{function}FunctionRole"], IsTraced=True) == (
            rights.ALLOWED[function] | LOGGING | rights.WITH_TRACING
        )

    def test_names_no_action_by_a_wildcard(self, function: str) -> None:
        assert not [action for action in rights.ALLOWED[function] if not re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action)]

    def test_has_a_role_of_its_own_that_only_lambda_takes(self, resources: dict[str, Any], function: str) -> None:
        users = [
            name
            for name, resource in resources.items()
            if resource["Type"] == "AWS::Lambda::Function"
            and resource["Properties"]["Role"] == {"Fn::GetAtt": [f"{function}FunctionRole", "Arn"]}
        ]
        assert users == [f"{function}Function"]
        (statement,) = resources[f"{function}FunctionRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement == {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }

    def test_takes_the_boundary_of_the_organisation(self, resources: dict[str, Any], function: str) -> None:
        boundary = resources[f"{function}FunctionRole"]["Properties"]["PermissionsBoundary"]
        assert boundary == {
            "Fn::If": ["HasPermissionsBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]
        }


def test_there_is_no_role_but_theirs_and_those_of_aws_own_services(resources: dict[str, Any]) -> None:
    roles = {name for name, resource in resources.items() if resource["Type"] == "AWS::IAM::Role"}
    assert roles == {f"{function}FunctionRole" for function in FUNCTIONS} | {"DeploymentRole"}
    assert not [
        name for name, resource in resources.items() if resource["Type"].startswith("AWS::IAM::") and name not in roles
    ]


class TestWhoMayInvoke:
    def test_is_the_gateway_on_its_own_route_and_the_schedule_alone(self, resources: dict[str, Any]) -> None:
        permissions = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::Lambda::Permission"]
        callers: dict[str, tuple[str, ...]] = {}
        for permission in permissions:
            assert permission["Action"] == "lambda:InvokeFunction"
            source = permission["SourceArn"]
            where = source["Fn::Sub"][0].rsplit("${__Stage__}/", 1)[-1] if "Fn::Sub" in source else text(source)
            function = permission["FunctionName"]["Ref"]
            callers[function] = (permission["Principal"], *callers.get(function, ())[1:], where)
        gateway = "apigateway.amazonaws.com"
        assert callers == {
            "UploadFunctionAliaslive": (gateway, "POST/file"),
            "SignFunctionAliaslive": (gateway, "POST/file/*/parts"),
            "PartsFunctionAliaslive": (gateway, "GET/file/*/parts"),
            "CompleteFunctionAliaslive": (gateway, "POST/file/*/complete"),
            "UndoFunctionAliaslive": (gateway, "DELETE/file/*"),
            "StoreFunctionAliaslive": (gateway, "PUT/files"),
            "InfoFunctionAliaslive": (gateway, "POST/files"),
            "ListFunctionAliaslive": (gateway, "GET/files"),
            "ShowFunctionAliaslive": (gateway, "GET/files/*"),
            "ContentFunctionAliaslive": (gateway, "GET/files/*/content", "HEAD/files/*/content"),
            "UpdateFunctionAliaslive": (gateway, "PATCH/files/*"),
            "DeleteFunctionAliaslive": (gateway, "DELETE/files"),
            "SweepFunctionAliaslive": ("events.amazonaws.com", "${SweepFunctionSchedule.Arn}"),
        }

    def test_is_the_gateway_of_this_account_and_api(self, resources: dict[str, Any]) -> None:
        for resource in resources.values():
            if resource["Type"] == "AWS::Lambda::Permission" and "Fn::Sub" in resource["Properties"]["SourceArn"]:
                template, values = resource["Properties"]["SourceArn"]["Fn::Sub"]
                assert ":execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/" in template
                assert values["__ApiId__"] == {"Ref": "FilestoreApi"}

    def test_s3_may_send_to_the_queue_for_the_bucket_of_this_account_alone(self) -> None:
        (statement,) = TEMPLATE["Resources"]["UploadedQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
        assert (statement["Principal"], statement["Action"]) == ({"Service": "s3.amazonaws.com"}, "sqs:SendMessage")
        assert statement["Condition"].keys() == {"StringEquals", "ArnEquals"}
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        assert statement["Condition"]["ArnEquals"].keys() == {"aws:SourceArn"}


class TestTheBucketRefuses:
    @pytest.fixture
    def denied(self) -> dict[str, Any]:
        statements = TEMPLATE["Resources"]["StorageBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        assert {statement["Effect"] for statement in statements} == {"Deny"}
        assert {statement["Principal"] for statement in statements} == {"*"}
        assert {statement["Action"] for statement in statements} == {"s3:*"}
        return {statement["Sid"]: statement["Condition"] for statement in statements}

    def test_whatever_comes_without_tls(self, denied: dict[str, Any]) -> None:
        assert denied["TlsOnly"] == {"Bool": {"aws:SecureTransport": "false"}}

    def test_urls_that_outlive_the_stacks_own(self, denied: dict[str, Any]) -> None:
        """In milliseconds, so three digits more than the parameter's seconds. The functions' own calls are none."""
        assert denied["NoLongLivedUrls"] == {
            "StringEquals": {"s3:authType": "REST-QUERY-STRING"},
            "NumericGreaterThan": {"s3:signatureAge": {"Fn::Sub": "${SignedUrlExpiration}000"}},
        }

    def test_signatures_of_version_2(self, denied: dict[str, Any]) -> None:
        assert denied["NoOutdatedSignatures"] == {"StringEquals": {"s3:signatureversion": "AWS"}}
