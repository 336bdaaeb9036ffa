"""Every role has exactly the rights that are written down, on what SAM makes of the template."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.model import OperationModel

from filestore import wiring
from filestore.storage import aws
from tests import rights, support
from tests.support import TEMPLATE, sample_event

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


# ------------------------------------------------------- what the code really asks for

_ACTIONS = {
    "PutItem": "dynamodb:PutItem",
    "BatchGetItem": "dynamodb:BatchGetItem",
    "Query": "dynamodb:Query",
    "HeadObject": "s3:GetObjectVersion",
    "ListObjectVersions": "s3:ListBucketVersions",
}


@pytest.fixture
def asked_for() -> Iterator[set[str]]:
    """The actions that AWS would have checked of the calls that were made."""
    actions: set[str] = set()

    def note(params: Mapping[str, Any], model: OperationModel, **_: object) -> None:
        if model.name == "BatchExecuteStatement":
            verbs = {statement["Statement"].split(" ", 1)[0] for statement in params["Statements"]}
            actions.update(f"dynamodb:PartiQL{verb.capitalize()}" for verb in verbs)
        elif model.name == "DeleteObjects":
            actions.add("s3:DeleteObject")
            assert all("VersionId" in each for each in params["Delete"]["Objects"])
            actions.add("s3:DeleteObjectVersion")
        else:
            assert model.name != "HeadObject" or params["VersionId"]
            actions.add(_ACTIONS[model.name])

    clients = (aws.dynamodb(), aws.s3())
    for client in clients:
        client.meta.events.register("provide-client-params", note)
    yield actions
    for client in clients:
        client.meta.events.unregister("provide-client-params", note)


@pytest.fixture
def undeclared() -> dict[str, Any]:
    """An upload that arrived, of which nobody has said the type."""
    upload: dict[str, Any] = support.call("upload", {"name": "a"}).body
    support.put(upload["url"], b"x")
    return upload


@pytest.mark.usefixtures("emulator_aws")
class TestTheCodeAsksForAllItMayAndNothingElse:
    def test_upload(self, asked_for: set[str]) -> None:
        support.call("upload", {"name": "a"})
        assert asked_for | {"s3:PutObject"} == set(rights.ALLOWED["Upload"])

    def test_undo(self, uploaded: dict[str, Any], asked_for: set[str]) -> None:
        for file_id in (uploaded["id"], support.UNKNOWN_ID):
            support.call("undo", file_id=file_id, headers={"x-upload-token": uploaded["token"]})
        assert asked_for == set(rights.ALLOWED["Undo"])

    def test_store(self, undeclared: dict[str, Any], asked_for: set[str]) -> None:
        support.call("store", [undeclared["id"], support.UNKNOWN_ID])
        assert asked_for == set(rights.ALLOWED["Store"])

    def test_info(self, stored: dict[str, Any], asked_for: set[str]) -> None:
        support.call("info", [stored["id"]])
        assert asked_for | {"s3:GetObjectVersion"} == set(rights.ALLOWED["Info"])

    def test_list(self, stored: dict[str, Any], asked_for: set[str]) -> None:
        assert [file["id"] for file in support.call("list").body["files"]] == [stored["id"]]
        assert asked_for | {"s3:GetObjectVersion"} == set(rights.ALLOWED["List"])

    def test_show(self, stored: dict[str, Any], asked_for: set[str]) -> None:
        support.call("show", file_id=stored["id"])
        assert asked_for | {"s3:GetObjectVersion"} == set(rights.ALLOWED["Show"])

    def test_content(self, stored: dict[str, Any], asked_for: set[str]) -> None:
        support.call("content", file_id=stored["id"])
        assert asked_for | {"s3:GetObjectVersion"} == set(rights.ALLOWED["Content"])

    def test_update(self, stored: dict[str, Any], asked_for: set[str]) -> None:
        for file_id in (stored["id"], support.UNKNOWN_ID):
            support.call("update", {"name": "a"}, file_id=file_id)
        assert asked_for | {"s3:GetObjectVersion"} == set(rights.ALLOWED["Update"])

    def test_delete(self, stored: dict[str, Any], asked_for: set[str]) -> None:
        support.call("delete", [stored["id"], support.UNKNOWN_ID])
        assert asked_for == set(rights.ALLOWED["Delete"])

    def test_uploaded(self, undeclared: dict[str, Any], asked_for: set[str]) -> None:
        again = support.put(undeclared["url"], b"contents")
        support.invoke("uploaded", support.upload_event(again, again | {"key": support.UNKNOWN_ID}))
        by_lambda_itself = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
        assert asked_for | by_lambda_itself == set(rights.ALLOWED["Uploaded"])

    def test_sweep(
        self, uploaded: dict[str, Any], undeclared: dict[str, Any], asked_for: set[str], clock: support.Clock
    ) -> None:
        del undeclared
        never_uploaded = support.call("upload", {"name": "a"}).body
        assert never_uploaded["id"] != uploaded["id"]
        asked_for.clear()
        clock.advance(wiring.settings().unstored_file_lifetime + wiring.settings().signed_url_expiration + 3600)
        support.invoke("sweep", sample_event("sweep"))
        assert asked_for == set(rights.ALLOWED["Sweep"])
