"""Why two identifiers are one person, or why they are not: `GET /api/customer360/{id}/why` is this."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from core.brand import BrandSettings
from core.errors import InvalidInputError, NotFoundError
from core.identifiers import PRIORITY
from core.normal_forms import Rejected, normalise
from graph.driver import Graph
from graph.values import to_time_text
from insight.why_cluster import Cluster, evidence_graph, prove, read_cluster
from insight.why_evidence import Cut, EvidenceGraph, Step, weakest_of
from insight.why_not import Apart, explain_apart

_MAX_TEXT = 1_000
_MAX_HOLDERS = 500


@dataclass(frozen=True, slots=True)
class Question:
    """One side as asked: the parameter it came in, its node, its graph key (None: a profile or persona id)."""

    field: str
    node: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One side as found: the live profiles that answer for it, best first."""

    question: Question
    roots: tuple[str, ...]


def explain(graph: Graph, brand: BrandSettings, profile_id: str, a: str, b: str) -> dict[str, Any]:
    """Why `a` and `b` (each `type:value` in any spelling, or a profile or persona id) are one person, or are not.

    Of several live profiles that hold a side, that of `profile_id` comes first. Raises InvalidInputError and
    NotFoundError that name `a` or `b`, NotFoundError for an unknown `profile_id`.
    """
    questions = (parse_side("a", a, brand), parse_side("b", b, brand))
    left, right = _find(graph, brand.id, profile_id, questions)
    common = [root for root in left.roots if root in right.roots]
    if common:
        return _explain_same(graph, brand.id, common[0], questions)
    sides = [(side.question.node, side.roots[0] if side.roots else None) for side in (left, right)]
    return explain_apart(graph, Apart(brand.id, sides[0], sides[1]))


def parse_side(field: str, text: str, brand: BrandSettings) -> Question:
    """What one parameter asks for; raises InvalidInputError naming it."""
    text = text.strip()
    if not text or len(text) > _MAX_TEXT:
        raise InvalidInputError(f"{field}: must be type:value or a profile id.", field=field)
    kind, colon, value = text.partition(":")
    if not colon:
        return Question(field, text)
    if kind not in PRIORITY:
        raise InvalidInputError(f"{field}: must begin with one of: {', '.join(PRIORITY)}.", field=field)
    identifier = normalise(kind, value, brand)
    if isinstance(identifier, Rejected):
        raise InvalidInputError(f"{field}: {identifier.reason}.", field=field)
    return Question(field, f"{identifier.type}:{identifier.value}", identifier.key(brand.id))


def _find(graph: Graph, brand: str, profile_id: str, questions: Sequence[Question]) -> tuple[Side, Side]:
    [row] = graph.read(
        "insight/why_sides",
        brand=brand, id=profile_id, limit=_MAX_HOLDERS,
        keys=sorted({question.key for question in questions if question.key is not None}),
        ids=sorted({question.node for question in questions if question.key is None}),
    )  # fmt: skip
    if row["root_id"] is None:
        raise NotFoundError("No such profile.")
    roots: dict[str, tuple[str, ...]] = {
        found["key"]: tuple(dict.fromkeys(root for _, root in found["holders"])) for found in row["identifiers"]
    }
    roots |= {persona: (root,) for persona, root in row["personas"]}
    sides = []
    for question in questions:
        known = roots.get(question.key or question.node)
        if known is None:
            what = "no profile" if question.key is None else "no identifier"
            raise NotFoundError(f"{question.field}: there is {what} like this.", field=question.field)
        sides.append(Side(question, known))
    return sides[0], sides[1]


def _explain_same(graph: Graph, brand: str, root: str, questions: Sequence[Question]) -> dict[str, Any]:
    start, end = (question.node for question in questions)
    cluster = read_cluster(graph, brand, root, [question.key for question in questions if question.key is not None])
    evidence = evidence_graph(cluster, (start, end))
    chain = prove(graph, brand, cluster, evidence.chain(start, end) or [])
    weakest = weakest_of(chain)
    return {
        "same": True,
        "profile_id": root,
        "chain": [step_view(step) for step in chain],
        "weakest": None if weakest is None else step_view(weakest),
        "cut": None if weakest is None else _cut_view(weakest, evidence),
        "merges": merges_on_the_way(cluster, chain, (start, end)),
        "truncated": cluster.truncated,
    }


def step_view(step: Step) -> dict[str, Any]:
    """One link of a chain as answered."""
    evidence = step.evidence
    return {
        "from": step.start,
        "to": step.end,
        "via": evidence.via,
        "id": evidence.id,
        "at": to_time_text(evidence.at),
        "source": evidence.source,
        "tier": step.tier,
        "trust": evidence.trust or None,
        "count": step.count,
    }


def _cut_view(step: Step, evidence: EvidenceGraph) -> dict[str, Any]:
    cut: Cut = evidence.cut(step)
    return {"link": step_view(step), "holds": cut.holds, "sides": list(cut.sides), "loose": cut.loose}


def merges_on_the_way(cluster: Cluster, chain: Iterable[Step], ends: tuple[str, str]) -> list[dict[str, Any]]:
    """The merges that tie the personas of a chain's nodes to each other, oldest first."""
    nodes = [ends[0], *(step.end for step in chain)]
    personas = [persona for node in nodes if (persona := cluster.holder(node)) is not None]
    up = {pointer["from_id"]: pointer for pointer in cluster.pointers}
    found: dict[str, dict[str, Any]] = {}
    for one, other in pairwise(personas):
        for pointer in _between(one, other, up):
            found.setdefault(pointer["merge_id"], pointer)
    ordered = sorted(found.values(), key=lambda pointer: (pointer["at"], pointer["place"] or 0, pointer["merge_id"]))
    return [
        {
            "merge_id": pointer["merge_id"],
            "reason": pointer["reason"],
            "at": to_time_text(pointer["at"]),
            "decided_by": pointer["decided_by"],
            "weak": bool(pointer["weak"]),
        }
        for pointer in ordered
    ]


def _between(one: str, other: str, up: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The pointers on the way between two personas of one profile."""
    left, right = _to_top(one, up), _to_top(other, up)
    shared = {pointer["from_id"] for pointer in left} & {pointer["from_id"] for pointer in right}
    return [pointer for pointer in (*left, *right) if pointer["from_id"] not in shared]


def _to_top(persona: str, up: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    pointers: list[dict[str, Any]] = []
    while persona in up and len(pointers) <= len(up):
        pointers.append(up[persona])
        persona = up[persona]["to_id"]
    return pointers
