"""A batch of events folded one by one over an in-memory working set: the answers equal those of sending them singly."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from core.decisions import DecisionKind, EventResult
from core.events import IncomingEvent
from core.identifiers import CORE_TYPES, LINKING_TYPES, TRUST_ORDER, WEAK_TYPES, Identifier, Trust
from resolver.ids import merge_id_for, persona_id_for, tie_id_for
from resolver.lone_ties import REASON_WEAK_LINK, Told, find_lone_tie, moves_no_tie
from resolver.matching import Holdings, Matched, match_event, weak_identifiers
from resolver.merging import absorb, snapshot
from resolver.order_book import OrderBook
from resolver.profiles import Persona, Profile, survivor_key
from resolver.protection import NOTHING, Verdict, needs_details, protect
from resolver.records import DecidedEvent, MergeRecord, NewLink, OpenReview, OrderWork, Proposal
from resolver.resolve import Decision, Match, resolve
from resolver.reviews import open_or_extend
from resolver.rules import RULE_NOT_SAME, RULE_SHARED, RULE_THRESHOLD, RULE_TYPE_LIMIT, RuleHit, RuleSet
from resolver.strength import profile_strength

DECIDED_BY_RULES = "rules"


class DetailsMissingError(Exception):
    """The fold needs to know all identifiers of a profile that was read without them."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """The event after which the fold stopped: the weak links around it follow from the evidence in the graph."""

    decided: DecidedEvent
    weak: tuple[Identifier, ...]
    profile_ids: tuple[str, ...]
    """Live profiles that it touches."""


@dataclass(slots=True)
class WorkingSet:
    """All that a batch may touch, read under lock; `take` folds one event and the public lists say what to write."""

    rules: RuleSet
    currency: str
    holdings: Holdings = field(default_factory=Holdings)
    """Who holds which identifier; the personas that own a linking one are in `personas`."""
    personas: dict[str, Persona] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    reviews: list[OpenReview] = field(default_factory=list)
    orders: dict[str, OrderWork] = field(default_factory=dict)
    decided: list[DecidedEvent] = field(default_factory=list)
    links: list[NewLink] = field(default_factory=list)
    proven: dict[tuple[Identifier, str], str] = field(default_factory=dict)
    """Links whose trust rose: (identifier, persona) → trust."""
    crowded: dict[Identifier, list[str]] = field(default_factory=dict)
    """Strong identifiers that somebody other than their holder carried: the personas that did."""
    idle: dict[Identifier, int] = field(default_factory=dict)
    """Identifiers that were shared before the first event, since when: nobody that holds them was locked for them."""
    crowding: set[Identifier] = field(default_factory=set)
    """Strong identifiers of the last event whose people must be counted anew: what follows depends on it."""
    joined: dict[tuple[str, str], str] = field(default_factory=dict)
    """Pairs of personas of one tied profile that an event's strong identifiers join for good → that event."""
    merges: list[MergeRecord] = field(default_factory=list)
    absorbed: dict[str, str] = field(default_factory=dict)
    """Profile absorbed in this batch → the profile that took it (follow the chain for the live one)."""
    unsettled: Unsettled | None = None
    """Set when the fold must stop: what follows depends on evidence that is only in the graph."""
    order_book: OrderBook = field(init=False)

    def __post_init__(self) -> None:
        self.order_book = OrderBook(self.personas, self.profiles, self.orders, self.decided)

    def take(self, event: IncomingEvent) -> EventResult:
        """Fold one new event: decide, link, merge or propose, count; answers its result.

        Raises DetailsMissingError when a profile was read without its identifiers and the rules ask for them.
        """
        if event.persona_id is not None:
            decided = self._take_unresolved(event, event.persona_id)
        else:
            decided = self._take_resolved(event)
        self.decided.append(decided)
        if event.is_sighting:
            self.holdings.note_sighting(event)
        if decided.persona_id is not None:
            self._count(decided.persona_id, event)
        if event.order is not None:
            self.order_book.apply(decided)
        return result_of(decided)

    def take_all(self, events: Sequence[IncomingEvent]) -> list[EventResult]:
        """Fold a batch in its order, up to and with the first event that leaves something unsettled."""
        results = []
        for event in events:
            results.append(self.take(event))
            if self.must_settle:
                break
        return results

    @property
    def must_settle(self) -> bool:
        """Whether the fold must stop here."""
        return self.unsettled is not None or bool(self.crowding)

    def _take_resolved(self, event: IncomingEvent) -> DecidedEvent:
        matched = match_event(event, self.holdings, self.personas, self.profiles)
        verdict: list[Verdict] = []

        def protection(profiles: Sequence[Profile]) -> Verdict:
            verdict[:] = [self._protect(profiles, event, matched.fresh)]
            return verdict[0]

        decision = resolve(matched.plain, matched.is_linking, self.rules, protection)
        self._note_people(event, decision)
        hits = (*_shared_hit(matched), *decision.rules)
        dropped = verdict[0].dropped if verdict else frozenset()
        if dropped:
            hits = (*hits, RuleHit(RULE_TYPE_LIMIT, f"{len(dropped)} identifier(s) are too many of their type to link"))
        decided = DecidedEvent(
            event,
            decision.kind.value,
            None,
            rules=tuple(hit.rule for hit in hits),
            warnings=(*event.warnings, *(_warning(hit) for hit in hits if hit.rule != RULE_THRESHOLD)),
        )
        decided.asks_about_weak = RULE_THRESHOLD in decided.rules and any(
            match.profile.is_anonymous for match in decision.matches
        )
        if decision.kind is not DecisionKind.UNATTACHED:
            self._decide_ties(decided, decision, matched, dropped)
        return decided

    def _decide_ties(
        self, decided: DecidedEvent, decision: Decision, matched: Matched, dropped: Collection[Identifier]
    ) -> None:
        """Carry the decision out; what follows for weak ties here where nobody else is near, else from the graph."""
        told = Told(decided.event, self.holdings, self.rules)
        tie = find_lone_tie(told, matched) if matched.known_over_weak else None
        joined = [match.profile for match in decision.matches]
        # Only where something is tied there is something to move.
        is_settled = not any(profile.is_tied for profile in joined) or (
            decision.kind is not DecisionKind.REVIEW and moves_no_tie(told, joined, matched.fresh)
        )
        is_late = told.may_change_what_was_decided(joined)
        self._attach(decided, decision, dropped)
        if tie is not None:
            self._tie(decided, tie)
        else:
            self._note_unsettled(decided, decision, matched, is_settled=is_settled, is_late=is_late)
        self.holdings.used.update(found for found in dropped if found.type in WEAK_TYPES)
        if is_late or told.meets_others:
            self.note_neighbours([self.live_profile(decided.profile_id or "")])

    def _tie(self, decided: DecidedEvent, match: Match) -> None:
        """The new persona of an event joins a known profile by weak evidence only: a pointer that may fall again."""
        survivor, persona = match.profile, self.personas[decided.persona_id or ""]
        event = decided.event
        record = MergeRecord(
            id=tie_id_for(event.id, survivor.id, persona.id),
            reason=REASON_WEAK_LINK,
            decided_by=DECIDED_BY_RULES,
            identifiers=tuple(sorted({f"{found.type}:{found.value}" for found, _ in match.owned})),
            event_id=event.id,
            tied_at=event.micros,
            weak_ids=frozenset({persona.id}),
            survivor_id=survivor.id,
            absorbed_ids=(persona.id,),
        )
        self._absorb(survivor, self.profiles[persona.id])
        survivor.is_tied = True
        survivor.merge_count += 1
        self.merges.append(record)
        decided.decision, decided.profile_id = DecisionKind.ATTACHED.value, survivor.id

    def _absorb(self, survivor: Profile, absorbed: Profile) -> None:
        absorb(survivor, absorbed, self.personas.values(), self.profiles.values(), self.reviews)
        self.absorbed[absorbed.id] = survivor.id
        del self.profiles[absorbed.id]

    def _attach(self, decided: DecidedEvent, decision: Decision, dropped: Collection[Identifier]) -> None:
        """Give the event to its persona, link what is new, and carry out the decision."""
        event = decided.event
        persona = (
            self._create(persona_id_for(event.id)) if decision.receiver is None else self.personas[decision.receiver]
        )
        if decision.kind is DecisionKind.MERGED:
            self._merge(decision, decided)
        elif decision.kind is DecisionKind.REVIEW:
            extra = {persona.id} if decision.receiver is None else set()
            decided.review_id = self._propose(decision, event, extra)
        self._link(persona, event, dropped)
        decided.persona_id, decided.profile_id = persona.id, persona.root_id

    def _protect(self, profiles: Sequence[Profile], event: IncomingEvent, fresh: Sequence[Identifier]) -> Verdict:
        if not profiles or (
            len(profiles) == 1 and (not fresh or not needs_details(profiles[0], event, fresh, self.rules))
        ):
            return NOTHING
        for profile in profiles:
            self._identifiers(profile)
        return protect(profiles, event, fresh, self.rules)

    def _identifiers(self, profile: Profile) -> set[tuple[str, str]]:
        if profile.identifiers is None:
            raise DetailsMissingError
        return profile.identifiers

    def _note_people(self, event: IncomingEvent, decision: Decision) -> None:
        """Note strong identifiers that stay with one side while another takes the event, or must be counted anew."""
        # An event that says nothing else counts nobody: it belongs to the holder, or to nobody.
        if self.holdings.shared_since and sum(found.type in LINKING_TYPES for found in event.identifiers) > 1:
            at, since = event.micros, self.holdings.shared_since
            strong = {found for found in event.identifiers if found in since and found.type in CORE_TYPES}
            # Of several people at the very moment at which it becomes shared, the first by event id may be this one.
            self.crowding |= {found for found in strong if at <= since[found]}
        if decision.kind is DecisionKind.MERGED:
            self.crowding.update(found for match in decision.matches for found in match.profile.crowds)
        if decision.kind is DecisionKind.REVIEW:
            self._note_crowd(event, decision)

    def _note_crowd(self, event: IncomingEvent, decision: Decision) -> None:
        receiver = persona_id_for(event.id) if decision.receiver is None else decision.receiver
        for match in decision.matches:
            for identifier, holder in match.owned:
                limit = self.rules.shared_limits.get(identifier.type)
                if identifier.type not in CORE_TYPES or limit is None or self._is_one(holder, receiver):
                    continue
                people = self.holdings.people.setdefault(identifier, [])
                known = {self._root(person) for person in (holder, *people)}
                if self._root(receiver) in known:
                    continue
                people.append(receiver)
                self.crowded[identifier] = people
                if len(known) >= limit:
                    self.crowding.add(identifier)

    def _root(self, persona_id: str) -> str:
        persona = self.personas.get(persona_id)
        return persona.root_id if persona else persona_id

    def _is_one(self, left: str, right: str) -> bool:
        return self._root(left) == self._root(right)

    def _join_cores(self, event: IncomingEvent, decision: Decision) -> bool:
        """Note personas of one tied profile that hold strong identifiers of this event; whether there are several."""
        found = False
        for match in decision.matches:
            owners = sorted({persona for identifier, persona in match.owned if identifier.type in CORE_TYPES})
            if match.profile.is_tied and len(owners) > 1:
                self.joined.update(((owners[0], other), event.id) for other in owners[1:])
                found = True
        return found

    def _hands_on(self, decided: DecidedEvent, matched: Matched) -> bool:
        """Whether a sign-in stands apart from the owner of one of its weak identifiers: that changes hands with it."""
        if not matched.signs_in or decided.persona_id is None or decided.asks_about_weak:
            return False
        if len(matched.plain) == 1 and not decided.review_id:
            return False
        return any(
            found.type in WEAK_TYPES and not self._is_one(holder, decided.persona_id)
            for match in matched.plain
            for found, holder in match.owned
        )

    def _note_unsettled(
        self, decided: DecidedEvent, decision: Decision, matched: Matched, *, is_settled: bool, is_late: bool
    ) -> None:
        """Stop the fold where weak links may have to be drawn anew; `is_settled`: what it learns moves none of them.

        `is_late`: later sightings were decided without it.
        """
        touched = [match.profile for match in (*decision.matches, *matched.known_over_weak)]
        learns = self._join_cores(decided.event, decision)
        # Profiles that wait for a person together count as one, too.
        learns = learns or decision.kind in (DecisionKind.MERGED, DecisionKind.REVIEW)
        learns = learns or any(found.type in CORE_TYPES for found in matched.fresh)
        is_drawn_anew = matched.known_over_weak or self._hands_on(decided, matched)
        may_move = learns and not is_settled and any(profile.is_tied for profile in touched)
        may_move = may_move or (is_late and any(profile.is_tied or profile.persona_count > 1 for profile in touched))
        if not is_drawn_anew and not may_move:
            return
        roots = {self.live_profile(profile.id) for profile in touched} | {decided.profile_id or ""}
        weak = weak_identifiers(decided.event, self.holdings)
        self.unsettled = Unsettled(decided, weak, tuple(sorted(roots - {""})))

    def _take_unresolved(self, event: IncomingEvent, persona_id: str) -> DecidedEvent:
        """An import without resolution: the named persona takes the event and all its identifiers."""
        persona = self.personas.get(persona_id)
        kind = DecisionKind.CREATED if persona is None else DecisionKind.ATTACHED
        if persona is None:
            persona = self._create(persona_id)
        self.profiles[persona.root_id].has_neighbours = True
        for identifier in event.identifiers:
            holders = self.holdings.owners.get(identifier, ())
            if persona.id not in holders:
                for holder in holders:
                    if holder in self.personas:
                        self._meet(self.personas[holder].root_id)
                self._own(persona, identifier, event)
        return DecidedEvent(event, kind.value, persona.root_id, persona.id, warnings=event.warnings)

    def _meet(self, profile_id: str) -> None:
        profile = self.profiles[profile_id]
        profile.has_neighbours = profile.is_changed = True

    def _create(self, persona_id: str) -> Persona:
        persona = Persona(persona_id, persona_id, is_new=True, is_changed=True)
        self.personas[persona_id] = persona
        self.profiles[persona_id] = Profile(persona_id, is_new=True, is_changed=True, identifiers=set())
        return persona

    def _link(self, persona: Persona, event: IncomingEvent, dropped: Collection[Identifier]) -> None:
        """Identifiers that nobody holds join the persona; supporting ones are held by many and join each time."""
        at = event.micros
        for identifier in event.identifiers:
            holders = self.holdings.owners.get(identifier)
            if not holders:
                if identifier not in dropped and not self.holdings.is_shared_at(identifier, at):
                    self._own(persona, identifier, event)
            elif identifier.type in LINKING_TYPES:
                self._prove(persona, identifier, holders, event.trust)
            elif not any(self._is_one(holder, persona.id) for holder in holders if holder in self.personas):
                self._own(persona, identifier, event)

    def _prove(self, persona: Persona, identifier: Identifier, holders: Sequence[str], trust: str) -> None:
        """A better proven sighting of a link raises its trust."""
        for holder in holders:
            known = self.holdings.trust.get((identifier, holder))
            if known is None or TRUST_ORDER.get(trust, 9) >= TRUST_ORDER.get(known, 9):
                continue
            if self._is_one(holder, persona.id):
                self.holdings.trust[identifier, holder] = self.proven[identifier, holder] = trust
                self._note_verified(self.profiles[persona.root_id], identifier, trust)

    def _note_verified(self, profile: Profile, identifier: Identifier, trust: str) -> None:
        if trust == Trust.VERIFIED:
            profile.verified.add((identifier.type, identifier.value))

    def _own(self, persona: Persona, identifier: Identifier, event: IncomingEvent) -> None:
        self.holdings.owners.setdefault(identifier, []).append(persona.id)
        self.holdings.trust[identifier, persona.id] = event.trust
        self.links.append(NewLink(persona.id, identifier, event))
        profile = self.profiles[persona.root_id]
        profile.is_changed = True
        profile.identifier_count += 1
        self._note_verified(profile, identifier, event.trust)
        if profile.identifiers is not None:
            profile.identifiers.add((identifier.type, identifier.value))
        if identifier.type not in profile.identifier_types:
            profile.identifier_types.add(identifier.type)
            profile.strength = profile_strength(profile.identifier_types, profile.totals.total_orders)

    def _count(self, persona_id: str, event: IncomingEvent) -> None:
        at = event.micros
        persona = self.personas[persona_id]
        profile = self.profiles[persona.root_id]
        persona.own.saw(at)
        persona.channels[event.channel] += 1
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
            strong_cause_ids=tuple(sorted({persona for found, persona in owned if found.type in CORE_TYPES})),
            event_id=decided.event.id,
            occurred_at=decided.event.micros,
        )
        self.combine([match.profile for match in decision.matches], record)
        decided.merge_id, decided.merged_ids = record.id, record.absorbed_ids

    def combine(self, profiles: Sequence[Profile], record: MergeRecord) -> Profile:
        """Merge live profiles into the survivor among them and complete `record` with who, before and after."""
        survivor, *absorbed = sorted(profiles, key=survivor_key)
        record.survivor_id = survivor.id
        record.absorbed_ids = tuple(profile.id for profile in absorbed)
        record.before = [snapshot(profile, self.currency) for profile in (survivor, *absorbed)]
        if record.occurred_at is not None:
            record.weak_ids = frozenset(p.id for p in absorbed if p.is_anonymous or survivor.is_anonymous)
            survivor.absorbed_at += [record.occurred_at] * len(absorbed)
        for profile in absorbed:
            self._absorb(survivor, profile)
        if record.decided_by != DECIDED_BY_RULES:
            survivor.has_neighbours = True
        survivor.merge_count += 1
        record.after = snapshot(survivor, self.currency)
        self.merges.append(record)
        return survivor

    def _propose(self, decision: Decision, event: IncomingEvent, extra: set[str]) -> str:
        return self.propose(
            Proposal(
                event.id,
                frozenset({match.profile.id for match in decision.matches} | extra),
                decision.reason,
                frozenset(f"{i.type}:{i.value}" for match in decision.matches for i, _ in match.owned),
                frozenset(hit.rule for hit in decision.rules if hit.rule != RULE_NOT_SAME),
            )
        )

    def propose(self, proposal: Proposal) -> str:
        """Open a review, or extend the open one that already concerns one of these profiles; its id."""
        self.note_neighbours(proposal.profile_ids)
        apart = {other for one in proposal.profile_ids for other in self.profiles[one].not_same}
        return open_or_extend(self.reviews, proposal, apart)

    def note_neighbours(self, profile_ids: Iterable[str]) -> None:
        """What follows for these live profiles from more evidence is not known here from now on."""
        for one in profile_ids:
            self.profiles[one].has_neighbours = True

    def live_profile(self, profile_id: str) -> str:
        """The live profile that `profile_id` answers with after this batch."""
        while profile_id in self.absorbed:
            profile_id = self.absorbed[profile_id]
        return profile_id


def result_of(decided: DecidedEvent) -> EventResult:
    """The answer that the sender of an event gets."""
    return EventResult(
        event_id=decided.event.id,
        decision=decided.decision,
        profile_id=decided.profile_id,
        merged_profile_ids=decided.merged_ids,
        merge_id=decided.merge_id,
        review_id=decided.review_id,
        warnings=decided.warnings,
    )


def _warning(hit: RuleHit) -> str:
    return f"{hit.rule}: {hit.detail}"


def _shared_hit(matched: Matched) -> tuple[RuleHit, ...]:
    if not matched.shared:
        return ()
    return (RuleHit(RULE_SHARED, f"{matched.shared} identifier(s) are shared by too many people to link"),)
