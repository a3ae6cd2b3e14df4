"""Owners of a weak identifier in time, as links: rules that no whole story shows by itself."""

from core.identifiers import Identifier
from resolver.neighbourhood import Arrangement, Held, Member, holders_of
from resolver.profiles import Statistics
from resolver.weak_links import Core, Evidence, Sighting, WeakFold

COOKIE = Identifier("cookie_id", "d")
MINUTE = 60_000_000


def test_who_holds_from_the_beginning_and_is_seen_after_the_next_owner_has_a_link_that_ends_after_it_begins() -> None:
    # A person keeps "alone" a profile of its own; it waits with "known" for an answer, so nothing ties them.
    evidence = Evidence(
        cores={"alone": Core("alone", pinned=(COOKIE,)), "known": Core("known", {("email", "b")})},
        sightings=[Sighting((29 * MINUTE, "e2"), "known", (COOKIE,))],
        pending=[frozenset({"alone", "known"})],
    )
    stored = Held(COOKIE, (35 * MINUTE, "e1"))
    members = {name: Member(name, name, Statistics(), [stored] if name == "alone" else []) for name in evidence.cores}
    names = {name: name for name in evidence.cores}
    links = holders_of(Arrangement(WeakFold(evidence), names, names, members), COOKIE, [("alone", stored)])
    assert [(one, link.since[1], link.until) for one, link in links] == [
        ("alone", "e1", 29 * MINUTE),
        ("known", "e2", None),
    ]
    assert all(link.until is None or link.since[0] < link.until for _, link in links)
