"""Other code in functions that have been imported already: a mutant without another import of its module."""

import gc
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import NamedTuple

from tests.mutants.model import SOURCE, Mutant

# What a function has and the body of a module or a class has not (inspect.CO_OPTIMIZED).
_OF_A_FUNCTION = 1

Functions = Mapping[str, Mapping[tuple[str, int], list[FunctionType]]]


class Exchange(NamedTuple):
    """What makes a mutant of what there is: the new code by function, and the names of those that differ."""

    codes: list[tuple[FunctionType, CodeType]]
    changed: set[str]

    def make(self) -> None:
        """Every name, method and decorator that leads to one of the functions finds the new code."""
        for function, code in self.codes:
            function.__code__ = code


def functions() -> Functions:
    """The functions of the source that have been imported, by file, and by qualified name and first line there."""
    found: dict[str, dict[tuple[str, int], list[FunctionType]]] = defaultdict(lambda: defaultdict(list))
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(SOURCE):
            code = each.__code__
            found[code.co_filename][code.co_qualname, code.co_firstlineno].append(each)
    return found


def exchange(mutant: Mutant, there: Functions) -> Exchange | None:
    """None where more than the code of functions differs: a constant, a decorator, a default, the body of a class."""
    before = _codes(mutant.path)
    after = list(_within(compile(mutant.code, str(mutant.path), "exec", dont_inherit=True)))
    if [code.co_qualname for code in before] != [code.co_qualname for code in after]:
        return None
    pairs = list(zip(before, after, strict=True))
    changed = [old for old, new in pairs if _own(old) != _own(new)]
    if not all(code.co_flags & _OF_A_FUNCTION for code in changed):
        return None
    codes = []
    for (name, line), found in there.get(str(mutant.path), {}).items():
        of_that = [pair for pair in pairs if (pair[0].co_qualname, pair[0].co_firstlineno) == (name, line)]
        old, new = of_that[0]
        if not any(each in changed for each in _within(old)):
            continue
        # Two lambdas in a line look the same.
        if len(of_that) != 1 or len(old.co_freevars) != len(new.co_freevars):
            return None
        codes += [(function, new) for function in found]
    return Exchange(codes, {code.co_qualname for code in changed}) if codes else None


@cache
def _codes(path: Path) -> list[CodeType]:
    return list(_within(compile(path.read_text(), str(path), "exec", dont_inherit=True)))


def _within(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _within(each)


def _own(code: CodeType) -> tuple[object, ...]:
    """What it does, without what is defined in it and without where it stands."""
    constants = [(type(each), repr(each)) for each in code.co_consts if not isinstance(each, CodeType)]
    sizes = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return (code.co_code, code.co_exceptiontable, constants, *sizes, *names)
