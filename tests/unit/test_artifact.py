"""What make build makes: it holds what runs and nothing else, and every operation runs on it."""

import itertools
import json
import os
import re
import ssl
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.loaders import Loader
from samtranslator.yaml_helper import yaml_parse

from bench import cold
from bench.events import event as bench_event
from bench.processes import Container
from tests import parts, support
from tools import build, prune

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(unpacked: Path, emulator_aws: None) -> Iterator[Run]:
    """Calls a function of the artifact, in a process that can import nothing else."""
    del emulator_aws
    with Container(unpacked, os.environ, count=True) as container:
        yield container.call


def event(operation: str, body: object = None, **fields: Any) -> dict[str, Any]:
    return support.sample_event(operation) | {"body": json.dumps(body)} | fields


class TestContents:
    def test_is_the_same_whenever_it_is_built(self, artifact: build.Artifact, tmp_path: Path) -> None:
        """So that a deployment of unchanged code changes nothing, and anybody can check what runs."""
        assert build.build(tmp_path, Path(sys.executable)).sha256 == artifact.sha256

    def test_every_module_has_its_bytecode(self, unpacked: Path) -> None:
        modules = list(unpacked.rglob("*.py"))
        assert len(modules) > 100
        assert [path for path in modules if not Path(cache_from_source(str(path))).exists()] == []

    def test_the_bytecode_is_taken_whatever_the_dates_of_the_files(self, unpacked: Path) -> None:
        """PEP 552: the flags of an unchecked hash are 1."""
        flags = {path.read_bytes()[4:8] for path in unpacked.rglob("*.pyc")}
        assert flags == {(1).to_bytes(4, "little")}

    def test_holds_the_data_of_the_services_in_use_and_no_other(self, unpacked: Path) -> None:
        data = unpacked / "botocore/data"
        assert sorted(path.name for path in data.iterdir()) == [
            "_retry.json",
            "dynamodb",
            "endpoints.json",
            "partitions.json",
            "s3",
            "sdk-default-configuration.json",
        ]

    def test_holds_no_package_that_no_function_imports(self, unpacked: Path) -> None:
        """boto3 among them: its resources would add to every cold start."""
        assert sorted(path.name for path in unpacked.iterdir() if path.suffix != ".dist-info") == [
            "__pycache__",
            "aws_lambda_powertools",
            "botocore",
            "dateutil",
            "filestore",
            "jmespath",
            "six.py",
            "typing_extensions.py",
            "urllib3",
        ]

    def test_says_which_versions_it_holds(self, unpacked: Path) -> None:
        """Scanners of deployed functions look for vulnerable versions there."""
        pinned = dict(line.split("==") for line in (support.ROOT / "source/requirements.txt").read_text().splitlines())
        said = dict(
            re.findall(r"^(?:Name|Version): (.+)$", path.read_text(), re.MULTILINE)
            for path in unpacked.glob("*.dist-info/METADATA")
        )
        assert pinned.items() <= {name.replace("_", "-"): version for name, version in said.items()}.items()

    def test_is_small(self, artifact: build.Artifact) -> None:
        """Lambda takes 50 MB zipped; botocore alone, unpruned, is 30."""
        assert artifact.code.stat().st_size < 7_000_000

    def test_the_template_beside_it_deploys_it(self, artifact: build.Artifact) -> None:
        template = yaml_parse((artifact.code.parent / "template.yaml").read_text())
        assert template["Globals"]["Function"]["CodeUri"] == artifact.code.name
        for name in ("swagger.yaml", "monitoring.yaml"):
            assert (artifact.code.parent / name).read_text() == (support.ROOT / name).read_text()

    def test_a_machine_without_the_runtimes_python_builds_without_bytecode(self, tmp_path: Path) -> None:
        built = build.build(tmp_path, None)
        assert not built.bytecode
        with zipfile.ZipFile(built.code) as bundle:
            assert [name for name in bundle.namelist() if name.endswith(".pyc")] == []

    def test_a_python_of_another_version_is_not_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHON_FOR_BUILD", sys.executable)
        monkeypatch.setenv("PATH", "")
        assert build.find_interpreter(f"{sys.version_info.major}.{sys.version_info.minor}") == Path(sys.executable)
        with pytest.raises(build.BuildError, match="is no Python"):
            build.find_interpreter("2.7")
        monkeypatch.delenv("PYTHON_FOR_BUILD")
        assert build.find_interpreter("2.7") is None


class TestEndpoints:
    REGIONS = ("us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "me-central-1")

    def test_are_those_that_the_whole_of_botocore_knows(self, unpacked: Path) -> None:
        """What was pruned of the endpoints' data is of no service in use."""
        ask = """
import json, sys, botocore.session
session = botocore.session.get_session()
print(json.dumps({
    f"{service} {region}": session.create_client(service, region, endpoint_url=None).meta.endpoint_url
    for service in ("dynamodb", "s3") for region in sys.argv[1:]
}))
"""
        known = {}
        for name, options, path in (("pruned", ["-S"], str(unpacked)), ("whole", [], "")):
            asked = subprocess.run(
                [sys.executable, *options, "-c", ask, *self.REGIONS],
                env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True,
            )  # fmt: skip
            known[name] = json.loads(asked.stdout)
        assert known["pruned"] == known["whole"]
        assert known["pruned"]["dynamodb cn-north-1"] == "https://dynamodb.cn-north-1.amazonaws.com.cn"

    def test_of_s3_are_chosen_as_by_all_its_rules(self, unpacked: Path) -> None:
        """What was left out of the rules is of no bucket that Filestore may have."""
        whole, pruned = (
            EndpointProvider(loader.load_service_model("s3", "endpoint-rule-set-1"), loader.load_data("partitions"))
            for loader in (
                Loader(),
                Loader(extra_search_paths=[str(unpacked / "botocore/data")], include_default_search_paths=False),
            )
        )

        def chosen(provider: EndpointProvider, parameters: dict[str, Any]) -> Any:
            try:
                endpoint = provider.resolve_endpoint(**parameters)
            except EndpointProviderError as refused:
                return str(refused)
            return endpoint.url, endpoint.properties, endpoint.headers

        seen = set()
        for bucket, region, endpoint, *flags in itertools.product(
            ("filestore-0f1e2d3c", "a.b", "Name", "x--y"),
            (*self.REGIONS, "aws-global", "us-iso-east-1", "nowhere"),
            (None, "http://127.0.0.1:4566", "https://files.example.com"),
            *((False, True),) * 4,
        ):
            names = ("UseFIPS", "UseDualStack", "ForcePathStyle", "UseGlobalEndpoint")
            parameters = {"Bucket": bucket, "Region": region, "Accelerate": False}
            parameters |= zip(names, flags, strict=True)
            if endpoint:
                parameters["Endpoint"] = endpoint
            wanted = chosen(whole, parameters)
            assert chosen(pruned, parameters) == wanted, parameters
            seen.add(str(wanted))
        assert len(seen) > 100


class TestTls:
    def test_trusts_ten_roots(self, unpacked: Path) -> None:
        """The five that Amazon Trust Services asks for, and five of Starfield and DigiCert."""

        def roots(bundle: Path) -> set[str]:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(bundle)
            # The last part of a name is the most particular one.
            return {str(root["subject"][-1][0][1]) for root in context.get_ca_certs()}

        kept = roots(unpacked / "botocore/cacert.pem")
        whole = roots(Path(botocore.__file__).parent / "cacert.pem")
        assert {root for root in whole if root.startswith("Amazon")} <= kept
        assert {f"Amazon Root CA {number}" for number in range(1, 5)} < kept
        assert "Starfield Services Root Certificate Authority - G2" in kept
        assert {root.split()[0] for root in kept} == {"Amazon", "Starfield", "DigiCert"}
        assert len(kept) == 10

    def test_talks_to_whom_it_trusts(self, unpacked: Path) -> None:
        with cold.secure(unpacked) as env, Container(unpacked, env) as container:
            assert container.call("store", bench_event("store"))["result"]["statusCode"] == 200

    def test_does_not_talk_to_others(self, unpacked: Path) -> None:
        with cold.secure(unpacked) as env:
            unknown = {name: value for name, value in env.items() if name != "AWS_CA_BUNDLE"}
            assert "CERTIFICATE_VERIFY_FAILED" in _refused(unpacked, unknown)

    def test_does_not_talk_to_whom_a_certificate_is_not_for(self, unpacked: Path) -> None:
        with cold.secure(unpacked) as env:
            elsewhere = env | {"AWS_ENDPOINT_URL": env["AWS_ENDPOINT_URL"].replace("127.0.0.1", "localhost")}
            assert "CertificateError" in _refused(unpacked, elsewhere)


def _refused(artifact: Path, env: Mapping[str, str]) -> str:
    """What is logged of a request that gets no answer from AWS."""
    with Container(artifact, env) as container:
        reply = container.call("store", bench_event("store"))
    assert reply["result"]["statusCode"] == 503
    return str(reply["log"])


class TestOperations:
    def test_every_operation_runs_and_makes_no_call_that_was_pruned(
        self, run: Run, versions: Callable[[], list[tuple[str, str]]]
    ) -> None:
        """Through the whole life of files; the AWS calls seen on the way are exactly those that pruning keeps."""
        seen: set[str] = set()

        def answer(operation: str, lambda_event: dict[str, Any]) -> Any:
            reply = run(operation, lambda_event)
            seen.update(name for name, _ in reply["calls"])
            if "statusCode" not in reply["result"]:
                return reply["result"]
            assert reply["result"]["statusCode"] < 300, reply["result"]["body"]
            return json.loads(reply["result"]["body"] or "null")

        def upload() -> dict[str, Any]:
            requested: dict[str, Any] = answer("upload", event("upload", {"name": "report.pdf", "size": 8}))
            return requested | {"object": support.put(requested["url"], b"contents")}

        told, *untold = [upload() for _ in range(4)]
        assert answer("uploaded", support.upload_event(told["object"])) == {"batchItemFailures": []}
        ids = [file["id"] for file in (told, *untold[:2])]
        assert answer("store", event("store", ids)) == ids
        described = answer("info", event("info", ids))
        assert [support.get(file["url"]) for file in described] == [b"contents"] * 3
        one = {"pathParameters": {"id": ids[0]}}
        of_three = {"limit": "3"}
        assert len(answer("list", event("list", queryStringParameters=of_three))["files"]) == 3
        assert answer("update", event("update", {"name": "b.pdf"}, **one))["name"] == "b.pdf"
        assert answer("show", event("show", **one))["name"] == "b.pdf"
        found = run("content", event("content", **one))["result"]
        assert support.get(found["headers"]["Location"]) == b"contents"
        undone = untold[2]
        answer("uploaded", support.upload_event(undone["object"]))
        answer(
            "undo",
            event("undo", pathParameters={"id": undone["id"]}, headers={"x-upload-token": undone["token"]}),
        )
        assert answer("delete", event("delete", ids)) == ids
        assert versions() == []
        for end in ("complete", "undo"):
            upload_ = answer("upload", event("upload", {"name": "film.mp4", "size": 8, "multipart": True}))
            its: dict[str, Any] = {
                "pathParameters": {"id": upload_["id"]}, "headers": {"x-upload-token": upload_["token"]},
            }  # fmt: skip
            signed = answer("sign", event("sign", {"parts": [{"part_number": 1}]}, **its))
            parts.put(signed["parts"][0], b"contents")
            assert len(answer("parts", event("parts", **its))["parts"]) == 1
            answer(end, event(end, {}, **its))
        answer("sweep", {})
        assert seen == {call for calls in prune.CALLS.values() for call in calls}
