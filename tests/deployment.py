"""Stacks in an account of their own, as an operator has them."""

from collections.abc import Mapping
from pathlib import Path

from local import deploy, deployment_patches
from local.emulator import ROOT, Emulator
from ops import keys
from tests.stack import Stack


class Deployment(Stack):
    """A stack under a name of its own, without the rest of what make run starts."""

    def __init__(self, aws: Emulator, name: str, *, root: Path = ROOT, **parameters: str) -> None:
        self.aws = aws
        self.name = name
        self.deploy(parameters, root)

    def deploy(self, parameters: Mapping[str, str], root: Path = ROOT) -> None:
        deployed = deploy.deploy(self.aws, parameters, stack=self.name, root=root)
        stage = parameters.get("EnvironmentParameter", "dev")
        functions = deploy.functions(self.aws, self.name)
        swagger, template = deploy.read_yaml("swagger.yaml", root), deploy.read_yaml("template.yaml", root)
        deployment_patches.apply(
            self.aws, deployed, swagger=swagger, template=template, functions=functions, stage=stage
        )
        self.outputs = deployed | {
            "ApiRootUrl": f"{self.aws.url}/restapis/{deployed['ApiId']}/{stage}/_user_request_",
            "AwsEndpointUrl": self.aws.url,
            "AwsAccessKeyId": self.aws.key,
            "Functions": functions,
        }
        names = [key.name for key in keys.listed(self.aws.client, self.name)]
        if "test" not in names:
            self.api_key = keys.create(self.aws.client, self.name, "test")

    @property
    def key(self) -> dict[str, str]:
        return {"x-api-key": self.api_key}


def everything(aws: Emulator) -> dict[str, set[str]]:
    """What there is in the account, but for the buckets that deployments go through."""

    def named(service: str, operation: str, members: str, key: str | None) -> set[str]:
        answer = getattr(aws.client(service), operation)()
        return {str(member[key] if key else member) for member in answer.get(members, [])}

    return {
        "buckets": {
            bucket
            for bucket in named("s3", "list_buckets", "Buckets", "Name")
            if not bucket.startswith(("aws-sam-cli-managed", "filestore-deployments"))
        },
        "tables": named("dynamodb", "list_tables", "TableNames", None),
        "functions": named("lambda", "list_functions", "Functions", "FunctionName"),
        "queues": named("sqs", "list_queues", "QueueUrls", None),
        "roles": named("iam", "list_roles", "Roles", "RoleName"),
        "log groups": named("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "alarms": named("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "dashboards": named("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
        "APIs": named("apigateway", "get_rest_apis", "items", "id"),
        "usage plans": named("apigateway", "get_usage_plans", "items", "id"),
        "keys": named("apigateway", "get_api_keys", "items", "id"),
        "rules": named("events", "list_rules", "Rules", "Name"),
    }
