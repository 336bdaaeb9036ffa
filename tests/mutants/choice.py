"""Which tests may kill a mutant, the likely ones first."""

import ast
import difflib
import functools
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.mutants.model import SOURCE, Mutant, Run

_HINTS = 4
_ALL = 30
# Of what is judged already: a tenth of the time of all tests.
_ENOUGH = _ALL / 10


class Choice:
    """Chooses from a run of all tests, and from what has killed mutants of the same place before."""

    def __init__(self, protocol: Run) -> None:
        # Some of them shared the processor with others: only how they compare counts.
        if not any(protocol.calls.values()):
            raise RuntimeError("no test calls a function of the source")
        seconds = {test: protocol.seconds.get(test, 0) for test in protocol.calls}
        scale = _ALL / sum(seconds.values())
        self.seconds = {test: each * scale for test, each in seconds.items()}
        self._callers: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._touching: dict[str, set[str]] = defaultdict(set)
        for test, calls in protocol.calls.items():
            for file, name in calls:
                self._callers[file, name].append(test)
                self._touching[file].add(test)
        self._runners: dict[tuple[str, int], set[str]] = defaultdict(set)
        for test, files in protocol.lines.items():
            for file, lines in files.items():
                for number in lines:
                    self._runners[file, number].add(test)
        self._extent = {
            test: sum(map(len, protocol.lines.get(test, {}).values())) or float("inf") for test in protocol.calls
        }
        self._importers = _importers()
        self._testers = _testers(protocol.calls)
        self._killers: dict[str, list[str]] = defaultdict(list)

    def killed(self, mutant: Mutant, test: str) -> None:
        """Remember the test: it is the first to be tried on the next mutant there."""
        killers = self._killers[mutant.where]
        if test in killers:
            killers.remove(test)
        killers.insert(0, test)

    def rounds(self, mutant: Mutant, last: str, *, is_judged: bool) -> list[list[str]]:
        """The tests in rounds: a mutant that survives one comes into the next, one that is judged not into the last."""
        tests = self._tests(mutant)
        first = [test for test in (last, *self._killers[mutant.where][:_HINTS]) if test in tests]
        own = f"tests/unit/test_{mutant.module.split('.')[-1]}.py::"
        testers = self._testers[_short(mutant.path)]
        # Of a test with many parameters one comes first, and the others once every other test has had its turn; of each
        # file one after the other, for those of a file look at much the same.
        turns: dict[str, int] = defaultdict(int)
        order: dict[str, tuple[bool, bool, int, int, float]] = {}
        for test in sorted(tests - set(first), key=lambda test: (self.seconds[test], test)):
            function, file = test.split("[")[0], test.split("::")[0]
            in_turn = (turns[function], turns[file], self.seconds[test])
            order[test] = (not test.startswith(own), test not in testers, *in_turn)
            turns[function] += 1
            turns[file] += 1
        likely = self._within(_ENOUGH / 2, sorted(order, key=order.__getitem__))
        # Then those that run little else, with all of their parameters: the others look at it from afar.
        left = set(order).difference(likely)
        close = sorted(left, key=lambda test: (*order[test][:2], self._extent[test], self.seconds[test], test))
        likely += self._within(_ENOUGH / 2, close)
        own_tests = [test for test in likely if test.startswith(own)]
        others = [test for test in likely if not test.startswith(own)]
        quick, slow = ([test for test in others if (order[test][2] == 0) is wanted] for wanted in (True, False))
        far = [] if is_judged else sorted(left.difference(likely), key=order.__getitem__)
        return [_by_file(tests) for tests in (list(dict.fromkeys(first)), own_tests, quick, slow, far) if tests]

    def _within(self, seconds: float, tests: Sequence[str]) -> list[str]:
        """As many of the tests as fit, and the first in any case: no mutant survives without a test."""
        ends = itertools.accumulate(self.seconds[test] for test in tests)
        return [test for test, end in zip(tests, ends, strict=True) if end <= seconds or test == tests[0]]

    def _tests(self, mutant: Mutant) -> set[str]:
        """Those that run the statement or call what uses the constant, or else all that use its module or importers."""
        path = _short(mutant.path)
        if self._runners and (lines := _statement(mutant)):
            return set().union(*(self._runners[path, number] for number in lines))
        near = (path, *sorted(self._importers[path]))
        name = mutant.place.split(".", maxsplit=1)[0]
        called = [(path, mutant.place)]
        if mutant.place not in _functions(path):
            called += [(file, user) for file in near for user in _users(file, name)]
        callers = {test for each in called for test in self._callers.get(each, [])}
        if mutant.place not in _functions(path):
            callers |= self._testers[path]
        if callers and mutant.place not in _kept(mutant.path):
            return callers
        return {test for file in near for test in self._touching[file]} | self._testers[path]


def _by_file(tests: Sequence[str]) -> list[str]:
    """The same, those of a file together: its fixtures are made once."""
    places: dict[str, int] = {}
    for place, test in enumerate(tests):
        places.setdefault(test.split("::")[0], place)
    return sorted(tests, key=lambda test: places[test.split("::")[0]])


def _statement(mutant: Mutant) -> range | None:
    """The lines of what is changed in a function, of an ``if`` or a loop those of its head; None elsewhere."""
    before, after = mutant.path.read_text().splitlines(), mutant.code.splitlines()
    changes = difflib.SequenceMatcher(None, before, after, False).get_opcodes()
    lines = [number for kind, first, last, *_ in changes if kind != "equal" for number in range(first + 1, last + 1)]
    if not lines or mutant.place in _kept(mutant.path):
        return None
    found = [head for head in _heads(mutant.path) if head.start <= lines[0] and lines[-1] < head.stop]
    return min(found, key=len, default=None)


@functools.cache
def _heads(path: Path) -> list[range]:
    """The lines of every statement in a function, without those of the statements in it."""
    return [
        range(node.lineno, body[0].lineno if (body := getattr(node, "body", None)) else (node.end_lineno or 0) + 1)
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for inner in function.body
        for node in ast.walk(inner)
        if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]


@functools.cache
def _functions(file: str) -> dict[str, set[str]]:
    """The functions and methods of a file, with the names that stand in each."""
    module = ast.parse(Path(SOURCE + file).read_text()).body
    methods = [(f"{each.name}.", each.body) for each in module if isinstance(each, ast.ClassDef)]
    return {
        f"{prefix}{node.name}": {
            each.id if isinstance(each, ast.Name) else each.attr
            for each in ast.walk(node)
            if isinstance(each, ast.Name | ast.Attribute)
        }
        for prefix, body in [("", module), *methods]
        for node in body
        if isinstance(node, ast.FunctionDef)
    }


def _users(file: str, name: str) -> list[str]:
    return [function for function, names in _functions(file).items() if name in names]


def _short(path: Path) -> str:
    return str(path).removeprefix(SOURCE)


@functools.cache
def _kept(path: Path) -> set[str]:
    """The functions whose results are kept, so that only the first of many tests calls them."""
    functions = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
    return {node.name for node in functions if "cache" in [ast.unparse(each) for each in node.decorator_list]}


def _testers(tests: Iterable[str]) -> dict[str, set[str]]:
    """By file of the source, the tests whose file imports from it: they may use a constant as it is."""
    by_file: dict[str, list[str]] = defaultdict(list)
    for test in tests:
        by_file[test.split("::")[0]].append(test)
    testers: dict[str, set[str]] = defaultdict(set)
    for name, those in by_file.items():
        for file in _imported(Path(name)) if Path(name).exists() else ():
            testers[file].update(those)
    return testers


def _importers() -> dict[str, set[str]]:
    """By file of the source, the files that import from it."""
    importers: dict[str, set[str]] = defaultdict(set)
    for path in Path(SOURCE).rglob("*.py"):
        for file in _imported(path):
            importers[file].add(_short(path))
    return importers


def _imported(path: Path) -> Iterator[str]:
    """What could be files of the source that a file imports from."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                yield _short(Path(SOURCE).parent / f"{name.replace('.', '/')}.py")
