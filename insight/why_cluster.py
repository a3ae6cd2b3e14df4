"""Reads the evidence of one live profile for *why*: what its personas hold, what its events carried, who was merged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.clock import to_micros
from core.identifiers import TRUST_ORDER
from graph.driver import Graph
from graph.values import to_time
from insight.why_evidence import EVENT, LINK, MERGE, Evidence, EvidenceGraph, Step, event_evidence

MAX_MEMBERS = 2_000
"""Personas, and links to identifiers, of a profile that are looked at."""
MAX_EVENTS = 20_000
MAX_EVENTS_OF_STEP = 500
"""Events of one pair of identifiers among which the best is chosen."""
DECIDED_BY_RULES = "rules"
_LINKED_BY_DECISION = frozenset({"by_hand", "imported"})


@dataclass(frozen=True, slots=True)
class Carried:
    """A set of identifiers that events carried together; one of the events as a sample, its time in microseconds."""

    nodes: frozenset[str]
    """Those that tie."""
    describing: frozenset[str]
    """Those that were shared by too many people then."""
    events: int
    sample_id: str
    sample_at: int


@dataclass(slots=True)
class Cluster:
    """One live profile with its links and pointers as stored, and which identifiers its events carried together."""

    root_id: str
    personas: list[str] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    pointers: list[dict[str, Any]] = field(default_factory=list)
    carried: list[Carried] = field(default_factory=list)
    truncated: bool = False

    @property
    def current(self) -> set[str]:
        """Identifiers that it holds now."""
        return {link["node"] for link in self.links if link["until"] is None}

    @property
    def ever(self) -> set[str]:
        """Identifiers that it holds or held."""
        return {link["node"] for link in self.links}

    @property
    def held(self) -> dict[str, set[str]]:
        """Identifiers that each persona holds or held."""
        held: dict[str, set[str]] = {persona: set() for persona in self.personas}
        for link in self.links:
            held[link["persona_id"]].add(link["node"])
        return held

    def holder(self, node: str) -> str | None:
        """The persona of an identifier (a persona is its own): the one that holds it now, else the last that did."""
        if node in self.personas:
            return node
        links = [link for link in self.links if link["node"] == node]
        links.sort(key=lambda link: (link["until"] is None, _micros(link["since"]) or 0, link["persona_id"]))
        return links[-1]["persona_id"] if links else None


def node_of(key: str) -> str:
    """The graph key of an identifier without its brand: `type:value`."""
    _, kind, value = key.split("|", 2)
    return f"{kind}:{value}"


def key_of(brand: str, node: str) -> str:
    """The graph key of `type:value`."""
    kind, _, value = node.partition(":")
    return f"{brand}|{kind}|{value}"


def read_cluster(graph: Graph, brand: str, root_id: str, keys: Iterable[str] = ()) -> Cluster:
    """The live profile `root_id`; the identifiers `keys` are read even where there are more than the bound."""
    limit = MAX_MEMBERS + 1
    [row] = graph.read("insight/why_cluster", brand=brand, root=root_id, keys=list(keys), limit=limit)
    links = [{**link, "node": node_of(link["key"])} for link in row["links"]]
    founding = {one["event_id"] for one in (*links, *row["pointers"]) if one["event_id"]}
    [found] = graph.read(
        "insight/why_evidence", brand=brand, root=root_id, founding=sorted(founding), limit=MAX_EVENTS + 1
    )
    carried = [_carried(stored) for stored in found["rows"]]
    is_cut = len(row["personas"]) == limit or len(links) == limit or sum(one.events for one in carried) > MAX_EVENTS
    return Cluster(root_id, row["personas"], links, row["pointers"], carried, is_cut)


def prove(graph: Graph, brand: str, cluster: Cluster, chain: Sequence[Step]) -> list[Step]:
    """The steps with the best event of each in place of the sample."""
    events = {link["node"]: link["events"] for link in cluster.links}
    places = [place for place, step in enumerate(chain) if step.evidence.via == EVENT]
    pairs = [sorted((chain[place].start, chain[place].end), key=lambda node: events[node]) for place in places]
    proven = list(chain)
    if not pairs:
        return proven
    rows = graph.read(
        "insight/why_steps",
        brand=brand, root=cluster.root_id, trusts=TRUST_ORDER, per_identifier=MAX_EVENTS,
        limit=MAX_EVENTS_OF_STEP,
        pairs=[[key_of(brand, node) for node in pair] for pair in pairs],
    )  # fmt: skip
    for row in rows:
        # Between two reads a profile may have come apart: then the sample stays.
        if row["best"] is not None:
            _, at, id_, trust, source = row["best"]
            step = chain[places[row["place"]]]
            evidence = replace(step.evidence, id=id_, at=at, source=source, trust=trust or "")
            proven[places[row["place"]]] = replace(step, evidence=evidence)
    return proven


def _carried(stored: list[Any]) -> Carried:
    keys, describing, events, id_, at = stored
    muted = frozenset(node_of(key) for key in describing)
    return Carried(frozenset(node_of(key) for key in keys) - muted, muted, events, id_, at)


def evidence_graph(cluster: Cluster, ends: Iterable[str] = ()) -> EvidenceGraph:
    """All evidence of a profile; personas among `ends` are tied to what they hold."""
    held = cluster.held
    pieces = [*_events(cluster), *_merges(cluster, held), *_links(cluster, held)]
    at_ends = {end for end in ends if end in held}
    pieces += [
        Evidence(LINK, _link_id(link), frozenset({link["persona_id"]}), frozenset({link["node"]}), **_facts(link))
        for link in cluster.links
        if link["persona_id"] in at_ends and link["until"] is None
    ]
    return EvidenceGraph(pieces, cluster.current, {end: held[end] for end in at_ends})


def _events(cluster: Cluster) -> Iterable[Evidence]:
    """One piece for each set of the profile's identifiers that events carried together."""
    ever = cluster.ever
    for one in cluster.carried:
        nodes = one.nodes & ever
        if len(nodes) > 1:
            yield event_evidence(one.sample_id, nodes, one.sample_at, trust="", count=one.events)


def _merges(cluster: Cluster, held: dict[str, set[str]]) -> Iterable[Evidence]:
    """Pointers: those of a person are evidence, those of rules follow from the events behind them."""
    below: dict[str, list[str]] = {}
    firsts = _firsts(cluster)
    for pointer in cluster.pointers:
        below.setdefault(pointer["to_id"], []).append(pointer["from_id"])
    for pointer in cluster.pointers:
        absorbed, survivor = pointer["from_id"], pointer["to_id"]
        sides = [_reach(absorbed, held, below), _reach(survivor, held, below)]
        yield Evidence(
            MERGE, pointer["merge_id"], frozenset({absorbed, *sides[0]}), frozenset({survivor, *sides[1]}),
            _micros(pointer["at"]), pointer["decided_by"],
            anchors=tuple(min(firsts[node] for node in side)[2] for side in sides if side),
            is_derived=pointer["decided_by"] == DECIDED_BY_RULES,
        )  # fmt: skip


def _links(cluster: Cluster, held: dict[str, set[str]]) -> Iterable[Evidence]:
    """Links made by decision are evidence by themselves; all others follow from the events that made them."""
    firsts = _firsts(cluster)
    for persona, nodes in held.items():
        if len(nodes) > 1:
            began, _, founder = min(firsts[node] for node in nodes)
            yield Evidence(
                LINK, persona, frozenset(nodes), frozenset(nodes), began,
                trust="", anchors=(founder, *sorted(nodes)), is_derived=True,
            )  # fmt: skip
    for link in cluster.links:
        others = held[link["persona_id"]] - {link["node"]}
        if link["source"] in _LINKED_BY_DECISION and link["until"] is None and others:
            founder = min(firsts[node] for node in others)[2]
            yield Evidence(
                LINK, _link_id(link), frozenset({link["node"]}), frozenset(others), **_facts(link),
                anchors=(link["node"], founder),
            )  # fmt: skip


def _facts(link: dict[str, Any]) -> dict[str, Any]:
    return {"at": _micros(link["since"]), "source": link["source"], "trust": link["trust"] or ""}


def _link_id(link: dict[str, Any]) -> str:
    """The id that the drawn identity graph gives this edge."""
    return f"{link['persona_id']}>HAS_IDENTIFIER>{link['node']}"


def _reach(persona: str, held: dict[str, set[str]], below: dict[str, list[str]]) -> set[str]:
    """What a persona holds; of one that lost everything to others, what those it absorbed hold."""
    waiting, seen = [persona], {persona}
    while waiting:
        one = waiting.pop()
        if found := held.get(one):
            return set(found)
        waiting += [child for child in below.get(one, ()) if child not in seen]
        seen.update(waiting)
    return set()


def _firsts(cluster: Cluster) -> dict[str, tuple[int, int, str]]:
    """Sort key of each identifier, the one that came first first."""
    firsts: dict[str, tuple[int, int, str]] = {}
    for link in cluster.links:
        node = link["node"]
        first = (_micros(link["since"]) or 0, link["tier"] or 9, node)
        firsts[node] = min(firsts.get(node, first), first)
    return firsts


def _micros(value: object) -> int | None:
    moment = to_time(value)
    return None if moment is None else to_micros(moment)
