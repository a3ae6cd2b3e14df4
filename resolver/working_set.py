"""A batch of events folded one by one over an in-memory working set: the answers equal those of sending them singly."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from core import clock
from core.decisions import DecisionKind, EventResult
from core.events import IncomingEvent
from core.identifiers import LINKING_TYPES, Identifier
from resolver.merging import absorb, snapshot
from resolver.order_book import OrderBook
from resolver.profiles import Persona, Profile, survivor_key
from resolver.records import DecidedEvent, MergeRecord, NewLink, OpenReview, OrderWork
from resolver.resolve import Decision, Match, resolve
from resolver.rules import RULE_NOT_SAME, RULE_SHARED, RuleHit, RuleSet
from resolver.strength import profile_strength

DECIDED_BY_RULES = "rules"


@dataclass(slots=True)
class WorkingSet:
    """All that a batch may touch, read under lock; `take` folds one event and the public lists say what to write."""

    rules: RuleSet
    currency: str
    owners: dict[Identifier, list[str]] = field(default_factory=dict)
    """Identifier → ids of the personas that hold it; all these personas are in `personas`."""
    shared: set[Identifier] = field(default_factory=set)
    personas: dict[str, Persona] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    reviews: list[OpenReview] = field(default_factory=list)
    orders: dict[str, OrderWork] = field(default_factory=dict)
    decided: list[DecidedEvent] = field(default_factory=list)
    links: list[NewLink] = field(default_factory=list)
    merges: list[MergeRecord] = field(default_factory=list)
    absorbed: dict[str, str] = field(default_factory=dict)
    """Profile absorbed in this batch → the profile that took it (follow the chain for the live one)."""
    order_book: OrderBook = field(init=False)

    def __post_init__(self) -> None:
        self.order_book = OrderBook(self.personas, self.profiles, self.orders, self.decided)

    def take(self, event: IncomingEvent) -> EventResult:
        """Fold one new event: decide, link, merge or propose, count; answers its result."""
        if event.persona_id is not None:
            decided = self._take_unresolved(event, event.persona_id)
        else:
            decided = self._take_resolved(event)
        self.decided.append(decided)
        if decided.persona_id is not None:
            self._count(decided.persona_id, event)
        if event.order is not None:
            self.order_book.apply(decided)
        return EventResult(
            event_id=event.id,
            decision=decided.decision,
            profile_id=decided.profile_id,
            merged_profile_ids=decided.merged_ids,
            merge_id=decided.merge_id,
            review_id=decided.review_id,
            warnings=decided.warnings,
        )

    def _take_resolved(self, event: IncomingEvent) -> DecidedEvent:
        matches, is_linking, hits = self._match(event)
        decision = resolve(matches, is_linking, self.rules)
        hits = (*hits, *decision.rules)
        decided = DecidedEvent(
            event,
            decision.kind.value,
            None,
            rules=tuple(hit.rule for hit in hits),
            warnings=(*event.warnings, *(_warning(hit) for hit in hits if hit.rule in (RULE_NOT_SAME, RULE_SHARED))),
        )
        if decision.kind is DecisionKind.UNATTACHED:
            return decided
        if decision.kind is DecisionKind.CREATED:
            persona = self._create(persona_id_for(event.id))
        else:
            persona = self.personas[decision.receiver or ""]
        if decision.kind is DecisionKind.MERGED:
            self._merge(decision, decided)
        elif decision.kind is DecisionKind.REVIEW:
            decided.review_id = self._propose(decision, event)
        self._link(persona, event)
        decided.persona_id, decided.profile_id = persona.id, persona.root_id
        return decided

    def _match(self, event: IncomingEvent) -> tuple[list[Match], bool, tuple[RuleHit, ...]]:
        """Live profiles that own a usable identifier of the event, and whether it has one that may link at all."""
        by_root: dict[str, list[tuple[Identifier, str]]] = {}
        is_linking = False
        shared = 0
        for identifier in event.identifiers:
            if identifier.type not in LINKING_TYPES:
                continue
            if identifier in self.shared:
                shared += 1
                continue
            is_linking = True
            for persona_id in self.owners.get(identifier, ()):
                by_root.setdefault(self.personas[persona_id].root_id, []).append((identifier, persona_id))
        detail = f"{shared} identifier(s) are shared by too many people to link"
        hits = (RuleHit(RULE_SHARED, detail),) if shared else ()
        return [Match(self.profiles[root], tuple(owned)) for root, owned in by_root.items()], is_linking, hits

    def _take_unresolved(self, event: IncomingEvent, persona_id: str) -> DecidedEvent:
        """An import without resolution: the named persona takes the event and all its identifiers."""
        persona = self.personas.get(persona_id)
        kind = DecisionKind.CREATED if persona is None else DecisionKind.ATTACHED
        if persona is None:
            persona = self._create(persona_id)
        for identifier in event.identifiers:
            if persona.id not in self.owners.get(identifier, ()):
                self._own(persona, identifier, event)
        return DecidedEvent(event, kind.value, persona.root_id, persona.id, warnings=event.warnings)

    def _create(self, persona_id: str) -> Persona:
        persona = Persona(persona_id, persona_id, is_new=True, is_changed=True)
        self.personas[persona_id] = persona
        self.profiles[persona_id] = Profile(persona_id, is_new=True, is_changed=True, identifiers=set())
        return persona

    def _link(self, persona: Persona, event: IncomingEvent) -> None:
        """Identifiers that nobody holds join the persona; supporting ones are held by many and join each time."""
        for identifier in event.identifiers:
            holders = self.owners.get(identifier)
            if not holders:
                if identifier not in self.shared:
                    self._own(persona, identifier, event)
            elif identifier.type not in LINKING_TYPES and not any(
                self.personas[holder].root_id == persona.root_id for holder in holders if holder in self.personas
            ):
                self._own(persona, identifier, event)

    def _own(self, persona: Persona, identifier: Identifier, event: IncomingEvent) -> None:
        self.owners.setdefault(identifier, []).append(persona.id)
        self.links.append(NewLink(persona.id, identifier, event))
        profile = self.profiles[persona.root_id]
        profile.is_changed = True
        if profile.identifiers is not None:
            profile.identifiers.add((identifier.type, identifier.value))
        if identifier.type not in profile.identifier_types:
            profile.identifier_types.add(identifier.type)
            profile.strength = profile_strength(profile.identifier_types, profile.totals.total_orders)

    def _count(self, persona_id: str, event: IncomingEvent) -> None:
        at = to_micros(event)
        persona = self.personas[persona_id]
        profile = self.profiles[persona.root_id]
        persona.own.saw(at)
        profile.totals.saw(at)
        persona.is_changed = profile.is_changed = True

    def _merge(self, decision: Decision, decided: DecidedEvent) -> None:
        owned = [pair for match in decision.matches for pair in match.owned]
        record = MergeRecord(
            id=merge_id_for(decided.event.id),
            reason=decision.reason,
            decided_by=DECIDED_BY_RULES,
            identifiers=tuple(sorted({f"{identifier.type}:{identifier.value}" for identifier, _ in owned})),
            cause_persona_ids=tuple(sorted({persona for _, persona in owned})),
            event_id=decided.event.id,
        )
        self.combine([match.profile for match in decision.matches], record)
        decided.merge_id, decided.merged_ids = record.id, record.absorbed_ids

    def combine(self, profiles: Sequence[Profile], record: MergeRecord) -> Profile:
        """Merge live profiles into the survivor among them and complete `record` with who, before and after."""
        survivor, *absorbed = sorted(profiles, key=survivor_key)
        record.survivor_id = survivor.id
        record.absorbed_ids = tuple(profile.id for profile in absorbed)
        record.before = [snapshot(profile, self.currency) for profile in (survivor, *absorbed)]
        for profile in absorbed:
            absorb(survivor, profile, self.personas.values(), self.profiles.values(), self.reviews)
            self.absorbed[profile.id] = survivor.id
            del self.profiles[profile.id]
        survivor.merge_count += 1
        record.after = snapshot(survivor, self.currency)
        self.merges.append(record)
        return survivor

    def _propose(self, decision: Decision, event: IncomingEvent) -> str:
        """Open a review, or extend the open one that already concerns one of these profiles."""
        ids = {match.profile.id for match in decision.matches}
        # A pair that a person told apart is not proposed again by way of a third profile.
        apart = {other for match in decision.matches for other in match.profile.not_same}
        touching = [
            review
            for review in self.reviews
            if review.superseded_by is None and review.profile_ids & ids and not review.profile_ids & apart
        ]
        if touching:
            review = touching[0]
            for other in touching[1:]:
                review.profile_ids |= other.profile_ids
                review.identifiers |= other.identifiers
                review.event_ids += other.event_ids
                other.superseded_by, other.is_changed = review.id, True
        else:
            review = OpenReview(review_id_for(event.id), set(), decision.reason, is_new=True)
            self.reviews.append(review)
        review.profile_ids |= ids
        review.identifiers |= {f"{i.type}:{i.value}" for match in decision.matches for i, _ in match.owned}
        review.event_ids.append(event.id)
        review.is_changed = True
        return review.id

    def live_profile(self, profile_id: str) -> str:
        """The live profile that `profile_id` answers with after this batch."""
        while profile_id in self.absorbed:
            profile_id = self.absorbed[profile_id]
        return profile_id

    def take_all(self, events: Sequence[IncomingEvent]) -> list[EventResult]:
        """Fold a whole batch in its order."""
        return [self.take(event) for event in events]


def to_micros(event: IncomingEvent) -> int:
    """When the event happened, in microseconds since 1970 UTC."""
    return clock.to_micros(event.occurred_at)


def persona_id_for(event_id: str) -> str:
    """The id of the persona that this event creates: the same in every replay."""
    return "cus_" + event_id.removeprefix("evt_")


def merge_id_for(event_id: str) -> str:
    """The id of the merge that this event causes."""
    return "mrg_" + event_id.removeprefix("evt_")


def review_id_for(event_id: str) -> str:
    """The id of the review that this event opens."""
    return "rev_" + event_id.removeprefix("evt_")


def _warning(hit: RuleHit) -> str:
    return f"{hit.rule}: {hit.detail}"
