"""Unmerge as a replay: what depended on a merge comes apart with it, the rest stays."""

from resolver.unmerge import Forest, MergeLink, replay_without


def auto(name: str, at: int, pointers: list[tuple[str, str]], *causes: str) -> MergeLink:
    return MergeLink(name, (at, 0), tuple(pointers), frozenset(causes))


def manual(name: str, at: int, *pointers: tuple[str, str]) -> MergeLink:
    return MergeLink(name, (at, 0), pointers)


def groups(forest: Forest, personas: str) -> set[frozenset[str]]:
    found: dict[str, set[str]] = {}
    for persona in personas:
        found.setdefault(forest.root(persona), set()).add(persona)
    return {frozenset(group) for group in found.values()}


def parts(*names: str) -> set[frozenset[str]]:
    return {frozenset(name) for name in names}


def test_a_single_merge_comes_apart() -> None:
    assert groups(replay_without("ab", [auto("m", 1, [("b", "a")], "a", "b")], "m"), "ab") == parts("a", "b")


def test_a_merge_of_five_leaves_five() -> None:
    links = [manual("m", 1, ("b", "a"), ("c", "a"), ("d", "a"), ("e", "a"))]
    assert groups(replay_without("abcde", links, "m"), "abcde") == parts("a", "b", "c", "d", "e")


def test_earlier_merges_of_the_absorbed_stay() -> None:
    links = [auto("m1", 1, [("c", "b")], "b", "c"), auto("m2", 2, [("b", "a")], "a", "b")]
    assert groups(replay_without("abc", links, "m2"), "abc") == parts("a", "bc")


def test_a_later_merge_caused_by_the_absorbed_goes_with_them() -> None:
    links = [auto("m1", 1, [("b", "a")], "a", "b"), auto("m2", 2, [("c", "a")], "b", "c")]
    assert groups(replay_without("abc", links, "m1"), "abc") == parts("a", "bc")


def test_a_later_merge_caused_by_both_sides_stays_with_the_survivor() -> None:
    links = [auto("m1", 1, [("b", "a")], "a", "b"), auto("m2", 2, [("c", "a")], "a", "b", "c")]
    assert groups(replay_without("abc", links, "m1"), "abc") == parts("ac", "b")


def test_a_later_manual_merge_stays_with_the_survivor() -> None:
    links = [auto("m1", 1, [("b", "a")], "a", "b"), manual("m2", 2, ("c", "a"))]
    assert groups(replay_without("abc", links, "m1"), "abc") == parts("ac", "b")


def test_the_group_may_have_been_absorbed_itself() -> None:
    links = [auto("m1", 1, [("b", "a")], "a", "b"), auto("m2", 2, [("a", "z")], "b", "z")]
    forest = replay_without("abz", links, "m1")
    assert groups(forest, "abz") == parts("a", "bz")
    assert forest.pointers == {"b": ("z", "m2")}


def test_pointers_that_still_stand_are_kept_as_they_are() -> None:
    links = [auto("m1", 1, [("b", "a")], "a", "b"), auto("m2", 2, [("c", "a")], "a", "c")]
    assert replay_without("abc", links, "m1").pointers == {"c": ("a", "m2")}


def test_a_chain_behind_the_absorbed_follows_it() -> None:
    links = [
        auto("m1", 1, [("b", "a")], "a", "b"),
        auto("m2", 2, [("c", "a")], "b", "c"),
        auto("m3", 3, [("d", "a")], "c", "d"),
    ]
    assert groups(replay_without("abcd", links, "m1"), "abcd") == parts("a", "bcd")
