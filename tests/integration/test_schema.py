"""swagger.yaml against the running stack: whatever a client sends, it is never the server's fault."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from tests.stack import Stack
from tests.support import SWAGGER

CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


def test_no_request_that_schemathesis_thinks_of_is_a_server_error(stack: Stack, tmp_path: Path) -> None:
    schema = {**SWAGGER, "servers": [{"url": stack.outputs["ApiRootUrl"]}]}
    # The preflights are API Gateway's own.
    schema["paths"] = {
        path: {method: operation for method, operation in item.items() if method != "options"}
        for path, item in schema["paths"].items()
    }
    (tmp_path / "openapi.yaml").write_text(yaml.safe_dump(yaml.safe_load(yaml.safe_dump(dict(schema)))))
    finished = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis", "run", tmp_path / "openapi.yaml",
            "--url", stack.outputs["ApiRootUrl"],
            "--header", f"x-api-key: {stack.outputs['ApiKey']}",
            "--checks", ",".join(CHECKS),
            "--max-examples", "100", "--seed", "1", "--generation-database", "none", "--mode", "all",
            "--no-color",
        ],
        cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout[-10000:] + finished.stderr
