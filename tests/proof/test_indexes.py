"""The indexes in memory are those of the template, however many, and answer as the emulator's do."""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from local import emulator
from tests.proof.indexes import Index, Item, indexes_of
from tests.proof.memory import Memory


def keys(hash_key: str, range_key: str = "") -> list[dict[str, str]]:
    schema = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    return schema + ([{"AttributeName": range_key, "KeyType": "RANGE"}] if range_key else [])


def item(**values: str | int) -> Item:
    return {name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in values.items()}


TABLE = {
    "AttributeDefinitions": [
        *({"AttributeName": name, "AttributeType": "S"} for name in ("id", "sweep_shard", "client_id", "made_on")),
        {"AttributeName": "due_at", "AttributeType": "N"},
    ],
    "KeySchema": keys("id"),
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "due",
            "KeySchema": keys("sweep_shard", "due_at"),
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
        {
            "IndexName": "owned",
            "KeySchema": keys("client_id", "made_on"),
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["name"]},
        },
        {
            "IndexName": "whole",
            "KeySchema": keys("client_id", "due_at"),
            "Projection": {"ProjectionType": "ALL"},
        },
    ],
}


def test_the_indexes_are_those_of_the_template() -> None:
    assert indexes_of(TABLE) == {
        "due": Index("sweep_shard", "due_at"),
        "owned": Index("client_id", "made_on", frozenset({"name"})),
        "whole": Index("client_id", "due_at", None),
    }
    assert indexes_of({"KeySchema": []}) == {}


class TestSeveralIndexes:
    """Each holds what its keys and its projection say, and is queried by itself."""

    ITEMS = (
        item(id="a", sweep_shard="0", due_at=9, client_id="x", made_on="2026", name="one", more="1"),
        item(id="b", sweep_shard="0", due_at=10, client_id="x", made_on="2025"),
        item(id="c", sweep_shard="1", due_at=1, client_id="y", made_on="2024"),
        item(id="d", client_id="x", made_on="2027", name="two", more="2"),
        item(id="e", client_id="x", name="in no index"),
    )

    @pytest.fixture(scope="class")
    def dynamodb(self, emulator_url: str) -> Any:
        """The emulator's, with a table that has these indexes and items."""
        dynamodb = emulator.client(emulator_url, "dynamodb", os.environ["AWS_ACCESS_KEY_ID"])
        dynamodb.create_table(TableName="several", BillingMode="PAY_PER_REQUEST", **TABLE)
        for each in self.ITEMS:
            dynamodb.put_item(TableName="several", Item=each)
        return dynamodb

    @pytest.fixture
    def memory(self) -> Memory:
        memory = Memory(indexes=indexes_of(TABLE), page=1000)
        for each in self.ITEMS:
            memory.call("PutItem", {"Item": each})
        memory.refresh_indexes()
        return memory

    @staticmethod
    def pages(query: Callable[..., Mapping[str, Any]], **parameters: Any) -> Iterator[list[Mapping[str, Any]]]:
        """The entries of each page."""
        while True:
            answer = query(TableName="several", **parameters)
            yield answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            parameters["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    @pytest.mark.parametrize("is_forward", [True, False])
    @pytest.mark.parametrize("limit", [1, 2, 100])
    @pytest.mark.parametrize(
        ("index", "condition", "values", "found"),
        [
            ("due", "sweep_shard = :of AND due_at <= :to", {":of": {"S": "0"}, ":to": {"N": "10"}}, "ab"),
            ("due", "sweep_shard = :of AND due_at < :to", {":of": {"S": "0"}, ":to": {"N": "10"}}, "a"),
            ("due", "sweep_shard = :of", {":of": {"S": "2"}}, ""),
            ("owned", "client_id = :of", {":of": {"S": "x"}}, "bad"),
            ("owned", "client_id = :of AND made_on > :to", {":of": {"S": "x"}, ":to": {"S": "2025"}}, "ad"),
            ("owned", "client_id = :of AND made_on = :to", {":of": {"S": "x"}, ":to": {"S": "2027"}}, "d"),
            ("whole", "client_id = :of AND due_at >= :to", {":of": {"S": "x"}, ":to": {"N": "9"}}, "ab"),
        ],
    )
    def test_answer_as_those_of_the_emulator(
        self,
        dynamodb: Any,
        memory: Memory,
        index: str,
        condition: str,
        values: Any,
        found: str,
        limit: int,
        is_forward: bool,
    ) -> None:
        asked: dict[str, Any] = {
            "IndexName": index, "KeyConditionExpression": condition, "ExpressionAttributeValues": values,
            "Limit": limit, "ScanIndexForward": is_forward,
        }  # fmt: skip
        ours = [page for page in self.pages(lambda **call: memory.call("Query", call)[1], **asked) if page]
        assert [entry["id"]["S"] for page in ours for entry in page] == list(found if is_forward else found[::-1])
        assert ours == [page for page in self.pages(dynamodb.query, **asked) if page]

    def test_lag_behind_the_table_until_they_are_refreshed(self, memory: Memory) -> None:
        memory.call("PutItem", {"Item": item(id="f", sweep_shard="9", due_at=1)})
        asked = {
            "IndexName": "due",
            "KeyConditionExpression": "sweep_shard = :of",
            "ExpressionAttributeValues": {":of": {"S": "9"}},
        }
        assert memory.call("Query", asked)[1]["Items"] == []
        memory.refresh_indexes()
        assert len(memory.call("Query", asked)[1]["Items"]) == 1
