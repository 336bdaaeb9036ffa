"""The list of stored files: the sparse index ``listed``, in which a file is from the moment that it is stored.

It is spread over sixteen shards, of each owner where files have one, by the id's first digit, so that stores do not
meet on one partition. Within a shard it is sorted by place, ``stored_at#id``, which no two files share and which never
changes. It has keys alone and lags behind the table, so what it names is read anew.

Right needed: ``dynamodb:Query`` on the index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filestore.storage.aws import domain_errors
from filestore.storage.items import SHARDS, list_shard

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

_LIST_INDEX = "listed"


class ListIndex:
    """Places in DynamoDB, as ``filestore.domain.ports.Places`` says."""

    shards = SHARDS

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def after(
        self, place: str | None, *, owner: str | None, limit: int, newest_first: bool
    ) -> tuple[list[str], str | None]:
        """Ask each shard once, whatever lies there, and merge what they say."""
        places: list[str] = []
        ends: list[str] = []
        for shard in self.shards:
            found, end = self._of(list_shard(shard, owner), place, limit=_share(limit), newest_first=newest_first)
            places += found
            ends += [] if end is None else [end]
        places.sort(reverse=newest_first)
        # What a shard has beyond its end is not known, so what comes after that is not known of any.
        known = max(ends, default=None) if newest_first else min(ends, default=None)
        if known is not None:
            places = [each for each in places if (each >= known if newest_first else each <= known)]
        if len(places) > limit:
            return places[:limit], places[limit - 1]
        return places, known

    def _of(self, shard: str, place: str | None, *, limit: int, newest_first: bool) -> tuple[list[str], str | None]:
        """The next places of one shard, and the last of them where there may be more."""
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": _LIST_INDEX,
            "KeyConditionExpression": "list_shard = :shard",
            "ExpressionAttributeValues": {":shard": {"S": shard}},
            "ScanIndexForward": not newest_first,
            "Limit": limit,
        }
        if place is not None:
            request["KeyConditionExpression"] = (
                f"list_shard = :shard AND list_place {'<' if newest_first else '>'} :place"
            )
            request["ExpressionAttributeValues"] = {":shard": {"S": shard}, ":place": {"S": place}}
        with domain_errors:
            answer = self._client.query(**request)
        end = answer.get("LastEvaluatedKey")
        return [item["list_place"]["S"] for item in answer["Items"]], end["list_place"]["S"] if end else None


def _share(limit: int) -> int:
    """How many places one shard is asked for: twice what it has of so many on average, and some for chance.

    Where one has more all the same, the page is shorter.
    """
    return min(limit, limit // 8 + 8)
