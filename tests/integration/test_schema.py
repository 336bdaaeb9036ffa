"""swagger.yaml against the running stack: whatever a client sends, it is never the server's fault."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from local.openapi import document
from tests.stack import Stack
from tests.support import SWAGGER

CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


# Where links are followed, requests are such as are taken. The other phases send whatever comes to mind.
CONFIG = """
generation = { mode = "all", max-examples = 20 }

[phases.stateful]
inference = { algorithms = [] }
generation = { mode = "positive", max-examples = 30 }
max-steps = 8

[[operations]]
include-operation-id = "list"
phases = { stateful = { enabled = false } }
"""


def test_no_request_that_schemathesis_thinks_of_is_a_server_error(stack: Stack, tmp_path: Path) -> None:
    """Alone, and one after the other as the links of the document lead: upload, store, describe, rename, delete."""
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    (tmp_path / "openapi.json").write_text(json.dumps(document(SWAGGER, stack.outputs["ApiRootUrl"])))
    finished = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis", "run", tmp_path / "openapi.json",
            "--url", stack.outputs["ApiRootUrl"],
            "--header", f"x-api-key: {stack.outputs['ApiKey']}",
            "--checks", ",".join(CHECKS),
            "--seed", "1", "--generation-database", "none",
            "--no-color",
        ],
        cwd=tmp_path,
        env=os.environ | {
            "SCHEMATHESIS_HOOKS": str(Path(__file__).with_name("schemathesis_hooks.py")),
            "FOLLOWED": str(tmp_path / "followed"),
        },
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout[-10000:] + finished.stderr
    followed = Counter(line.strip() for line in (tmp_path / "followed").read_text().splitlines())
    for step in (
        "POST /file 200",
        "PUT /files 200",
        "POST /files 200",
        "GET /files/{id} 200",
        "GET /files/{id}/content 302",
        "PATCH /files/{id} 200",
        "DELETE /files 200",
        "DELETE /file/{id} 204",
    ):
        assert followed[step], (step, followed)
