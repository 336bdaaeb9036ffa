"""Puts into the list the files that were stored before the stack had one. Run twice it changes nothing more.

It may run while files are stored and deleted, and be interrupted: what it has put into the list is there.
"""

import sys
from typing import Any

from ops import records, target
from ops.errors import run

# Deleted ones as well: the list shows them where that is asked for.
_UNLISTED = {
    "FilterExpression": "attribute_exists(stored_at) AND attribute_not_exists(list_place)",
    "ProjectionExpression": "id, stored_at",
}


def fill(walk: records.Walk) -> None:
    """Give every record of a stored file that has none its place in the list."""
    walk.change(_UNLISTED, _place)


def _place(item: records.Item) -> dict[str, Any]:
    """As ``filestore.storage.items.list_keys`` has it for new ones; tests hold the one against the other."""
    file_id, stored_at = item["id"]["S"], item["stored_at"]["S"]
    return {
        "UpdateExpression": "SET list_shard = :shard, list_place = :place",
        "ConditionExpression": "stored_at = :at AND attribute_not_exists(list_place)",
        "ExpressionAttributeValues": {
            ":shard": {"S": file_id[:1]},
            ":place": {"S": f"{stored_at}#{file_id}"},
            ":at": {"S": stored_at},
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
