"""Changes many records, one conditional write each, while traffic goes on: at a bounded rate, and from where it was."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from ops import target

Item = Mapping[str, Any]
"""A record as DynamoDB has it: attribute values with their types."""

_PAGE = 1000
_AT_ONCE = 16


def list_keys(item: Item, owner: str | None) -> tuple[dict[str, str], dict[str, str]]:
    """Returns the shard and the place that a stored file of this owner has in the list, None where it has none.

    As ``filestore.storage.items.list_keys`` has them for new ones; tests hold the one against the other.
    """
    file_id, stored_at = item["id"]["S"], item["stored_at"]["S"]
    shard = file_id[:1] if owner is None else f"{owner}#{file_id[:1]}"
    return {"S": shard}, {"S": f"{stored_at}#{file_id}"}


def parser(description: str | None) -> argparse.ArgumentParser:
    """Returns a parser with the options of every tool, and those of a walk."""
    options = target.parser(description)
    options.add_argument("--after", metavar="ID", default="", help="go on after the record with this id")
    options.add_argument("--rate", type=_rate, default=100, help="writes a second at most (default 100)")
    return options


def _rate(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError("a whole number, 1 or more")
    return int(text)


class Walk:
    """Every record of a stack's table that a filter lets through, in the table's own order.

    ``looked_at`` and ``changed`` count. Rights needed: ``dynamodb:Scan`` and ``dynamodb:UpdateItem`` on the table.
    """

    def __init__(
        self,
        stack: target.Target,
        *,
        rate: int,
        after: str = "",
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dynamodb = stack.client("dynamodb")
        self._table = stack.outputs["TableName"]
        self._rate = rate
        self._after = after
        self._sleep = sleep
        self._monotonic = monotonic
        self.looked_at = 0
        self.changed = 0

    def change(self, scan: Mapping[str, Any], update: Callable[[Item], Mapping[str, Any]]) -> None:
        """Write ``update`` of each record that ``scan`` finds; both are parameters of these calls.

        A record that is not any more as its update's condition wants it is left alone.
        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for items in self._pages(scan):
                for start in range(0, len(items), self._rate):
                    begun = self._monotonic()
                    some = items[start : start + self._rate]
                    self.changed += sum(pool.map(lambda item: self._write(item["id"], update(item)), some))
                    self._sleep(max(0, begun + len(some) / self._rate - self._monotonic()))
                self._tell()

    def _pages(self, scan: Mapping[str, Any]) -> Iterator[list[Item]]:
        start: dict[str, Any] = {"ExclusiveStartKey": {"id": {"S": self._after}}} if self._after else {}
        while True:
            answer = self._dynamodb.scan(TableName=self._table, Limit=_PAGE, ConsistentRead=True, **scan, **start)
            self.looked_at += answer["ScannedCount"]
            self._after = answer.get("LastEvaluatedKey", {"id": {"S": ""}})["id"]["S"]
            yield answer["Items"]
            if not self._after:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _write(self, file_id: Mapping[str, str], update: Mapping[str, Any]) -> bool:
        try:
            self._dynamodb.update_item(TableName=self._table, Key={"id": file_id}, **update)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _tell(self) -> None:
        """How far it is, when a page is done."""
        on = f"; to go on from here: AFTER={self._after}" if self._after else ""
        print(f"{self.looked_at} records looked at, {self.changed} changed{on}", file=sys.stderr, flush=True)
