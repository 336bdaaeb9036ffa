"""A crash before or after any AWS call leaves a state that the next run repairs."""

from collections import Counter
from collections.abc import Callable

from tests.proof.crashes import SCENARIOS, crash
from tests.proof.proving import Proving
from tests.proof.sites import aws_calls, call_sites


def test_every_call_site_may_be_the_last(proof: Proving, report: Callable[[str, object], None]) -> None:
    """The call sites are read from the source, so one that no scenario reaches fails this."""
    runs = [row for scenario in SCENARIOS for row in crash(proof, scenario)]
    rows = [row for row in runs if row.when != "not at all"]
    crashes = Counter((row.function, row.use_case, row.storage, row.call, row.when) for row in rows)
    violations = [row for row in runs if row.violation]
    reached = {(row.use_case, row.storage) for row in rows}
    report(
        f"Crash table: {len(rows)} crashes at {len(reached)} of {len(call_sites())} call sites,"
        f" {len(violations)} violations",
        "\n".join(
            f"{function:9} {use_case:26} {storage:41} {call:22} {when:7} {count:3} crashes"
            for (function, use_case, storage, call, when), count in sorted(crashes.items())
        ),
    )
    assert violations == []
    assert reached == call_sites()
    assert {row.call for row in rows} == {call for _, call in aws_calls()}
    assert {row.when for row in rows} == {"before", "after"}
