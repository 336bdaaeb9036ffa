"""What template.yaml promises to operators, and to whoever comes from the original."""

from typing import Any

from tests.support import TEMPLATE

RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def test_gives_nothing_but_the_bucket_a_name() -> None:
    """Two stacks must fit into one account, and the bucket's name is the operator's choice.

    The function's is never given, as the tests of PublicUpload see.
    """
    names = {
        f"{logical_id}.{name}"
        for logical_id, resource in RESOURCES.items()
        for name in ("TableName", "FunctionName", "RoleName", "QueueName", "BucketName", "AlarmName")
        if name in resource.get("Properties", {})
    }
    assert names == {"StorageBucket.BucketName", "UploadFunction.FunctionName"}


def test_never_expires_noncurrent_versions() -> None:
    """A PUT to an upload URL after the store makes the stored version the noncurrent one."""
    for rule in RESOURCES["StorageBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]:
        assert not {name for name in rule if name.startswith("Noncurrent")}


def test_has_the_parameters_of_the_original_with_their_defaults() -> None:
    parameters = TEMPLATE["Parameters"]
    assert parameters["EnvironmentParameter"]["AllowedValues"] == ["dev", "prod"]
    assert parameters["EnvironmentParameter"]["Default"] == "dev"
    assert parameters["SignedUrlExpiration"]["Default"] == "3600"
    assert (parameters["StoreOnLoad"]["AllowedValues"], parameters["StoreOnLoad"]["Default"]) == (
        ["True", "False"],
        "False",
    )
    assert "StorageBucketName" in parameters


def test_describes_every_parameter_and_groups_it() -> None:
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(TEMPLATE["Parameters"])
    assert all(parameter["Description"] for parameter in TEMPLATE["Parameters"].values())


def test_keeps_the_logs_of_every_function_for_a_limited_time() -> None:
    groups = {
        logical_id
        for logical_id, resource in RESOURCES.items()
        if resource["Type"] == "AWS::Logs::LogGroup" and "RetentionInDays" in resource["Properties"]
    }
    assert groups == {"FunctionsLogGroup", "AccessLogGroup"}
    assert TEMPLATE["Globals"]["Function"]["LoggingConfig"]["LogGroup"] == {"Ref": "FunctionsLogGroup"}
    functions = [each["Properties"] for each in RESOURCES.values() if each["Type"] == "AWS::Serverless::Function"]
    assert not [each for each in functions if "LoggingConfig" in each]
