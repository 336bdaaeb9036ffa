"""The README's commands, as they stand there."""

import json
import os
import re
import subprocess

from tests.stack import Stack
from tests.support import ROOT


def test_the_curl_lines_tell_the_whole_story(stack: Stack) -> None:
    (story,) = re.findall(r"```sh\n(# A browser asks.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    told = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", story],  # noqa: S607 - the shell of whoever runs the tests
        env=os.environ | {"API": stack.outputs["ApiRootUrl"], "KEY": stack.outputs["ApiKey"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    stored, details, deleted, record = map(json.loads, told.splitlines())
    assert stored == deleted == [details[0]["id"]] == [record[0]["id"]]
    assert (details[0]["name"], details[0]["size"]) == ("hello.txt", 17)
    assert "url" in details[0]
    assert "deleted_at" in record[0]
