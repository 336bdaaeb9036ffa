"""The sweep, and what it must leave."""

import itertools

from filestore.errors import StorageError, TryAgainError
from tests import support
from tests.proof import model
from tests.proof.faults import Died
from tests.proof.settings import LATE_MARGIN, URL_LIFETIME, URL_MARGIN
from tests.proof.vocabulary import Op
from tests.proof.world import World


def sweep(world: World, op: Op) -> None:
    runs_short = op.variant & 7 > 5
    never_uploaded = {file_id for file_id in world.memory.items if file_id not in world.memory.objects}
    remaining = itertools.chain([300_000] * (op.variant & 7), itertools.repeat(1_000)) if runs_short else None
    try:
        support.invoke("sweep", support.sample_event("sweep"), support.Context(remaining))
    except Died:
        pass
    except ExceptionGroup as failures:
        _, unexpected = failures.split((StorageError, TryAgainError))
        world.require(op.fault and not unexpected, f"the sweep failed: {failures.exceptions}")
    else:
        world.require(not world.is_denied(), "I6: that a statement was denied went unnoticed")
        if world.alone and not op.fault and not runs_short:
            _require_nothing_over(world, never_uploaded)


def _require_nothing_over(world: World, never_uploaded: set[str]) -> None:
    """One sweep that nothing disturbs leaves nothing whose time was over, whatever went wrong before."""
    for file_id, item in world.memory.items.items():
        expired = int(item["url_expires_at"]["N"])
        match model.state(item):
            case model.State.UPLOADED:
                recorded = int(model.uploaded_at(item))
                # Pending when the sweep looked first: it looks once more in the end, if nobody sooner.
                looks = expired + (URL_MARGIN if recorded < expired + URL_MARGIN else LATE_MARGIN)
                over = recorded + world.lifetime
                over = over if world.lifetime < URL_LIFETIME else max(over, looks)
                world.require(world.clock() < over, f"I5: {file_id} outlived its lifetime")
            case model.State.PENDING if file_id in never_uploaded:
                world.require(world.clock() < expired + LATE_MARGIN, f"I5: the pending {file_id} outlived its URL")
