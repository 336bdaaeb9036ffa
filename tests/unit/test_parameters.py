"""How parameters reach CloudFormation: through samconfig.toml and the SAM CLI, which reads values in a way of its own.

It splits at spaces what is not in quotes of its own, and drops the rest without a word. Whatever the guides show is
therefore read here as the SAM CLI reads it, and held against what was meant.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from samcli.commands.deploy.command import cli as sam_deploy
from samcli.commands.deploy.deploy_context import DeployContext

from tests.support import ROOT, TEMPLATE

PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
DOCUMENTS = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]

SHOWN = {
    "deploying.md": [
        {
            "EnvironmentParameter": "prod",
            "AllowedOrigins": "https://www.example.com,https://shop.example.com",
            "SweepSchedule": "rate(5 minutes)",
            "AlarmEmail": "",
        },
        {
            "DomainName": "files.example.com",
            "CertificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/1",
            "HostedZoneId": "Z0123456789",
        },
    ],
}
"""The blocks of TOML in the guides, each with the parameters that it is meant to set."""


def read_by_sam(config: Path, environment: str = "default") -> dict[str, str]:
    """The parameters that sam deploy takes from this samconfig.toml."""
    arguments = ["--config-file", str(config), "--config-env", environment, "--stack-name", "x"]
    with sam_deploy.make_context("deploy", arguments) as context:
        overrides: dict[str, str] = context.params["parameter_overrides"]
    return overrides


def written(folder: Path, overrides: str) -> Path:
    """A samconfig.toml with these lines as parameters of sam deploy."""
    config = folder / "samconfig.toml"
    config.write_text(f"version = 0.1\n[default.deploy.parameters]\n{overrides}\n", encoding="utf-8")
    return config


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("default", {"EnvironmentParameter": "dev", "LogRetentionDays": "14"}),
        ("dev", {"EnvironmentParameter": "dev", "LogRetentionDays": "14"}),
        ("prod", {"EnvironmentParameter": "prod", "LogRetentionDays": "90", "GradualDeployment": "true"}),
    ],
)
def test_samconfig_sets_what_it_says(environment: str, expected: dict[str, str]) -> None:
    assert read_by_sam(ROOT / "samconfig.toml", environment) == expected


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_guides_show_forms_that_work(document: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```$", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert [read_by_sam(written(tmp_path, block)) for block in blocks] == SHOWN.get(document.name, [])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_the_guides_set_in_passing_works_as_it_stands(document: Path, tmp_path: Path) -> None:
    """As an element of parameter_overrides, with the quotes that it is shown with."""
    for shown in re.findall(r"`('?(?:" + "|".join(PARAMETERS) + r")=[^`]*)`", document.read_text(encoding="utf-8")):
        element = shown if shown.startswith("'") else f'"{shown}"'
        name, value = shown.strip("'").split("=", 1)
        assert read_by_sam(written(tmp_path, f"parameter_overrides = [{element}]")) == {name: value.strip('"')}


@pytest.mark.parametrize(
    "parameters", [each for blocks in SHOWN.values() for each in blocks], ids=lambda each: str(min(each))
)
def test_the_template_takes_what_the_guides_show(parameters: dict[str, str]) -> None:
    for name, value in parameters.items():
        assert re.search(PARAMETERS[name].get("AllowedPattern", ""), value)
        assert value in PARAMETERS[name].get("AllowedValues", [value])


def test_the_command_line_is_left_to_samconfig() -> None:
    """Parameters on the command line replace all those of samconfig.toml, EnvironmentParameter included."""
    commands = [*DOCUMENTS, ROOT / "Makefile", *(ROOT / ".github/workflows").iterdir()]
    assert [path.name for path in commands if "--parameter-overrides" in path.read_text(encoding="utf-8")] == []


class TestTheSamCli:
    """What the guides say of it."""

    @pytest.mark.parametrize(
        ("element", "expected"),
        [
            ('"SweepSchedule=rate(5 minutes)"', {"SweepSchedule": "rate(5"}),
            ('"AllowedOrigins=https://a.example, https://b.example"', {"AllowedOrigins": "https://a.example,"}),
        ],
    )
    def test_cuts_a_value_at_its_first_space(self, element: str, expected: dict[str, str], tmp_path: Path) -> None:
        assert read_by_sam(written(tmp_path, f"parameter_overrides = [{element}]")) == expected

    def test_keeps_the_value_of_a_parameter_that_is_no_longer_named(self) -> None:
        """A default is never put back by taking a line out of samconfig.toml."""
        merged = DeployContext.merge_parameters(TEMPLATE, {"AlarmEmail": ""})
        assert {"ParameterKey": "AlarmEmail", "ParameterValue": ""} in merged
        assert {"ParameterKey": "SweepSchedule", "UsePreviousValue": True} in merged


def longest(name: str) -> int:
    """How many characters a value of the parameter may have."""
    parameter = PARAMETERS[name]
    if "AllowedValues" in parameter:
        return max(len(str(value)) for value in parameter["AllowedValues"])
    if "MaxLength" in parameter:
        return int(parameter["MaxLength"])
    # "... to 604800", to which its pattern is held.
    return len(parameter["ConstraintDescription"].rsplit(" ", 1)[1])


def test_the_longest_values_fit_into_the_description_of_a_version() -> None:
    """Lambda takes 256 characters (AWS::Lambda::Version, Description); more fail in the middle of a deployment."""
    descriptions = {
        resource["Properties"]["VersionDescription"]["Fn::Sub"]
        for resource in TEMPLATE["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    for description in descriptions:
        names = re.findall(r"\$\{(\w+)\}", description)
        assert len(names) >= 7
        text = re.sub(r"\$\{\w+\}", "", description)
        assert len(text) + sum(longest(name) for name in names) <= 256 - 16


ORIGINS = re.compile(PARAMETERS["AllowedOrigins"]["AllowedPattern"])


@pytest.mark.parametrize(
    "origins",
    [
        "*",
        "https://www.example.com",
        "http://localhost:8000,https://a.example",
        "capacitor://localhost",
        "https://[::1]:8",
    ],
)
def test_origins_are_taken_as_browsers_send_them(origins: str) -> None:
    assert ORIGINS.search(origins)


@pytest.mark.parametrize(
    "origins",
    [
        "",
        "https://a.example, https://b.example",
        "https://a.example,",
        "https://www.example.com/",
        "https://www.example.com/apply",
        "https://WWW.example.com",
        "www.example.com",
        "*,https://a.example",
    ],
)
def test_what_could_never_equal_an_origin_is_refused(origins: str) -> None:
    """It would be deployed, and every upload refused."""
    assert not ORIGINS.search(origins)


SCHEDULE = re.compile(PARAMETERS["SweepSchedule"]["AllowedPattern"])


@pytest.mark.parametrize("schedule", ["rate(1 minute)", "rate(30 minutes)", "rate(2 hours)", "cron(0/15 * * * ? *)"])
def test_a_schedule_is_taken(schedule: str) -> None:
    assert SCHEDULE.search(schedule)


@pytest.mark.parametrize("schedule", ["rate(1 minutes)", "rate(5 minute)", "rate(0 minutes)", "rate(30 seconds)", "30"])
def test_a_schedule_that_eventbridge_does_not_know_is_refused(schedule: str) -> None:
    """It would fail when everything else is deployed (EventBridge user guide, rate expressions)."""
    assert not SCHEDULE.search(schedule)


class TestReservedConcurrency:
    def test_bounds_the_queue_as_well(self) -> None:
        """Each time that a full function turns a message away counts as an attempt (Lambda, SQS event sources)."""
        queue = TEMPLATE["Resources"]["UploadedFunction"]["Properties"]["Events"]["Uploads"]["Properties"]
        assert queue["ScalingConfig"] == {
            "MaximumConcurrency": {"Fn::If": ["HasReservedConcurrency", {"Ref": "ReservedConcurrency"}, 20]}
        }

    @pytest.mark.parametrize(
        ("value", "taken"), [("0", True), ("2", True), ("1000", True), ("1", False), ("1001", False)]
    )
    def test_is_what_a_queue_may_have(self, value: str, taken: bool) -> None:
        """From 2 to 1000 (AWS::Lambda::EventSourceMapping, ScalingConfig)."""
        assert bool(re.search(PARAMETERS["ReservedConcurrency"]["AllowedPattern"], value)) is taken
