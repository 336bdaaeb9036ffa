"""How a seeded bug is made: a method or a statement is patched for as long as the bug is entered."""

import importlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from greenlet import getcurrent

from filestore.domain.lifecycle import State
from filestore.storage import conditions
from filestore.storage.statements import Statements

Bug = Callable[[], AbstractContextManager[Any]]


def change(owner: Any, method: str, changed: Callable[..., Any]) -> Bug:
    """A method that is given its original as the first argument."""
    original = getattr(owner, method)
    return lambda: mock.patch.object(owner, method, lambda *args, **kwargs: changed(original, *args, **kwargs))


def consumer(changed: Callable[..., Any]) -> Bug:
    """The handler of S3's events; it is imported late, as its import makes the clients."""

    def enter() -> AbstractContextManager[Any]:
        handler = importlib.import_module("filestore.handlers.uploaded")
        return change(handler, "handler", changed)()

    return enter


def condition(states: frozenset[State], text: str) -> Bug:
    """Every statement takes files in these states for what they are on another condition."""
    return lambda: mock.patch.dict(conditions._CONDITIONS, {states: text})  # noqa: SLF001


def statement(old: str, new: str, *extra: object) -> Bug:
    """Statements with another text; ``extra`` parameters come first."""

    def changed(original: Any, statements: Statements, changes: Iterable[Any]) -> Any:
        return original(
            statements,
            [
                each._replace(statement=each.statement.replace(old, new), parameters=(*extra, *each.parameters))
                if old in each.statement
                else each
                for each in changes
            ],
        )

    return change(Statements, "execute", changed)


def within(owner: Any, method: str, changed_owner: Any, name: str, changed: Callable[..., Any]) -> Bug:
    """A changed method that is so only for what runs within another. Schedules leave operations in the middle of it."""

    @contextmanager
    def enter() -> Iterator[None]:
        inside: list[Any] = []

        def outer(original: Any, *args: Any, **kwargs: Any) -> Any:
            inside.append(getcurrent())
            try:
                return original(*args, **kwargs)
            finally:
                inside.remove(getcurrent())

        def inner(original: Any, *args: Any, **kwargs: Any) -> Any:
            return changed(original, *args, **kwargs) if getcurrent() in inside else original(*args, **kwargs)

        with change(owner, method, outer)(), change(changed_owner, name, inner)():
            yield

    return enter
