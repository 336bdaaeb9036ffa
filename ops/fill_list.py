"""Puts into the list the files that were stored before the stack had one. Run twice it changes nothing more.

It may run while files are stored and deleted, and be interrupted: what it has put into the list is there.
"""

import sys
from typing import Any

from ops import records, target
from ops.errors import run

# Deleted ones as well: the list shows them where that is asked for. "owner" is a word of DynamoDB's.
_OWNER = {"#owner": "owner"}
_UNLISTED = {
    "FilterExpression": "attribute_exists(stored_at) AND attribute_not_exists(list_place)",
    "ProjectionExpression": "id, stored_at, #owner",
    "ExpressionAttributeNames": _OWNER,
}


def fill(walk: records.Walk) -> None:
    """Give every record of a stored file that has none its place in the list."""
    walk.change(_UNLISTED, _place)


def _place(item: records.Item) -> dict[str, Any]:
    owner = item.get("owner")
    shard, place = records.list_keys(item, owner and owner["S"])
    is_theirs = "#owner = :owner" if owner else "attribute_not_exists(#owner)"
    return {
        "UpdateExpression": "SET list_shard = :shard, list_place = :place",
        "ConditionExpression": f"stored_at = :at AND attribute_not_exists(list_place) AND {is_theirs}",
        "ExpressionAttributeNames": _OWNER,
        "ExpressionAttributeValues": {
            ":shard": shard,
            ":place": place,
            ":at": item["stored_at"],
            **({":owner": owner} if owner else {}),
        },
    }


def main() -> int:
    """Return the exit status."""
    options = records.parser(__doc__).parse_args()
    walk = records.Walk(target.find(options), rate=options.rate, after=options.after)
    fill(walk)
    print(f"{walk.changed} files put into the list.")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
