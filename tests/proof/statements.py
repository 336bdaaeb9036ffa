"""PartiQL, as far as the functions speak it: one item changed or deleted where conditions hold."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.proof.indexes import Item

_STATEMENT = re.compile(
    r'(?P<verb>UPDATE|DELETE FROM) "[^"]+"(?P<changes>(?: SET "\w+"=\?| REMOVE "\w+")*)'
    r" WHERE (?P<where>.+?)(?P<returning> RETURNING ALL OLD \*)?"
)
_CHANGE = re.compile(r'(SET|REMOVE) "(\w+)"')
_PRESENCE = re.compile(r'"(\w+)" IS (NOT )?MISSING')
_COMPARISON = re.compile(r'"(\w+)" ?(=|<|>) ?\?')


@dataclass(frozen=True)
class Statement:
    """What one statement of a batch does, and to which item."""

    file_id: str
    deletes: bool
    returns_old: bool
    changes: Sequence[tuple[str, str, Any]]
    conditions: Sequence[Callable[[Item], bool]]

    def holds(self, item: Item) -> bool:
        """Whether the item is as the statement wants it."""
        return all(holds(item) for holds in self.conditions)

    def applied(self, item: Item) -> Item | None:
        """The item afterwards, None where it is deleted."""
        if self.deletes:
            return None
        after = dict(item)
        for kind, name, value in self.changes:
            if kind == "SET":
                after[name] = value
            else:
                after.pop(name, None)
        return after


def parse(text: str, parameters: Sequence[Mapping[str, str]]) -> Statement:
    """A statement that refers to its parameters in their order. Raises AssertionError for what is not known here."""
    parsed = _STATEMENT.fullmatch(text)
    assert parsed, text
    following = iter(parameters)
    changes = [
        (kind, name, next(following) if kind == "SET" else None) for kind, name in _CHANGE.findall(parsed["changes"])
    ]
    conditions: list[Callable[[Item], bool]] = []
    file_id = ""
    for value in parameters:
        _check(value)
    for condition in parsed["where"].split(" AND "):
        presence, comparison = _PRESENCE.fullmatch(condition), _COMPARISON.fullmatch(condition)
        if presence:
            conditions.append(lambda item, name=presence[1], there=bool(presence[2]): (name in item) is there)  # type: ignore[misc]
            continue
        assert comparison, condition
        name, operator, value = comparison[1], comparison[2], next(following)
        if (name, operator) == ("id", "="):
            file_id = value["S"]
        conditions.append(lambda item, compared=(name, operator, value): _compare(item, *compared))  # type: ignore[misc]
    return Statement(file_id, parsed["verb"] == "DELETE FROM", bool(parsed["returning"]), changes, conditions)


def _check(value: Mapping[str, Any]) -> None:
    """DynamoDB refuses the whole call for one value that it cannot take."""
    ((kind, text),) = value.items()
    if kind == "M":
        for member in text.values():
            _check(member)
        return
    text.encode()
    assert kind == "S" or len(text.lstrip("-")) <= 38, "a number has 38 digits"


def _compare(item: Item, name: str, operator: str, value: Mapping[str, str]) -> bool:
    if name not in item:
        return False
    if operator == "=":
        return bool(item[name] == value)
    ((kind, there),) = item[name].items()
    ((_, bound),) = value.items()
    left: Any = int(there) if kind == "N" else there
    right: Any = int(bound) if kind == "N" else bound
    return bool(left < right if operator == "<" else left > right)
