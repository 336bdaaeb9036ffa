"""Leaves out of the installed packages what no function runs.

botocore describes 430 AWS services in JSON, of which a client parses its own in full: 88 kB of compressed model for
the four calls that Filestore makes to DynamoDB. Here a model keeps the calls that are made and the shapes that they
refer to. tests/unit/test_artifact.py runs every operation on what is left.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

from tools import endpoints

CALLS: Mapping[str, tuple[str, ...]] = {
    "dynamodb": ("BatchExecuteStatement", "BatchGetItem", "PutItem", "Query"),
    "s3": (
        "AbortMultipartUpload",
        "CompleteMultipartUpload",
        "CreateMultipartUpload",
        "DeleteObjects",
        "HeadObject",
        "ListMultipartUploads",
        "ListObjectVersions",
        "ListParts",
    ),
}
"""Every AWS call that the functions make."""

_UNUSED = (
    "botocore/docs/[!_u]*",
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/metrics",
    "aws_lambda_powertools/middleware_factory",
    "aws_lambda_powertools/tracing",
    "aws_lambda_powertools/utilities/[!_j]*",
    "bin",
    "dateutil/zoneinfo",
    # What installers want to know. What stays tells scanners the versions and everybody the licences.
    "*.dist-info/INSTALLER",
    "*.dist-info/RECORD",
    "*.dist-info/REQUESTED",
    "*.dist-info/WHEEL",
    "*.dist-info/top_level.txt",
    "*.dist-info/zip-safe",
    "**/py.typed",
    "**/*.pyi",
)

_CHANGED = "# Changed when Filestore was built: "
# Modules that every cold start imports, for something that no function does.
_REPLACED = {
    # Powertools brings Metrics and Tracer along with the Logger, which is all that telemetry.py takes of it.
    "aws_lambda_powertools/__init__.py": f"""\
{_CHANGED}the Logger alone.
from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.package_logger import set_package_logger_handler
from aws_lambda_powertools.shared.user_agent import inject_user_agent
from aws_lambda_powertools.shared.version import VERSION

__version__ = VERSION
__all__ = ["Logger"]

set_package_logger_handler()
inject_user_agent()
""",
    # What writes the docstrings of botocore's clients, from models that have no text here; for help() alone.
    "botocore/docs/__init__.py": "",
    "botocore/docs/docstring.py": f"""\
{_CHANGED}the methods of clients have no docstrings.
class _NoDocstring(str):
    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)


ClientMethodDocstring = PaginatorDocstring = WaiterDocstring = _NoDocstring
""",
    "botocore/docs/utils.py": f"""\
{_CHANGED}nothing is documented.
class _NoDocumentation:
    def __init__(self, *args, **kwargs):
        pass

    def _document(self, **kwargs):
        pass

    append_documentation = document_auto_populated_param = hide_param = _document
    replace_documentation_for_matching_shape = _document


AppendParamDocumentation = AutoPopulatedParam = DocumentModifiedShape = HideParamFromOperations = _NoDocumentation
""",
    # What switches urllib3 to HTTP/2, which botocore does not: it imports importlib.metadata, zipfile, tempfile.
    "urllib3/http2/__init__.py": f"{_CHANGED}there is no HTTP/2.\n",
}

# AWS has its certificates from Amazon Trust Services, which asks for five roots in a trust store of one's own
# (amazontrust.com/repository; one has Starfield's name). The other Starfield and three of DigiCert are for partitions
# and proxies that we cannot see. OpenSSL 3 reads the whole bundle for every new connection, and for all 127 roots that
# is 17 ms of CPU, 60 ms with 512 MB.
_TRUSTED = ("Amazon Root CA ", "Starfield ", "DigiCert Global Root ")


def prune(packages: Path) -> None:
    """Prune the folder that the packages are installed in."""
    for pattern in _UNUSED:
        for path in sorted(packages.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, contents in _REPLACED.items():
        (packages / name).write_text(contents, encoding="utf-8")
    roots = packages / "botocore/cacert.pem"
    roots.write_text(trusted_roots(roots.read_text(encoding="utf-8")), encoding="utf-8")
    data = packages / "botocore/data"
    loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
    models = {service: _models(loader, service, calls) for service, calls in CALLS.items()}
    versions = {service: loader.determine_latest_version(service, "service-2") for service in CALLS}
    for folder in data.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
    for service, files in models.items():
        folder = data / service / versions[service]
        folder.mkdir(parents=True)
        for name, contents in files.items():
            _write(folder / f"{name}.json", contents)
    regions = json.loads((data / "endpoints.json").read_text(encoding="utf-8"))
    for partition in regions["partitions"]:
        partition["services"] = {name: value for name, value in partition["services"].items() if name in CALLS}
    _write(data / "endpoints.json", regions)


def _models(loader: Any, service: str, calls: tuple[str, ...]) -> dict[str, Any]:
    model = loader.load_service_model(service, "service-2")
    rules = loader.load_service_model(service, "endpoint-rule-set-1")
    operations = {call: model["operations"][call] for call in calls}
    pagination = loader.load_service_model(service, "paginators-1")["pagination"]
    return {
        "service-2": {
            **{key: value for key, value in model.items() if key != "documentation"},
            "operations": {call: _undocumented(operation) for call, operation in operations.items()},
            "shapes": _shapes(model["shapes"], operations),
        },
        "paginators-1": {"pagination": {call: pagination[call] for call in calls if call in pagination}},
        "endpoint-rule-set-1": {**rules, "rules": endpoints.simplify(rules["rules"])} if service == "s3" else rules,
    }


def trusted_roots(bundle: str) -> str:
    """The roots that AWS has its certificates from."""
    roots = re.findall(r"# Issuer:.*?-----END CERTIFICATE-----\n", bundle, re.DOTALL)
    return "".join(root for root in roots if any(f'\n# Label: "{name}' in root for name in _TRUSTED))


def _shapes(shapes: Mapping[str, Any], operations: Mapping[str, Any]) -> dict[str, Any]:
    """The shapes that the operations refer to, directly or through other shapes."""
    found: dict[str, Any] = {}
    wanted = [name for operation in operations.values() for name in _references(operation)]
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = _undocumented(shapes[name])
            wanted += _references(shapes[name])
    return dict(sorted(found.items()))


def _references(definition: Any) -> Iterator[str]:
    if isinstance(definition, Mapping):
        if isinstance(definition.get("shape"), str):
            yield definition["shape"]
        for value in definition.values():
            yield from _references(value)
    elif isinstance(definition, list):
        for value in definition:
            yield from _references(value)


def _undocumented(definition: Any) -> Any:
    if isinstance(definition, Mapping):
        return {
            key: _undocumented(value)
            for key, value in definition.items()
            # A member that has this name is no text.
            if key != "documentation" or not isinstance(value, str)
        }
    if isinstance(definition, list):
        return [_undocumented(value) for value in definition]
    return definition


def _write(path: Path, contents: Any) -> None:
    path.write_text(json.dumps(contents, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    prune(Path(sys.argv[1]))
