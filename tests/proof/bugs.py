"""Seeded bugs: small patches of behaviour, each of which some check has to catch.

Those marked * are the known defects of the service that Filestore descends from, as far as they are of behaviour and
not of the template.
"""

from collections.abc import Mapping

from tests.proof.seeded import arriving, in_parts, listing, objects, ownership, records, repeated, requests, sweep
from tests.proof.seeded.patching import Bug

BUGS: Mapping[str, Bug] = {
    **requests.BUGS,
    **arriving.BUGS,
    **in_parts.BUGS,
    **records.BUGS,
    **repeated.BUGS,
    **objects.BUGS,
    **sweep.BUGS,
    **listing.BUGS,
    **ownership.BUGS,
}
