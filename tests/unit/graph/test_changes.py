"""What is noted of a change of identities: which persona goes where, in parts of bounded size, nothing personal."""

from core.changes import MAX_MOVES, Change, ChangeKind, decode_changes, encode_changes, split_moves
from graph.changes import Ties, changes_of_ties, changes_of_unmerge


def ties(before: dict[str, str], after: dict[str, str], **more: dict[str, str]) -> Ties:
    return Ties(before, after, more.get("merge_ids", {}), more.get("retracted", {}), "evt_1")


def shown(changes: list[Change]) -> list[tuple[str, str | None, tuple[tuple[str, str], ...], str | None]]:
    return [(change.kind.value, change.profile_id, change.moves, change.merge_id) for change in changes]


def test_a_group_that_joins_another_as_a_whole_is_merged() -> None:
    found = ties({"a": "a", "b": "b", "c": "b"}, dict.fromkeys("abc", "a"), merge_ids={"b": "m1"})
    assert shown(changes_of_ties(found)) == [("merged", "a", (("b", "a"), ("c", "a")), "m1")]


def test_a_part_that_leaves_is_retracted() -> None:
    found = ties(dict.fromkeys("abc", "a"), {"a": "a", "b": "b", "c": "b"}, retracted={"b": "m1"})
    assert shown(changes_of_ties(found)) == [("retracted", "b", (("b", "b"), ("c", "b")), "m1")]


def test_what_comes_apart_is_told_before_what_is_joined() -> None:
    found = ties({"a": "a", "b": "a", "c": "c", "d": "d"}, {"a": "a", "b": "c", "c": "c", "d": "c"})
    assert [change.kind.value for change in changes_of_ties(found)] == ["retracted", "merged"]


def test_nothing_that_moved_is_no_change() -> None:
    same = {"a": "a", "b": "a"}
    assert changes_of_ties(ties(same, same)) == []


def test_too_many_moves_for_one_entry_go_on_in_further_ones() -> None:
    moves = {f"p{number:04d}": "p0000" for number in range(2 * MAX_MOVES + 1)}
    parts = changes_of_unmerge(["root"], moves, "m1")
    assert [(len(part.moves), part.part) for part in parts] == [(MAX_MOVES, 1), (MAX_MOVES, 2), (1, 3)]
    assert {move for part in parts for move in part.moves} == set(moves.items())
    assert next(split_moves(Change(kind=ChangeKind.CREATED))).part is None


def test_a_mark_reads_back_as_it_was_written() -> None:
    changes = [Change(kind=ChangeKind.MERGED, profile_id="a", moves=(("b", "a"),)), Change(kind=ChangeKind.SHARED)]
    assert decode_changes(encode_changes(changes)) == changes
