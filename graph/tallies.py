"""Counts tallies of personas anew where stored events or orders changed hands, in the transaction that moved them."""

from collections import Counter
from collections.abc import Sequence

from graph.transactions import Transaction
from resolver.orders import OrderState
from resolver.tallies import SalesTally, channels_row, share_of


def recount_tallies(tx: Transaction, brand: str, persona_ids: Sequence[str]) -> None:
    """Write events by channel and counted orders of these personas as their stored events and orders say."""
    rows = []
    for persona_id, channels, orders in tx.rows("commit/read_tallies", brand=brand, ids=sorted(persona_ids)):
        tally = SalesTally()
        for placed_at, channel, currency, counted_minor, counts, lines in orders:
            state = OrderState(
                owner_id=persona_id, placed_at=placed_at, channel=channel or "", currency=currency or "",
                counted_minor=counted_minor or 0, counts=bool(counts), lines=lines or "",
            )  # fmt: skip
            share = share_of(state)
            if share is not None:
                tally.add(share)
        rows.append([persona_id, channels_row(Counter(dict(channels))), tally.to_text() or None])
    if rows:
        tx.run("commit/set_tallies", brand=brand, rows=rows)
