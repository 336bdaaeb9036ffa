"""What a function says of itself: one JSON line per request or batch, with the metrics in the same line.

CloudWatch takes metrics out of any log line in its embedded metric format (EMF), so they cost neither a call nor a
second line. Neither bodies nor URLs, tokens, keys or names of files are ever logged.
"""

import os
import time
import traceback
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger

_UNITS = {"BytesUploaded": "Bytes", "OldestDueAge": "Seconds"}
_NAMESPACE = os.environ["POWERTOOLS_METRICS_NAMESPACE"]

_is_cold_start = True

# Powertools would look at every message whether it is JSON; none of ours is.
logger = Logger(location=None, use_rfc3339=True, utc=True, serialize_stacktrace=False, json_deserializer=str)


def report(
    message: str,
    *,
    counts: Mapping[str, int] | None = None,
    gauges: Mapping[str, int] | None = None,
    **fields: object,
) -> None:
    """Log one line at INFO. ``counts`` and ``gauges`` become CloudWatch metrics.

    What is absent (None) is left out, and so are counts of zero. A gauge of zero says something: that all is well.
    The first line of an instance has ``cold_start``.
    """
    global _is_cold_start  # noqa: PLW0603 - an instance starts once
    line: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    measured = {name: count for name, count in (counts or {}).items() if count} | dict(gauges or {})
    if measured:
        line |= _metrics(measured)
    if _is_cold_start:
        _is_cold_start = False
        line["cold_start"] = True
    logger.info(message, **line)


def _metrics(values: Mapping[str, int]) -> dict[str, Any]:
    """EMF (CloudWatch user guide, embedded metric format specification), byte for byte as Powertools writes it."""
    units = [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in values]
    told = {"Namespace": _NAMESPACE, "Dimensions": [["service"]], "Metrics": units}
    return {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [told]},
        "service": logger.service,
        **{name: [float(value)] for name, value in values.items()},
    }


def report_fault(error: Exception) -> None:
    """Log at ERROR where nobody expected this error, and its kind. Its text is left out: it may quote a request."""
    where = "".join(traceback.format_tb(error.__traceback__))
    logger.error("unexpected error", exception_name=type(error).__name__, exception=where)
