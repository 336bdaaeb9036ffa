"""judgements.toml: the survivors that are accepted, each with the reason."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

from tests.mutants.model import Mutant

FILE = Path(__file__).with_name("judgements.toml")


class Judgements:
    """Reasons by the place and the change of a mutant."""

    def __init__(self, text: str) -> None:
        self.reasons: dict[tuple[str, str], str] = {}
        for judgement in tomllib.loads(text).get("judgement", []):
            for diff in judgement["mutants"]:
                key = (judgement["where"], diff.strip())
                if key in self.reasons or not judgement["reason"].strip():
                    raise ValueError(f"{FILE.name}: judged twice, or without a reason: {key}")
                self.reasons[key] = judgement["reason"].strip()

    def reason(self, mutant: Mutant) -> str | None:
        """Why it is accepted, None where nobody has said so."""
        return self.reasons.get((mutant.where, mutant.diff))

    def stale(self, mutants: Iterable[Mutant], survivors: Iterable[Mutant]) -> list[tuple[str, str, str]]:
        """Place, change and fault of the judgements that judge nothing: no such mutant, or it is killed."""
        known = {(mutant.where, mutant.diff) for mutant in mutants}
        surviving = {(mutant.where, mutant.diff) for mutant in survivors}
        return sorted(
            (*key, "it is killed" if key in known else "there is no such mutant")
            for key in self.reasons.keys() - surviving
        )


def as_judgement(where: str, diffs: Iterable[str]) -> str:
    """What to write into judgements.toml, but for the reason."""
    mutants = "".join(f"'''\n{diff}\n''',\n" for diff in diffs)
    return f'[[judgement]]\nwhere = "{where}"\nreason = ""\nmutants = [\n{mutants}]\n'
