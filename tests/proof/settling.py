"""The end of a schedule."""

from tests.proof import model
from tests.proof.operations.events import redrive
from tests.proof.settings import LATE_MARGIN, URL_LIFETIME
from tests.proof.vocabulary import Op, Violation
from tests.proof.world import World


def settle(world: World) -> None:
    """Let everything come to rest, without faults, and see that nothing is lost and nothing left behind."""
    world.quiet = True
    redrive(world, Op("redrive"))
    for _ in range(3):
        if world.queue:
            world.run(Op("deliver", tuple(range(len(world.queue)))))
    left = [message for message in (*world.queue, *world.dead) if message.has_version]
    world.require(not left, "messages that are never handled")
    world.clock.advance(URL_LIFETIME + LATE_MARGIN)
    world.run(Op("sweep"))
    world.clock.advance(world.lifetime)
    world.run(Op("sweep"))
    writes = world.truth.writes
    world.run(Op("sweep"))
    world.require(world.truth.writes == writes, "a second sweep over the same state wrote something")
    for wrong in model.at_rest(
        world.memory.items,
        world.memory.versions(),
        sorted(upload.key for upload in world.memory.multiparts.uploads.values()),
    ):
        raise Violation(wrong)
    world.require(not world.memory.markers, "a delete marker was left")
    world.require(
        set(world.memory.items) <= {upload.id for upload in world.uploads} | world.truth.issued
        and not any(file_id.startswith("0" * 28) for file_id in world.memory.items),
        "I3: a record for an id that was never issued",
    )
    for file_id in sorted(world.kept - world.doomed):
        world.require(model.state(world.memory.items.get(file_id)) is model.STORED, f"I2: {file_id} was stored")
    for number in range(len(world.uploads)):
        world.run(Op("info", (number,)))
    world.run(Op("list", variant=1), Op("list", variant=6 + 8))
