"""What a function says of itself: one JSON line per request or batch, with the metrics in the same line.

CloudWatch takes metrics out of any log line in its embedded metric format (EMF), so they cost neither a call nor a
second line. Neither bodies nor URLs, tokens, keys or names of files are ever logged.
"""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

logger = Logger(location=None, use_rfc3339=True, utc=True, serialize_stacktrace=False)


def report(message: str, *, counts: Mapping[str, int] | None = None, **fields: object) -> None:
    """Log one line at INFO. ``counts`` become CloudWatch metrics, zeros left out; absent fields (None) are left out."""
    line: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    nonzero = {name: count for name, count in (counts or {}).items() if count}
    if nonzero:
        metrics = EphemeralMetrics()
        for name, count in nonzero.items():
            metrics.add_metric(name, MetricUnit.Count, count)
        line |= metrics.serialize_metric_set()
    logger.info(message, **line)
