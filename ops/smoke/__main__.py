"""Test a deployed stack: every route, every refusal, and what only a real deployment can tell of AWS.

A row for each question: OK, FAILED (expected, came, what to do) or NOT SEEN (why). Exit status 1 if one failed.
"""

import argparse
import sys
from collections.abc import Sequence

from local.terminal import printable
from ops import target
from ops.errors import OperatorError, run
from ops.smoke import checks, report
from ops.smoke.catalogue import CHECKS
from ops.smoke.checks import Row, Verdict
from ops.smoke.cleanup import Cleanup, interruptible
from ops.smoke.deployment import Deployment
from ops.smoke.session import Smoke

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    options = _options(arguments)
    if options.list:
        for each in CHECKS.values():
            print(f"{each.name}: {each.settles} [{each.source}]")
        return 0
    deployment = Deployment(options)
    if deployment.is_production and not options.yes:
        raise OperatorError(
            f"{deployment.name} is in production. This makes an API key and some twenty small files there, deletes"
            " them, and is counted by its metrics. If that is meant: YES=yes"
        )
    cleanup = Cleanup(_progress)
    smoke = Smoke(
        deployment,
        cleanup,
        say=_progress,
        patience=options.patience,
        metrics_patience=options.metrics_within,
        with_update=options.with_update,
        with_multipart=not options.no_multipart,
        clean=options.clean,
    )
    smoke.refuse_beside_another()
    rows: list[Row] = []
    with interruptible():
        status = run_checks(smoke, options.only or list(CHECKS), rows)
    print(report.table(rows))
    print(report.bill(smoke.counted, len(smoke.made)))
    return status


def run_checks(smoke: Smoke, names: Sequence[str], rows: list[Row]) -> int:
    """Add a row for each check, and clean up, whatever happens; returns the exit status.

    A check needs a key, so key-works is always asked.
    """
    wanted = [each for name, each in CHECKS.items() if name in names or name == "key-works"]
    interrupted = False
    try:
        for number, each in enumerate(wanted, 1):
            _progress(f"[{number}/{len(wanted)}] {each.name}")
            rows.append(checks.run(each, smoke, here=smoke.deployment.here))
            _progress(f"[{number}/{len(wanted)}] {each.name}: {rows[-1].verdict}")
    except KeyboardInterrupt:
        interrupted = True
        _progress("Interrupted. Cleaning up; once more Ctrl-C leaves the rest as it is ...")
    finally:
        smoke.cleanup.run()
    rows.append(_what_is_left(smoke))
    return _INTERRUPTED if interrupted else report.exit_status(rows)


def _what_is_left(smoke: Smoke) -> Row:
    left = smoke.cleanup.left
    if left:
        return Row("cleanup", Verdict.FAILED, f"Left: {'; '.join(left)}. With CLEAN=yes the next run deletes it.")
    stay = f"{len(smoke.made)} records of deleted files stay, as always" if smoke.made else "nothing was made"
    return Row("cleanup", Verdict.OK, f"keys, files and buckets of this run are gone; {stay}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    options = target.parser(__doc__)
    options.prog = "python -m ops.smoke"
    options.add_argument("--only", metavar="NAME", type=_names, help="these checks alone, separated by commas")
    options.add_argument("--list", action="store_true", help="say what is checked, and by which source")
    options.add_argument("--yes", action="store_true", help="in production too")
    options.add_argument("--with-update", action="store_true", help="change a parameter of the stack, and set it back")
    options.add_argument("--no-multipart", action="store_true", help="make no bucket to try multipart uploads in")
    options.add_argument("--clean", action="store_true", help="no other run goes on: delete what one left just now")
    options.add_argument("--patience", metavar="SECONDS", type=float, default=120, help="for AWS (default 120)")
    options.add_argument("--metrics-within", metavar="SECONDS", type=float, default=300, help="(default 300)")
    return options.parse_args(arguments)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no check {unknown[0]}; --list says which there are")
    return names


def _progress(line: str) -> None:
    print(printable(checks.unsigned(line)), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(run(main))
