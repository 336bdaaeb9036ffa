"""The commands of the guide for back ends, as they stand there: only ``<id>`` is an id."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.stack import Stack
from tests.support import ROOT

COMMANDS = re.findall(r"```sh\n(curl .*?)\n```", (ROOT / "docs/back-end.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_curl_lines_work(stack: Stack, tmp_path: Path) -> None:
    first, second = (stack.upload(name="report.pdf")["id"] for _ in range(2))
    left = list(COMMANDS)

    def run(beginning: str) -> str:
        """The next of them, which begins so."""
        command = left.pop(0)
        assert command.startswith(beginning)
        for file_id in (first, second):
            command = command.replace("<id>", file_id, 1)
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],  # noqa: S607 - the shell of whoever runs the tests
            env=os.environ | {"API": stack.outputs["ApiRootUrl"], "KEY": stack.outputs["ApiKey"]},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout

    def answered(beginning: str) -> Any:
        return json.loads(run(beginning))

    assert answered('curl -X PUT "$API/files"') == [first, second]
    assert answered('curl "$API/files" ')[0]["id"] == first
    assert answered('curl "$API/files/<id>" ')["name"] == "report.pdf"
    run('curl -L -OJ "$API/files/<id>/content"')
    assert (tmp_path / "report.pdf").read_bytes() == b"contents"
    assert answered('curl -X PATCH "$API/files/<id>"')["name"] == "final.pdf"
    assert {first, second} <= {file["id"] for file in answered('curl "$API/files?limit=100"')["files"]}
    assert answered('curl -X DELETE "$API/files"') == [first]
    assert answered('curl "$API/file" -H "x-api-key')["headers"] == {}
    assert answered('curl "$API/file" -H "Idempotency-Key').keys() == {"id", "url"}
    assert left == []
