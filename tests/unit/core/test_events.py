"""Events that wait in the inbox since an older version are read by a newer one."""

import msgspec

from core.events import IncomingEvent
from tests.factories import event


def test_what_is_worked_out_of_an_event_is_not_asked_of_a_stored_one() -> None:
    told = event("b", "email:a@x.io", "cookie_id:c", minute=3)
    stored = msgspec.to_builtins(told)
    for name in ("micros", "is_sighting"):
        del stored[name]
    found = msgspec.convert(stored, IncomingEvent)
    assert found == told
    assert (found.micros, found.is_sighting) == (told.micros, True)
