"""make mutants: what it accepts is of code that is there, and nothing is accepted by accident."""

import textwrap

import pytest

from filestore.domain import file
from tests.mutants.choice import Choice
from tests.mutants.exchange import Exchange, exchange, functions
from tests.mutants.judgements import FILE, Judgements, as_judgement
from tests.mutants.model import ROOT, SOURCE, Mutant, Run

MUTANT = Mutant("filestore.domain.file", "is_file_id", "- return a\n+ return None", "code")
OTHER = MUTANT._replace(diff="- return a\n+ return b")


def judged(mutant: Mutant) -> str:
    return as_judgement(mutant.where, [mutant.diff]).replace('reason = ""', 'reason = "why"')


def test_every_judgement_is_of_lines_that_are_in_the_source() -> None:
    """A change of the source says at once which judgements it has made stale."""
    for where, diff in Judgements(FILE.read_text()).reasons:
        path = next(
            path
            for path in sorted((ROOT / "source").rglob("*.py"))
            if f"{where}.".startswith(".".join(path.relative_to(ROOT / "source").with_suffix("").parts) + ".")
        )
        lines = {line.strip() for line in path.read_text().splitlines()}
        assert {line[2:] for line in diff.splitlines() if line.startswith("- ")} <= lines, f"{where}:\n{diff}"


class TestJudgements:
    def test_are_of_one_change_of_one_place(self) -> None:
        judgements = Judgements(judged(MUTANT))
        assert judgements.reason(MUTANT) == "why"
        assert judgements.reason(OTHER) is None
        assert judgements.reason(MUTANT._replace(place="timestamp")) is None

    def test_hold_wherever_in_the_file_the_place_is(self) -> None:
        moved = MUTANT._replace(code=f"\n\n{MUTANT.code}")
        assert moved.key == MUTANT.key
        assert Judgements(judged(MUTANT)).reason(moved) == "why"

    def test_hold_for_lines_with_the_same_text(self) -> None:
        twin = MUTANT._replace(twin=1)
        assert twin.key != MUTANT.key
        assert Judgements(judged(MUTANT)).reason(twin) == "why"

    def test_are_stale_where_their_mutant_is_gone_or_killed(self) -> None:
        judgements = Judgements(judged(MUTANT))
        assert judgements.stale([MUTANT], [MUTANT]) == []
        assert [fault for *_, fault in judgements.stale([MUTANT], [])] == ["it is killed"]
        assert [fault for *_, fault in judgements.stale([OTHER], [OTHER])] == ["there is no such mutant"]

    @pytest.mark.parametrize("text", [as_judgement("a", ["- b\n+ c"]), judged(MUTANT) * 2])
    def test_have_a_reason_and_are_made_once(self, text: str) -> None:
        with pytest.raises(ValueError, match="judged twice, or without a reason"):
            Judgements(text)


class TestChoice:
    FILE = "/domain/file.py"

    def choice(self, calls: dict[str, list[tuple[str, str]]]) -> Choice:
        others: dict[str, list[tuple[str, str]]] = {f"z.py::{number}": [] for number in range(100 - len(calls))}
        return Choice(Run(0, "", calls | others, dict.fromkeys(calls | others, 1.0)))

    def test_is_of_the_tests_that_call_the_function(self) -> None:
        choice = self.choice({"a.py::one": [(self.FILE, "is_file_id")], "a.py::two": [(self.FILE, "hash_token")]})
        assert choice.rounds(MUTANT, "", is_judged=True) == [["a.py::one"]]

    def test_is_of_the_tests_that_call_what_uses_the_constant(self) -> None:
        choice = self.choice(
            {
                "a.py::one": [(self.FILE, "is_file_id")],
                "a.py::two": [("/use_cases/upload.py", "BeginUpload._new_file")],
                "a.py::three": [("/use_cases/upload.py", "_type_of")],
            }
        )
        assert choice.rounds(MUTANT._replace(place="_ID"), "", is_judged=True) == [["a.py::one"]]
        assert choice.rounds(MUTANT._replace(place="URL_MARGIN"), "", is_judged=True) == [["a.py::two"]]

    def test_is_otherwise_of_all_that_use_the_module_or_what_imports_it(self) -> None:
        choice = self.choice(
            {
                "a.py::one": [(self.FILE, "is_file_id")],
                "a.py::two": [("/use_cases/upload.py", "BeginUpload.begin")],
                "a.py::three": [("/domain/disposition.py", "attachment")],
            }
        )
        assert set(*choice.rounds(MUTANT._replace(place=""), "", is_judged=True)) == {"a.py::one", "a.py::two"}

    def test_begins_with_what_has_killed_a_mutant_there(self) -> None:
        names = ["a.py::one", "b.py::two", "tests/unit/test_file.py::three"]
        choice = self.choice({name: [(self.FILE, "is_file_id")] for name in names})
        choice.killed(OTHER, "b.py::two")
        assert choice.rounds(MUTANT, "a.py::one", is_judged=True) == [
            ["a.py::one", "b.py::two"],
            ["tests/unit/test_file.py::three"],
        ]

    def test_takes_a_tenth_of_the_time_of_all_the_likely_ones_first_and_the_others_where_nobody_has_judged(
        self,
    ) -> None:
        calls = [(self.FILE, "is_file_id")]
        likely = {f"tests/unit/test_file.py::{number}": calls for number in range(5)}
        others = {f"{file}.py::{number}": calls for file in "ab" for number in range(20)}
        choice = self.choice(likely | others)
        choice.killed(OTHER, "a.py::9")
        assert choice.rounds(MUTANT, "", is_judged=True) == [
            ["a.py::9"],
            list(likely),
            ["a.py::0", "a.py::1", "a.py::10", "a.py::11", "a.py::12"],
        ]
        *same, far = choice.rounds(MUTANT, "", is_judged=False)
        assert same == choice.rounds(MUTANT, "", is_judged=True)
        assert sorted({*others}.difference(*same)) == sorted(far)

    def test_takes_first_what_runs_little_else(self) -> None:
        calls = {f"{file}.py::{number}": [(self.FILE, "is_file_id")] for file in "ab" for number in range(50)}
        lines = {test: {self.FILE: list(range(90))} for test in calls} | {"b.py::49": {self.FILE: [1]}}
        choice = Choice(Run(0, "", calls, dict.fromkeys(calls, 1.0), lines))
        (near,) = choice.rounds(MUTANT._replace(place=""), "", is_judged=True)
        assert len(near) == 10
        assert "b.py::49" in near

    def test_needs_tests_that_call_something(self) -> None:
        with pytest.raises(RuntimeError, match="no test calls"):
            self.choice({"a.py::one": []})


class TestExchange:
    PATH = ROOT / "source/filestore/domain/file.py"

    def mutant(self, old: str, new: str) -> Mutant:
        text = self.PATH.read_text()
        assert text.count(old) == 1
        return MUTANT._replace(code=text.replace(old, new))

    @pytest.mark.parametrize(
        ("old", "new", "changed"),
        [
            ("is not None\n\n\ndef hash_token", "is None\n\n\ndef hash_token", {"is_file_id"}),
            ("return State.STORED", "return None", {"File.state"}),
            ("State.EXPIRED if self.deletion is", "State.EXPIRED if self.deletion is not", {"File.state"}),
        ],
    )
    def test_is_of_the_code_of_a_function(self, old: str, new: str, changed: set[str]) -> None:
        made = exchange(self.mutant(old, new), functions())
        assert made
        assert made.changed == changed

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("URL_MARGIN = 60", "URL_MARGIN = 61"),
            ("{32}", "{31}"),
            ("size: int = 0", "size: int = 1"),
            ('REQUESTED = "requested"', 'REQUESTED = "XX"'),
            ("    @property\n    def is_lasting", "    def is_lasting"),
            ("def is_file_id(text: str)", "def is_file_id(text: str = '')"),
        ],
    )
    def test_is_not_of_what_a_module_does_when_it_is_imported(self, old: str, new: str) -> None:
        assert exchange(self.mutant(old, new), functions()) is None

    def test_reaches_whoever_has_the_function(self) -> None:
        kept = file.ObjectVersion.is_lasting.fget  # type: ignore[attr-defined]
        made = exchange(self.mutant("version_id != NO_VERSION", "version_id == NO_VERSION"), functions())
        assert made
        before = [(function, function.__code__) for function, _ in made.codes]
        try:
            made.make()
            assert file.ObjectVersion("k", "v").is_lasting is kept(file.ObjectVersion("k", "v")) is False
        finally:
            Exchange(before, set()).make()
        assert file.ObjectVersion("k", "v").is_lasting is True


def test_what_is_to_be_judged_is_printed_as_it_is_to_be_written() -> None:
    text = as_judgement(MUTANT.where, [MUTANT.diff, OTHER.diff])
    assert text == textwrap.dedent("""\
        [[judgement]]
        where = "filestore.domain.file.is_file_id"
        reason = ""
        mutants = [
        '''
        - return a
        + return None
        ''',
        '''
        - return a
        + return b
        ''',
        ]
        """)
    assert SOURCE.endswith("source/filestore")
