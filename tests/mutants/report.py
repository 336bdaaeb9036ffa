"""What make mutants prints: the score, and every survivor with its judgement."""

import itertools
import textwrap
from collections import Counter
from collections.abc import Mapping

from tests.mutants.judgements import FILE, Judgements, as_judgement
from tests.mutants.model import MYPY, ROOT, Mutant

WANTED = 0.90
"""The share of all mutants, equivalent ones included, that have to be killed."""


def report(killers: Mapping[Mutant, str], took: float, *, whole: bool) -> int:
    """Print the score and every survivor with its judgement. 0 where there is nothing to do.

    ``killers`` has what killed each mutant, empty for a survivor; it ``took`` so many seconds.
    """
    judgements = Judgements(FILE.read_text())
    survivors = [mutant for mutant, killer in killers.items() if not killer]
    accepted = [(mutant, reason) for mutant in survivors if (reason := judgements.reason(mutant))]
    unjudged = [mutant for mutant in survivors if not judgements.reason(mutant)]
    stale = judgements.stale(killers, survivors) if whole else []
    for (where, reason), group in itertools.groupby(accepted, key=lambda each: (each[0].where, each[1])):
        print(f"\naccepted: {where}: {reason}")
        print(textwrap.indent("\n\n".join(mutant.diff for mutant, _ in group), "    "))
    for where, diff, fault in stale:
        print(f"\nerror: a judgement of {where} judges nothing, {fault}:\n{textwrap.indent(diff, '    ')}")
    if unjudged:
        print(f"\nerror: these survive and nobody has said why. Kill them, or add to {FILE.relative_to(ROOT)}:\n")
        for where, mutants in itertools.groupby(unjudged, key=lambda mutant: mutant.where):
            print(as_judgement(where, [mutant.diff for mutant in mutants]))
    print()
    modules = Counter(mutant.module for mutant in killers)
    surviving = Counter(mutant.module for mutant in survivors)
    for module, count in sorted(modules.items()):
        print(f"{module:32} {count - surviving[module]:5} of {count:5} killed")
    score = 1 - len(survivors) / len(killers)
    wrong = sum(killer == MYPY for killer in killers.values())
    print(
        f"\n{score:.1%} of {len(killers)} mutants are killed, {wrong} of them by mypy; {len(survivors)} survive,"
        f" {len(accepted)} of them judged; {len(stale)} judgements are stale; {took / 60:.0f} minutes"
    )
    too_few = whole and score < WANTED
    if too_few:
        print(f"error: {WANTED:.0%} have to be killed")
    return int(bool(unjudged or stale or too_few))
