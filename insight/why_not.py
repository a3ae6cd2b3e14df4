"""Why two identifiers are not one person: what both profiles touch, and which rule or person keeps them apart."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.identifiers import WEAK_TYPES
from graph.driver import Graph
from graph.values import to_time_text
from insight.why_cluster import Cluster, key_of, node_of, read_cluster
from insight.why_evidence import pair_of
from resolver.rules import (
    RULE_DRIFT,
    RULE_NOT_SAME,
    RULE_REACH,
    RULE_SHARED,
    RULE_THRESHOLD,
    RULE_TRUST,
    RULE_TYPE_LIMIT,
    RULE_UNIQUE_ID,
    RULE_WEAK_ONLY,
)
from resolver.weak_links import contradict

NO_EVIDENCE, UNLINKED, SUGGESTION, UNRESOLVED = "no_evidence", "unlinked", "suggestion", "unresolved"
_MAX_EVENTS = 50
_MAX_EVENTS_OF_IDENTIFIER = 20_000
_MAX_BLOCKS = 50
# What a review's events may have hit, the one that decides first.
_REVIEW_RULES = (RULE_THRESHOLD, RULE_UNIQUE_ID, RULE_TRUST, RULE_TYPE_LIMIT, RULE_DRIFT, RULE_SHARED, RULE_REACH)
_WORDS = {
    RULE_THRESHOLD: "An event touched more profiles than may merge without a person.",
    RULE_NOT_SAME: "A person told these profiles apart.",
    RULE_SHARED: "The identifier points at more people than its limit: it describes and does not link.",
    RULE_WEAK_ONLY: "Only identifiers of medium or low tier are in common, and stronger ones contradict.",
}

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Apart:
    """Two nodes that are not one person: each with the live profile that answers for it, None when nobody does."""

    brand: str
    left: tuple[str, str | None]
    right: tuple[str, str | None]


@dataclass(slots=True)
class _Findings:
    """What was read about the two sides."""

    clusters: tuple[Cluster, Cluster]
    events: list[dict[str, Any]]
    truncated: bool
    shared: list[str] = field(default_factory=list)
    """Identifiers that both sides touch."""
    flags: dict[str, dict[str, Any]] = field(default_factory=dict)


def explain_apart(graph: Graph, apart: Apart) -> dict[str, Any]:
    """{same: false, shared, blocked_by} of two nodes that different live profiles, or nobody, answer for."""
    clusters = [
        Cluster("") if root is None else read_cluster(graph, apart.brand, root) for _, root in (apart.left, apart.right)
    ]
    held = [_own(cluster, node) for cluster, (node, _) in zip(clusters, (apart.left, apart.right), strict=True)]
    events, is_cut = _events_between(graph, apart.brand, clusters, held)
    found = _Findings((clusters[0], clusters[1]), events, is_cut or any(cluster.truncated for cluster in clusters))
    touched = [
        own | {node for one in cluster.carried for node in one.nodes | one.describing}
        for own, cluster in zip(held, clusters, strict=True)
    ]
    found.shared = sorted(touched[0] & touched[1])
    found.flags = _flags(graph, apart.brand, found.shared)
    blocks = [*_decided(graph, apart), *_by_events(events), *_by_identifiers(found), *_by_contradiction(found)]
    blocks = _once(blocks)
    shared = [*found.shared, *(event["id"] for event in events)]
    return {
        "same": False,
        "profile_ids": [apart.left[1], apart.right[1]],
        "shared": shared,
        "blocked_by": blocks or [_nothing(found)],
        "truncated": found.truncated,
    }


def _own(cluster: Cluster, node: str) -> set[str]:
    """What a side holds or held; of one that nobody answers for the identifier itself."""
    return cluster.ever if cluster.root_id else {node}


def _events_between(
    graph: Graph, brand: str, clusters: Sequence[Cluster], held: Sequence[set[str]]
) -> tuple[list[dict[str, Any]], bool]:
    """Events that carry identifiers of both sides, newest first; the side with fewer events is walked."""
    weights = [sum(link["events"] for link in cluster.links) for cluster in clusters]
    near, far = (0, 1) if weights[0] <= weights[1] else (1, 0)
    # What both hold or held ties nobody to anybody; of a side that has nothing else it is all there is.
    keys = [sorted(key_of(brand, node) for node in own - other or own) for own, other in (held, held[::-1])]
    if not keys[near] or not keys[far]:
        return [], False
    [row] = graph.read(
        "insight/why_between",
        brand=brand, sides={"left": keys[near], "right": keys[far]},
        per_identifier=_MAX_EVENTS_OF_IDENTIFIER, limit=_MAX_EVENTS,
    )  # fmt: skip
    return row["events"], row["is_cut"]


def _flags(graph: Graph, brand: str, nodes: Sequence[str]) -> dict[str, dict[str, Any]]:
    if not nodes:
        return {}
    keys = [key_of(brand, node) for node in nodes]
    [row] = graph.read("insight/why_sides", brand=brand, id="", keys=keys, ids=[], limit=2)
    return {node_of(found["key"]): found for found in row["identifiers"]}


def _decided(graph: Graph, apart: Apart) -> Iterator[Block]:
    """Marks, pending reviews and merges taken back between two live profiles."""
    left, right = apart.left[1], apart.right[1]
    if left is None or right is None:
        return
    [row] = graph.read("insight/why_blocks", brand=apart.brand, left=left, right=right, limit=_MAX_BLOCKS)
    for mark in row["marks"]:
        yield {
            "rule": RULE_NOT_SAME, "detail": _WORDS[RULE_NOT_SAME], "by": mark["by"], "at": to_time_text(mark["at"]),
            "reason": mark["reason"] or None,
        }  # fmt: skip
    for review in row["reviews"]:
        yield {
            "rule": review_rule(review["rules"], has_events=review["has_events"]),
            "detail": review["reason"] or "A person has to decide.", "review_id": review["id"],
            "at": to_time_text(review["created_at"]), "rule_version": review["rule_version"],
        }  # fmt: skip
    for merge in row["merges"]:
        if merge["reverted_by"] == "rules":
            yield {
                "rule": RULE_WEAK_ONLY, "detail": "A tie over weaker identifiers was taken back by better evidence.",
                "merge_id": merge["merge_id"], "at": to_time_text(merge["reverted_at"]),
            }  # fmt: skip


def review_rule(rules: Iterable[str], *, has_events: bool = True) -> str:
    """The rule that made a review, from those its events hit; one without events was suggested."""
    hit = set(rules)
    if not has_events:
        return SUGGESTION
    return next((rule for rule in _REVIEW_RULES if rule in hit), RULE_THRESHOLD)


def _by_events(events: Iterable[dict[str, Any]]) -> Iterator[Block]:
    """Rules on the events that carry identifiers of both sides; the newest event speaks for each rule."""
    for event in events:
        for rule in event["rules"] or ():
            # A mark that still holds is told from the mark itself: the event's may have ended.
            if rule != RULE_NOT_SAME:
                yield {
                    "rule": rule, "detail": rule_detail(rule, event["warnings"] or ()), "event_id": event["id"],
                    "at": to_time_text(event["at"]), "rule_version": event["rule_version"],
                }  # fmt: skip


def rule_detail(rule: str, warnings: Iterable[str]) -> str:
    """The sentence that an event's warnings have for a rule, else a general one."""
    for warning in warnings:
        name, _, sentence = warning.partition(": ")
        if name == rule and sentence:
            return sentence
    return _WORDS.get(rule, "The rule refused the link.")


def _by_identifiers(found: _Findings) -> Iterator[Block]:
    """Flags of what both sides touch, and links that ended."""
    for node in found.shared:
        known = found.flags.get(node, {})
        flags = known.get("flags") or ()
        if "shared" in flags:
            since = to_time_text(known.get("shared_since"))
            yield {"rule": RULE_SHARED, "detail": _WORDS[RULE_SHARED], "identifier": node, "at": since}
        if "contested" in flags:
            detail = "The identifier changed hands: each event belongs to its owner of that time."
            yield {"rule": RULE_WEAK_ONLY, "detail": detail, "identifier": node, "at": None}
    for cluster in found.clusters:
        for link in cluster.links:
            if link["until"] is not None and link["node"] in found.shared:
                by = link["unlinked_by"]
                how = "when it changed hands" if by is None else "by hand"
                yield {
                    "rule": UNLINKED, "detail": f"The link to one of the profiles ended {how}.",
                    "identifier": link["node"], "at": to_time_text(link["until"]), "by": by,
                }  # fmt: skip


def _by_contradiction(found: _Findings) -> Iterator[Block]:
    """Weak identifiers in common, while stronger ones of the same type differ."""
    weak = [node for node in found.shared if pair_of(node)[0] in WEAK_TYPES]
    left, right = ([pair_of(node) for node in cluster.current] for cluster in found.clusters)
    if weak and len(weak) == len(found.shared) and contradict(left, right):
        yield {"rule": RULE_WEAK_ONLY, "detail": _WORDS[RULE_WEAK_ONLY], "identifier": weak[0], "at": None}


def _nothing(found: _Findings) -> Block:
    """Nothing blocked the two: they have nothing usable in common, or nobody asked yet."""
    both_hold = found.clusters[0].current & found.clusters[1].current
    if any(pair_of(node)[0] != "card_last4" for node in both_hold):
        detail = "Both hold the identifier as they were imported; no event has tied them since."
        return {"rule": UNRESOLVED, "detail": detail}
    return {"rule": NO_EVIDENCE, "detail": "No event and no decision ties the two."}


def _once(blocks: Iterable[Block]) -> list[Block]:
    """One entry for each rule and what it is about; a pending review speaks for its events."""
    kept: dict[tuple[Any, ...], Block] = {}
    for block in blocks:
        about = (block["rule"], block.get("identifier"), block.get("review_id"), block.get("by"), block.get("merge_id"))
        if "event_id" in block and any(one["rule"] == block["rule"] for one in kept.values()):
            continue
        kept.setdefault(about, block)
    return list(kept.values())
