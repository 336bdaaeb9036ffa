"""Secondary indexes of the table in memory: what they hold of a record, and how they are queried."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support import TEMPLATE

Item = dict[str, Any]
"""A record as DynamoDB has it: attribute values with their types."""

_TABLE_KEY = "id"
# As the functions write a key condition; a filter they have none.
_CONDITION = re.compile(r"(\w+) = (:\w+)(?: AND (\w+) (=|<=|<|>=|>) (:\w+))?")
_PARAMETERS = {
    "TableName", "IndexName", "KeyConditionExpression", "ExpressionAttributeValues", "ExclusiveStartKey", "Limit",
    "ScanIndexForward",
}  # fmt: skip


@dataclass(frozen=True)
class Index:
    """A global secondary index. ``projected`` are the attributes beside the keys that are in it, None for all."""

    hash_key: str
    range_key: str | None = None
    projected: frozenset[str] | None = frozenset()

    @property
    def keys(self) -> tuple[str, ...]:
        """Those of an entry; what pages are continued from."""
        return (_TABLE_KEY, self.hash_key, *([self.range_key] if self.range_key else []))

    def entry(self, item: Item) -> Item | None:
        """What the index holds of a record; None where it lacks a key: the index is sparse."""
        if not all(key in item for key in self.keys):
            return None
        projected = item.keys() if self.projected is None else {*self.keys, *self.projected}
        return {name: value for name, value in item.items() if name in projected}

    def query(self, items: Iterable[Item], parameters: Mapping[str, Any], page: int) -> dict[str, Any]:
        """What Query answers on the index of these records, with at most ``page`` entries."""
        assert parameters.keys() <= _PARAMETERS, parameters.keys() - _PARAMETERS
        matches = self._condition(parameters)
        entries = [entry for entry in map(self.entry, filter(matches, items)) if entry is not None]
        is_forward = parameters.get("ScanIndexForward", True)
        entries.sort(key=self._place, reverse=not is_forward)
        if "ExclusiveStartKey" in parameters:
            # That entry itself may be gone by now.
            start = self._place(parameters["ExclusiveStartKey"])
            entries = [
                entry for entry in entries if self._place(entry) != start and (self._place(entry) > start) is is_forward
            ]
        page = min(page, parameters.get("Limit", page))
        answer: dict[str, Any] = {"Items": entries[:page], "Count": len(entries[:page])}
        # Whoever asks for no more than there is is told to go on all the same (Query, DynamoDB API reference).
        if len(entries) > page or len(entries) == page == parameters.get("Limit"):
            answer["LastEvaluatedKey"] = {name: entries[page - 1][name] for name in self.keys}
        return answer

    def _condition(self, parameters: Mapping[str, Any]) -> Callable[[Item], bool]:
        """Whether a record is what is asked for; one that lacks a key is not."""
        condition = _CONDITION.fullmatch(parameters["KeyConditionExpression"])
        assert condition, parameters["KeyConditionExpression"]
        hash_key, value, range_key, operator, bound = condition.groups()
        assert hash_key == self.hash_key
        assert range_key in (None, self.range_key)
        values = parameters["ExpressionAttributeValues"]

        def matches(item: Item) -> bool:
            return item.get(hash_key) == values[value] and (
                range_key is None or (range_key in item and _compare(item[range_key], operator, values[bound]))
            )

        return matches

    def _place(self, entry: Item) -> tuple[Any, str]:
        """Where an entry is among those of its hash key."""
        return (_comparable(entry[self.range_key]) if self.range_key else 0, entry[_TABLE_KEY]["S"])


def _comparable(value: Mapping[str, str]) -> int | str:
    """A number, or the text itself."""
    ((kind, text),) = value.items()
    return int(text) if kind == "N" else text


def _compare(value: Mapping[str, str], operator: str, bound: Mapping[str, str]) -> bool:
    assert value.keys() == bound.keys(), "a key has one type"
    left: Any = _comparable(value)
    right: Any = _comparable(bound)
    return bool(
        {"=": left == right, "<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]
    )


def indexes_of(table: Mapping[str, Any]) -> dict[str, Index]:
    """The indexes by their names, of a table's properties in the template."""
    indexes = {}
    for index in table.get("GlobalSecondaryIndexes", []):
        keys = {key["KeyType"]: key["AttributeName"] for key in index["KeySchema"]}
        projection = index["Projection"]
        attributes = frozenset(projection.get("NonKeyAttributes", []))
        projected = None if projection["ProjectionType"] == "ALL" else attributes
        indexes[index["IndexName"]] = Index(keys["HASH"], keys.get("RANGE"), projected)
    return indexes


INDEXES = indexes_of(TEMPLATE["Resources"]["FilesTable"]["Properties"])
"""Those of the stack's table."""
