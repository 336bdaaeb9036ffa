"""While Lambda starts a function it gives it a whole processor, and later a part of one."""

import importlib
import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from filestore import wiring
from tests.support import ROOT

OPERATIONS = sorted(path.stem for path in (ROOT / "source/filestore/handlers").glob("[a-z]*.py"))


def watched(name: str, make: Callable[[], Any], made: set[str]) -> Callable[[], Any]:
    """The same function, whose name is in ``made`` once it was called."""

    def made_now() -> Any:
        made.add(name)
        return make()

    return made_now


@pytest.mark.usefixtures("moto_aws")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_function_is_put_together_while_it_starts(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = importlib.import_module(f"filestore.handlers.{operation}")
    made: set[str] = set()
    for name, make in list(vars(wiring).items()):
        if hasattr(make, "cache_info") and not name.startswith("_") and name != "settings":
            monkeypatch.setattr(wiring, name, watched(name, make, made))
    importlib.reload(handler)
    # All that it asks for when it is called is there by then.
    source = inspect.getsource(handler)
    asked = {name for name in re.findall(r"\bwiring\.(\w+)\(\)", source) if name != "settings"}
    assert made >= asked
    assert made
