"""The table, the bill and the exit status."""

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence

from local.terminal import printable
from ops.smoke.checks import Row, Verdict
from tools import prices

# template.yaml, Globals: MemorySize.
_MEMORY_GB = 0.5
# Of a run of a function; an upload is rarely longer than a tenth of a second on half a gigabyte.
_RUN = prices.LAMBDA_REQUEST + 0.1 * _MEMORY_GB * prices.LAMBDA_ARM_GB_SECOND
# Of a file that is requested, recorded, stored, deleted and swept, with its places in the index.
_WRITES = 10
_WIDTH = 110


def table(rows: Sequence[Row]) -> str:
    """One block for each row: verdict, name, what was seen."""
    names = max((len(row.name) for row in rows), default=0)
    lines = []
    for row in rows:
        head = f"{row.verdict:<8}  {row.name:<{names}}  "
        lines.append(
            textwrap.fill(
                printable(row.said),
                max(_WIDTH, len(head) + 40),
                initial_indent=head,
                subsequent_indent=" " * len(head),
                break_long_words=False,
                break_on_hyphens=False,
            )
            if row.said
            else head.rstrip()
        )
    counts = Counter(row.verdict for row in rows)
    lines.append(", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict))
    return "\n".join(lines)


def exit_status(rows: Sequence[Row]) -> int:
    """0 where nothing failed."""
    return int(any(row.verdict is Verdict.FAILED for row in rows))


def bill(counted: Mapping[str, int], files: int) -> str:
    """What a run costs at most, from what it has counted, before what AWS gives free."""
    api, puts, gets, metrics = (counted.get(kind, 0) for kind in ("API", "S3 PUT", "S3 GET", "metric"))
    # Each request and each upload's event runs a function once.
    runs = api + puts + counted.get("Lambda", 0)
    dollars = (
        api * prices.API_GATEWAY_REQUEST
        + puts * (prices.S3_PUT + 3 * prices.SQS_REQUEST)
        + gets * prices.S3_GET
        + runs * _RUN
        + files * _WRITES * prices.DYNAMODB_WRITE_UNIT
        + metrics * prices.METRIC_READ
    ) / 1e6
    return (
        f"It made {api} requests to the API, {puts} uploads to S3, {gets} downloads, {files} files, and read {metrics}"
        f" metrics: {dollars * 100:.2f} cents at most."
    )
