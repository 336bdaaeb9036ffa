"""swagger.yaml against the running stack: whatever a client sends, it is never the server's fault."""

import json
import os
import subprocess
import sys
from pathlib import Path

from local.openapi import document
from tests.stack import Stack
from tests.support import SWAGGER

CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


def test_no_request_that_schemathesis_thinks_of_is_a_server_error(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(document(SWAGGER, stack.outputs["ApiRootUrl"])))
    finished = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis", "run", tmp_path / "openapi.json",
            "--url", stack.outputs["ApiRootUrl"],
            "--header", f"x-api-key: {stack.outputs['ApiKey']}",
            "--checks", ",".join(CHECKS),
            "--max-examples", "40", "--seed", "1", "--generation-database", "none", "--mode", "all",
            "--no-color",
        ],
        cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout[-10000:] + finished.stderr
