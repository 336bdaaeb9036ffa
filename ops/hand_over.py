"""Gives the files of one API key to another: for a rotated key, and when KeyIsolation is switched on or off.

It may run while files are stored and deleted, and be interrupted: each file is at any moment the one's or the other's.
"""

import sys
from typing import Any

from ops import keys, records, target
from ops.errors import OperatorError, run

NOBODY = "nobody"


def hand_over(walk: records.Walk, *, giver: str | None, taker: str | None) -> None:
    """Give every stored file of ``giver``, deleted ones too, to ``taker``; None is nobody."""
    is_theirs = "attribute_not_exists(#owner)" if giver is None else "#owner = :giver"
    names = {"#owner": "owner"}
    values = {} if giver is None else {":giver": {"S": giver}}

    def update(item: records.Item) -> dict[str, Any]:
        shard, place = records.list_keys(item, taker)
        change = "SET list_shard = :shard, list_place = :place"
        to: dict[str, Any] = {} if taker is None else {":taker": {"S": taker}}
        return {
            "UpdateExpression": f"{change} REMOVE #owner" if taker is None else f"{change}, #owner = :taker",
            "ConditionExpression": f"stored_at = :at AND {is_theirs}",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {**values, **to, ":at": item["stored_at"], ":shard": shard, ":place": place},
        }

    scan: dict[str, Any] = {
        "FilterExpression": f"attribute_exists(stored_at) AND {is_theirs}",
        "ProjectionExpression": "id, stored_at",
        "ExpressionAttributeNames": names,
    }
    walk.change(scan | ({"ExpressionAttributeValues": values} if values else {}), update)


def main() -> int:
    """Return the exit status."""
    options = records.parser(__doc__)
    options.add_argument("--from", dest="giver", required=True, help="id of the key that has the files, or nobody")
    options.add_argument("--to", dest="taker", required=True, help="id of the key that gets them, or nobody")
    chosen = options.parse_args()
    if not (chosen.giver and chosen.taker):
        raise OperatorError("Say FROM=id and TO=id; make keys lists the keys, and nobody is a name too.")
    if chosen.giver == chosen.taker:
        raise OperatorError("FROM and TO are the same.")
    stack = target.find(chosen)
    if stack.stack and chosen.taker != NOBODY:
        known = {key.id: key.name for key in keys.listed(stack.client, stack.stack.name)}
        if chosen.taker not in known:
            raise OperatorError(f"There is no key with the id {chosen.taker}. make keys lists those that there are.")
    walk = records.Walk(stack, rate=chosen.rate, after=chosen.after)
    hand_over(walk, giver=_key(chosen.giver), taker=_key(chosen.taker))
    print(f"{walk.changed} files handed over.")
    return 0


def _key(name: str) -> str | None:
    return None if name == NOBODY else name


if __name__ == "__main__":
    sys.exit(run(main))
