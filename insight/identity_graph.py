"""The identity cluster ready to draw: `GET /api/customer360/{id}/graph`, at most 500 nodes."""

from dataclasses import dataclass, field
from typing import Any

from core.errors import NotFoundError
from graph.driver import Graph
from graph.repositories.traits import chosen_traits
from graph.values import to_time_text
from insight.profile360 import display_name

MAX_NODES = 500
LIVE, ENDED, WEAK, PENDING = "live", "ended", "weak", "pending"


@dataclass(slots=True)
class _Drawing:
    """Nodes and edges collected so far; what does not fit is left out and said so."""

    limit: int
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: dict[str, dict[str, Any]] = field(default_factory=dict)
    truncated: bool = False

    def add_node(self, id_: str, label: str, kind: str, caption: str, flags: list[str]) -> None:
        if id_ in self.nodes:
            return
        if len(self.nodes) >= self.limit:
            self.truncated = True
            return
        self.nodes[id_] = {"id": id_, "label": label, "type": kind, "caption": caption, "flags": flags}

    def add_edge(self, source: str, target: str, kind: str, **facts: Any) -> None:
        if source not in self.nodes or target not in self.nodes:
            return
        id_ = f"{source}>{kind}>{target}"
        edge = {"id": id_, "source": source, "target": target, "type": kind}
        self.edges.setdefault(id_, {**edge, "rule": None, "trust": None, "since": None, "state": LIVE, **facts})


def get_identity_graph(graph: Graph, brand: str, profile_id: str, limit: int = MAX_NODES) -> dict[str, Any]:
    """{nodes, edges, truncated} of the profile's cluster with open reviews and other holders of its identifiers.

    Raises NotFoundError for an unknown profile. Edge states: live, ended, weak, pending.
    """
    rows = graph.read("insight/read_identity_graph", brand=brand, id=profile_id, limit=limit + 1)
    if not rows:
        raise NotFoundError("No such profile.")
    row = rows[0]
    drawing = _Drawing(limit)
    _draw_cluster(drawing, row)
    _draw_neighbours(drawing, row)
    for name in ("links", "refusals", "reviews", "others"):
        drawing.truncated = drawing.truncated or len(row[name]) > limit
    return {
        "nodes": list(drawing.nodes.values()),
        "edges": list(drawing.edges.values()),
        "truncated": drawing.truncated,
    }


def _draw_cluster(drawing: _Drawing, row: dict[str, Any]) -> None:
    """Personas, their identifiers and the pointers between them."""
    for persona in sorted(row["personas"], key=lambda persona: persona["id"] != row["root_id"]):
        is_root = persona["id"] == row["root_id"]
        name = display_name(chosen_traits(persona["traits"], None))
        flags = ["survivor"] if is_root else ["absorbed"]
        drawing.add_node(persona["id"], "Customer", "profile" if is_root else "persona", name or persona["id"], flags)
    for link in row["links"]:
        node_id = _identifier_id(link["key"])
        drawing.add_node(node_id, "Identifier", link["type"], link["value"], sorted(link["flags"] or ()))
        _draw_link(drawing, link, ENDED if link["until"] is not None else LIVE)
    for pointer in row["pointers"]:
        drawing.add_edge(
            pointer["from_id"], pointer["to_id"], "MERGED_INTO",
            rule=pointer["reason"], since=to_time_text(pointer["at"]), state=WEAK if pointer["weak"] else LIVE,
        )  # fmt: skip


def _draw_neighbours(drawing: _Drawing, row: dict[str, Any]) -> None:
    """What touches the cluster without being in it: other holders, refusals, open reviews."""
    for link in row["others"]:
        _draw_stranger(drawing, link["persona_id"])
        _draw_link(drawing, link, LIVE)
    for refusal in row["refusals"]:
        for id_ in (refusal["from_id"], refusal["to_id"]):
            _draw_stranger(drawing, id_)
        drawing.add_edge(
            refusal["from_id"], refusal["to_id"], "NOT_SAME",
            rule=refusal["reason"], since=to_time_text(refusal["at"]), state=ENDED if refusal["ended_at"] else LIVE,
        )  # fmt: skip
    for review in row["reviews"]:
        drawing.add_node(review["id"], "Review", "review", review["reason"] or "Review", [PENDING])
        for persona_id in review["persona_ids"]:
            drawing.add_edge(
                review["id"], persona_id, "PROPOSES", since=to_time_text(review["created_at"]), state=PENDING
            )


def _draw_stranger(drawing: _Drawing, persona_id: str) -> None:
    """A persona of another profile, unless it is drawn already."""
    drawing.add_node(persona_id, "Customer", "profile", persona_id, ["other_profile"])


def _draw_link(drawing: _Drawing, link: dict[str, Any], state: str) -> None:
    drawing.add_edge(
        link["persona_id"], _identifier_id(link["key"]), "HAS_IDENTIFIER",
        rule=link["source"], trust=link["trust"], since=to_time_text(link["since"]), state=state,
    )  # fmt: skip


def _identifier_id(key: str) -> str:
    """The graph key without its brand: `type:value`, as evidence and `why` spell it."""
    _, kind, value = key.split("|", 2)
    return f"{kind}:{value}"
