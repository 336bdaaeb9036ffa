"""Calls of the API, whose answers must be true."""

from collections.abc import Mapping, Set
from typing import Any

from tests import support
from tests.proof import model
from tests.proof.faults import Died
from tests.proof.vocabulary import Op
from tests.proof.world import World


def call(
    world: World, op: Op, operation: str, *, expected: Set[int] = frozenset(), **request: Any
) -> support.Reply | None:
    """An answer, or None where the function died. ``expected`` are its statuses, where they are not the usual ones."""
    try:
        reply = support.call(operation, **{"key_id": world.key_of(op), **request})
    except Died:
        return None
    expected = expected or {200, 204, 302, 403, 404, 409} | ({429, 503} if op.fault else set()) | (
        {400} if world.on_load else set()
    )
    expected = {500} if world.is_denied() else expected
    world.require(reply.status in expected, f"I10: {operation} answered {reply.status} {reply.body}")
    return reply


def batch(
    world: World, op: Op, operation: str, query: Mapping[str, str]
) -> tuple[list[str], list[Any], dict[str, str]] | None:
    """Ids asked for, result and problems of a call with ``?problems=yes``, which must name each id exactly once."""
    ids = [world.id_of(number) for number in op.files]
    if op.variant & 1:
        ids += [f"{number:032x}" for number in range(12)]
    reply = call(world, op, operation, body=ids, query={"problems": "yes", **query})
    if reply is None or reply.status != 200:
        return None
    result = [entry["id"] if isinstance(entry, dict) else entry for entry in reply.body["result"]]
    problems = {file_id: problem["code"] for file_id, problem in reply.body["problems"].items()}
    world.require(not set(result) & set(problems), "I7: a result that is a problem too")
    world.require(set(result) | set(problems) == set(ids), f"I7: {operation} dropped ids")
    world.require(result == [file_id for file_id in dict.fromkeys(ids) if file_id in set(result)], "I7: order")
    return ids, reply.body["result"], problems


def require_truth(
    world: World, op: Op, problems: Mapping[str, str], since: int, says: Mapping[str, set[model.State]] = model.SAYS
) -> None:
    """Each problem was so at some moment of the call."""
    for file_id, code in problems.items():
        if code == "try_again":
            world.require(op.fault, "I7: try_again though nothing failed")
        else:
            world.require(
                world.truth.was(file_id, says[code], since, world.key_of(op)), f"I7: {op.kind} said {code} of {file_id}"
            )
