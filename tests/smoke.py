"""make smoke in this process, and what a run of it may not leave behind."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ops.smoke.__main__ import run_checks
from ops.smoke.checks import Row
from ops.smoke.cleanup import Cleanup
from ops.smoke.deployment import Deployment
from ops.smoke.session import Smoke


def smoke_on(outputs: Path, *names: str, patience: float = 20, **options: Any) -> dict[str, Row]:
    """The rows of these checks, in this process."""
    deployment = Deployment(argparse.Namespace(stack=None, state_dir=outputs))
    rows: list[Row] = []
    # Tests run one after the other: whatever there is was left behind.
    run_checks(Smoke(deployment, Cleanup(lambda _: None), patience=patience, **{"clean": True, **options}), names, rows)
    return {row.name: row for row in rows}


def is_clean(client: Callable[[str], Any]) -> bool:
    keys = client("apigateway").get_api_keys()["items"]
    buckets = client("s3").list_buckets()["Buckets"]
    return not any(each["name"].startswith("filestore-smoke-") for each in keys) and not any(
        each["Name"].startswith("filestore-smoke-") for each in buckets
    )
