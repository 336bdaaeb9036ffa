"""What the scenarios of the crash table are made of: what has happened before, and how long ago."""

from dataclasses import dataclass

from tests.proof.faults import Fault
from tests.proof.schedules import Step
from tests.proof.settings import FILE_LIFETIME, LATE_MARGIN, URL_LIFETIME, URL_MARGIN
from tests.proof.vocabulary import Op

PUT = Step((Op("put", (0,)),))
TOO_LARGE_PUT = Step((Op("put", (0,), variant=5),))
DELIVERED = Step((Op("deliver", (0,)),))
UPLOADED = (PUT, DELIVERED)
STORED = (*UPLOADED, Step((Op("store", (0,)),)))
INTERRUPTED_DELETE = (*STORED, Step((Op("delete", (0,), Fault("died after", 0)),)))
ALL_PUT = (Step(tuple(Op("put", (number,)) for number in range(27))),)
DEAD_URL = Step((), wait=URL_LIFETIME + URL_MARGIN)
OVER = Step((), wait=URL_LIFETIME + LATE_MARGIN)
OLD = Step((), wait=FILE_LIFETIME + URL_LIFETIME)
SENT = Step((Op("send", (0,)),))
SWEPT = Step((Op("sweep"),))
LOST = Step((Op("lose", (0,)),))
LATE = Step((), wait=LATE_MARGIN - URL_MARGIN - 1)
FILE_OVER = Step((), wait=FILE_LIFETIME)
LAST_SECOND_LEFT = Step((), wait=URL_LIFETIME + LATE_MARGIN - FILE_LIFETIME - 1)
TWO = (Step((Op("put", (0,)), Op("put", (1,)))), Step((Op("deliver", (0, 1)),)))


@dataclass(frozen=True)
class Scenario:
    """What was before, and what is then killed; ``meanwhile`` runs beside it, by turns."""

    before: tuple[Step, ...]
    op: Op
    meanwhile: tuple[Op, ...] = ()
    choices: tuple[int, ...] = ()
    on_load: bool = False
    isolated: bool = False
    closed: bool = False
    lifetime: int = FILE_LIFETIME
    files: int = 1
    page: int = 1
    declared: bool = True
    in_parts: bool = False
