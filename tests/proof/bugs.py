"""Seeded bugs: small patches of behaviour, each of which some check has to catch.

Those marked * are the known defects of the service that Filestore descends from, as far as they are of behaviour and
not of the template.
"""

from collections.abc import Mapping

from tests.proof.seeded import arriving, in_parts, listing, objects, ownership, records, repeated, requests, sweep
from tests.proof.seeded.patching import Bug

_ROOMS = (requests, arriving, in_parts, records, repeated, objects, sweep, listing, ownership)

BUGS: Mapping[str, Bug] = {name: bug for room in _ROOMS for name, bug in room.BUGS.items()}

ROOMS: Mapping[str, str] = {name: room.__name__.rpartition(".")[2] for room in _ROOMS for name in room.BUGS}
"""What each is about."""
