"""Every place in the source that calls AWS, read from the source itself; and the one from which a call comes."""

import ast
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from tests.support import ROOT

_SOURCE = ROOT / "source" / "filestore"
_SOURCE_PATH = str(_SOURCE)
Site = tuple[str, str, str, str]
"""Function, use case, storage, AWS call."""
# They call nothing: what they return does.
_VIEWS = {"of"}
_COLLABORATORS = {
    "files": "FileRepository",
    "due": "DueFiles",
    "bucket": "Bucket",
    "places": "ListIndex",
    "uploads": "MultipartUploads",
}
# What a storage calls AWS by: the clients that repeat a call, and that do not.
_CLIENTS = ("_client", "_once")


def call_sites() -> set[tuple[str, str]]:
    """Where a use case calls the storage: (``StoreFiles._store``, ``FileRepository.store``)."""
    return {
        (where, f"{_COLLABORATORS[owner]}.{method}")
        for where, owner, method in _calls("use_cases")
        if owner in _COLLABORATORS and method not in _VIEWS
    }


def aws_calls() -> set[tuple[str, str]]:
    """Where the storage calls AWS: (``Bucket.delete``, ``DeleteObjects``)."""
    return {(where, _camel(method)) for where, owner, method in _calls("storage") if owner in _CLIENTS}


def site_of(frame: FrameType | None) -> tuple[str, str]:
    """Where in the use cases, and where in the storage, an AWS call was made."""
    use_case, storage = "", ""
    while frame is not None and not use_case:
        path = frame.f_code.co_filename
        if path.startswith(_SOURCE_PATH):
            layer = Path(path).parent.name
            if layer == "storage" and not frame.f_code.co_name.startswith("<"):
                storage = frame.f_code.co_qualname
            elif layer == "use_cases":
                use_case = frame.f_code.co_qualname.split(".<locals>")[0]
        frame = frame.f_back
    return use_case, storage


def _calls(layer: str) -> Iterator[tuple[str, str, str]]:
    """Calls of ``self.owner.method(...)`` or ``owner.method(...)``, and of ``self.owner.get_paginator("method")``."""
    for path in sorted((_SOURCE / layer).glob("*.py")):
        module = ast.parse(path.read_text()).body
        classes = [(f"{node.name}.", node.body) for node in module if isinstance(node, ast.ClassDef)]
        for prefix, body in [("", module), *classes]:
            for function in (node for node in body if isinstance(node, ast.FunctionDef)):
                where = f"{prefix}{function.name}"
                for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                    match call:
                        case ast.Call(
                            func=ast.Attribute(
                                value=ast.Attribute(value=ast.Name(id="self"), attr=owner), attr="get_paginator"
                            ),
                            args=[ast.Constant(value=str(method))],
                        ):
                            yield where, owner, method
                        case ast.Call(
                            func=ast.Attribute(
                                value=ast.Attribute(value=ast.Name(id="self"), attr=owner) | ast.Name(id=owner),
                                attr=method,
                            )
                        ):
                            yield where, owner, method


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
