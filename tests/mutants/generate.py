"""Makes the mutants, in an environment that has mutmut: ``python generate.py FILE...`` prints them as JSON.

The mutations are mutmut's, and a few that it lacks. Its own runner is not used: it mutates neither constants nor
decorated functions, and half of what Filestore promises is a constant.
"""

import ast
import difflib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper
from mutmut.mutation import mutators
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.pragma_handling import IgnoredCode

# A condition or a removal in a PartiQL statement.
_CLAUSE = re.compile(r' AND "\w+" ?(?:IS (?:NOT )?MISSING|[=<>]+ ?\?)| REMOVE "\w+"')


def _one_less(node: cst.Integer) -> Iterator[cst.BaseExpression]:
    if node.evaluated_value > 0:
        yield node.with_changes(value=repr(node.evaluated_value - 1))


def _other_text(node: cst.BaseString) -> Iterator[cst.CSTNode]:
    """Other letters in names and codes. The wording of sentences is for people, and no test should hold it fast."""
    if not (isinstance(node, cst.SimpleString) and " " in node.value):
        yield from list(mutators.operator_string(node))[:1]


def _other_text_between(node: cst.FormattedStringText) -> Iterator[cst.CSTNode]:
    if " " not in node.value:
        yield node.with_changes(value=f"XX{node.value}XX")


def _no_clause(node: cst.SimpleString | cst.FormattedStringText) -> Iterator[cst.CSTNode]:
    for clause in _CLAUSE.finditer(node.value):
        yield node.with_changes(value=node.value[: clause.start()] + node.value[clause.end() :])


def _no_argument(node: cst.Call) -> Iterator[cst.CSTNode]:
    """None for each. Without one hardly a call can be made."""
    yield from (call for call in mutators.operator_arg_removal(node) if len(call.args) == len(node.args))


def _otherwise(node: cst.If) -> Iterator[cst.CSTNode]:
    """But where another mutation says the same: a ``not`` is taken away, an ``is`` or ``==`` turned round."""
    if not isinstance(node.test, cst.UnaryOperation | cst.Comparison):
        bracketed = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.with_changes(test=cst.UnaryOperation(operator=cst.Not(), expression=bracketed))


def _unfiltered(node: cst.CompIf) -> Iterator[cst.CSTNode]:
    yield node.with_changes(test=cst.Name("True"))


def _no_operand(node: cst.BooleanOperation) -> Iterator[cst.CSTNode]:
    yield node.left
    yield node.right


def _no_statement(node: cst.Expr | cst.Raise) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.Raise) or isinstance(node.value, cst.Call):
        yield cst.Pass()


def _no_value(node: cst.Return) -> Iterator[cst.CSTNode]:
    if node.value is not None and not (isinstance(node.value, cst.Name) and node.value.value == "None"):
        yield node.with_changes(value=cst.Name("None"), whitespace_after_return=cst.SimpleWhitespace(" "))


# The last of these makes None of whatever is assigned, which every test that comes by notices.
_REPLACED = (mutators.operator_string, mutators.operator_arg_removal, mutators.operator_assignment)

OPERATORS: list[tuple[type, Any]] = [
    *(pair for pair in mutators.mutation_operators if pair[1] not in _REPLACED),
    (cst.BaseString, _other_text),
    (cst.Call, _no_argument),
    (cst.FormattedStringText, _other_text_between),
    (cst.SimpleString, _no_clause),
    (cst.FormattedStringText, _no_clause),
    (cst.Integer, _one_less),
    (cst.If, _otherwise),
    (cst.CompIf, _unfiltered),
    (cst.BooleanOperation, _no_operand),
    (cst.Expr, _no_statement),
    (cst.Raise, _no_statement),
    (cst.Return, _no_value),
]


class Visitor(MutationVisitor):  # type: ignore[misc]
    """Goes into decorated functions as well, and not into what only the type checker or a reader reads."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            return False
        if isinstance(node, cst.If) and isinstance(node.test, cst.Name) and node.test.value == "TYPE_CHECKING":
            return True
        if isinstance(node, cst.Assign) and isinstance(target := node.targets[0].target, cst.Name):
            return bool(target.value == "__all__")
        return bool(super()._skip_node_and_children(node))


def mutants(path: Path) -> Iterator[dict[str, str]]:
    """Every mutant of a file: the name of what it changes, the lines that differ, and the file's text."""
    text = path.read_text()
    wrapper = MetadataWrapper(cst.parse_module(text))
    visitor = Visitor(OPERATORS, IgnoredCode(set(), set(), set()))
    wrapper.visit(visitor)
    names = list(_names(ast.parse(text).body, ()))
    module = ".".join(path.with_suffix("").parts[path.parts.index("source") + 1 :])
    seen = {text}
    for mutation in visitor.mutations:
        mutated = wrapper.module.deep_replace(mutation.original_node, mutation.mutated_node)
        code = mutated.code if isinstance(mutated, cst.Module) else text
        if code in seen:
            continue
        seen.add(code)
        try:
            compile(code, str(path), "exec")
        except SyntaxError:
            continue
        line, diff = _difference(text.splitlines(), code.splitlines())
        place = next((name for first, last, name in names if first <= line <= last), ())
        yield {"module": module, "place": ".".join(place), "diff": diff, "code": code}


def _names(body: Iterable[ast.stmt], outer: tuple[str, ...]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """First and last line of every constant, function and class, methods before their classes; nothing in functions."""
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.lineno, node.end_lineno or node.lineno, (*outer, node.targets[0].id)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.lineno, node.end_lineno or node.lineno, (*outer, node.target.id)
        if isinstance(node, ast.ClassDef):
            yield from _names(node.body, (*outer, node.name))
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.lineno, node.end_lineno or node.lineno, (*outer, node.name)


def _difference(old: list[str], new: list[str]) -> tuple[int, str]:
    changes = [
        change for change in difflib.SequenceMatcher(None, old, new, False).get_opcodes() if change[0] != "equal"
    ]
    lines = []
    for _, old_start, old_end, new_start, new_end in changes:
        lines += [f"- {line.strip()}" for line in old[old_start:old_end]]
        lines += [f"+ {line.strip()}" for line in new[new_start:new_end]]
    return changes[0][1] + 1, "\n".join(lines)


if __name__ == "__main__":
    json.dump([mutant for name in sys.argv[1:] for mutant in mutants(Path(name))], sys.stdout)
