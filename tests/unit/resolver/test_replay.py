"""A replay under changed rules ends as the history under these rules would have."""

from core.rules import IdentityRules
from resolver.replay import replay
from tests.factories import event


def test_a_tighter_threshold_leaves_profiles_apart() -> None:
    events = [event("b", f"email:{name}@x.io", minute=place) for place, name in enumerate("abc")]
    events.append(event("b", "email:a@x.io", "email:b@x.io", "email:c@x.io", minute=9))
    assert replay(events, IdentityRules()).profiles == 1
    tight = replay(events, IdentityRules(merge_threshold=2))
    assert (tight.profiles, tight.pending_reviews) == (3, 1)


def test_a_lower_limit_makes_a_device_shared() -> None:
    events = [event("b", f"email:{name}@x.io", "device_id:t", minute=place) for place, name in enumerate("abcd")]
    assert replay(events, IdentityRules()).shared == 0
    assert replay(events, IdentityRules(shared_limits={"device_id": 2})).shared == 1
