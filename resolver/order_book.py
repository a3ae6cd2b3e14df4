"""Orders in the working set: adding a fact moves money and events to whom the folded order belongs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from resolver.orders import Fact, OrderState, add_fact, fold_order
from resolver.profiles import Persona, Profile
from resolver.records import DecidedEvent, EventMove, OrderWork
from resolver.strength import profile_strength
from resolver.tallies import OrderShare, read_sales, share_of


@dataclass(slots=True)
class OrderBook:
    """Applies order facts to personas and profiles of one working set; collects stored events that change hands."""

    personas: dict[str, Persona]
    profiles: dict[str, Profile]
    orders: dict[str, OrderWork]
    decided: list[DecidedEvent]
    moves: dict[str, EventMove] = field(default_factory=dict)
    """Stored events that change hands, by id: one that does so twice in a batch goes where it ends."""
    shrunk: set[str] = field(default_factory=set)
    """Personas that gave away their first or last event: their span must be read again from what is left."""
    recount: set[str] = field(default_factory=set)
    """Personas that gave or got stored events: their events by channel must be counted anew."""

    def apply(self, decided: DecidedEvent) -> None:
        """Add the event's fact to its order and carry the difference over to the statistics."""
        event = decided.event
        if event.order is None:
            return
        work = self.orders.setdefault(event.order.key, OrderWork(event.order.key))
        work.order_id = work.order_id or event.order.order_id
        before = work.state
        work.facts = add_fact(work.facts, _fact(decided))
        work.state = fold_order(work.facts)
        work.is_changed = True
        self._carry(before, work.state)
        if work.state.owner_id is not None:
            self._move_followers(work, work.state.owner_id)

    def reassign(self, work: OrderWork, owners: Mapping[str, str | None]) -> None:
        """Events of the order changed hands (event id → persona, None: nobody): fold it anew, carry the difference."""
        before = work.state
        work.facts = tuple(
            fact.owned_by(owners[fact.event_id]) if fact.event_id in owners else fact for fact in work.facts
        )
        work.state = fold_order(work.facts)
        work.is_changed = True
        self._carry(before, work.state)
        if work.state.owner_id is not None:
            self._move_followers(work, work.state.owner_id)

    def _carry(self, before: OrderState, after: OrderState) -> None:
        """Take the order's old share from its old owner and give the new one to the new owner."""
        shares = share_of(before), share_of(after)
        if before.owner_id == after.owner_id and shares[0] == shares[1]:
            return
        for state, share, sign in ((before, shares[0], -1), (after, shares[1], 1)):
            if state.owner_id is not None and share is not None:
                self._add_order(state.owner_id, share, sign)

    def _add_order(self, persona_id: str, share: OrderShare, sign: int) -> None:
        persona = self.personas[persona_id]
        profile = self.profiles[persona.root_id]
        for statistics in (persona.own, profile.totals):
            statistics.add_order(sign * share.orders, share.currency, sign * share.minor)
        tally = read_sales(persona.sales)
        tally.add(share, sign)
        persona.sales = tally.to_text()
        persona.is_changed = profile.is_changed = True
        if share.orders:
            profile.strength = profile_strength(profile.identifier_types, profile.totals.total_orders)

    def _move_followers(self, work: OrderWork, owner_id: str) -> None:
        """Events without identifiers of their own belong to whoever owns the order."""
        moved = [fact for fact in work.facts if fact.follows and fact.persona_id != owner_id]
        if not moved:
            return
        ids = {fact.event_id for fact in moved}
        fresh = {decided.event.id: decided for decided in self.decided if decided.event.id in ids}
        for fact in moved:
            decided = fresh.get(fact.event_id)
            if fact.persona_id is not None:
                self._uncount(fact.persona_id, fact.at, decided)
            persona = self.personas[owner_id]
            profile = self.profiles[persona.root_id]
            persona.own.saw(fact.at)
            profile.totals.saw(fact.at)
            persona.is_changed = profile.is_changed = True
            if decided is not None:
                persona.channels[decided.event.channel] += 1
                decided.persona_id, decided.profile_id, decided.decision = owner_id, persona.root_id, "attached"
            else:
                self.moves[fact.event_id] = EventMove(fact.event_id, fact.persona_id, owner_id)
                self.recount.update([owner_id] if fact.persona_id is None else [owner_id, fact.persona_id])
        work.facts = tuple(replace(fact, persona_id=owner_id) if fact.event_id in ids else fact for fact in work.facts)

    def _uncount(self, persona_id: str, at: int, fresh: DecidedEvent | None) -> None:
        persona = self.personas[persona_id]
        if fresh is not None:
            persona.channels[fresh.event.channel] -= 1
        profile = self.profiles[persona.root_id]
        for statistics in (persona.own, profile.totals):
            statistics.event_count -= 1
            if at in (statistics.first_seen, statistics.last_seen):
                self.shrunk.add(persona_id)
        persona.is_changed = profile.is_changed = True


def _fact(decided: DecidedEvent) -> Fact:
    event = decided.event
    order = event.order
    if order is None:
        raise ValueError("the event says nothing about an order")
    return Fact(
        event_id=event.id,
        kind=order.kind,
        at=event.micros,
        persona_id=decided.persona_id,
        total_minor=order.total_minor,
        currency=order.currency,
        counts=order.counts,
        refund_id=order.refund_id,
        status=order.status,
        lines=order.lines,
        follows=decided.persona_id is None and bool(order.order_id),
        amount=order.amount,
        channel="store" if event.type == "pos_transaction" else event.channel,
    )
