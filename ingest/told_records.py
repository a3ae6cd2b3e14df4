"""What sources tell beside events, on its way to the graph, or to the inbox while the graph is away."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256

import msgspec

from core.catalogue import PrivacyRequestRecord, ProductRecord, Record, StockItemRecord, StockRecord, ToldRecords
from core.decisions import DecisionKind
from core.errors import UnavailableError
from graph.driver import Graph
from graph.repositories.catalogue import store_records
from ingest.graph_watch import GraphWatch
from ingest.inbox import Inbox

STORED = "stored"


class RecordBox:
    """Stores products, stock and privacy requests of one process."""

    def __init__(self, graph: Graph, inbox: Inbox | None, watch: GraphWatch) -> None:
        self._graph = graph
        self._inbox = inbox
        self._watch = watch

    async def store(self, brand: str, records: Sequence[Record], received_at: datetime) -> str:
        """Store records of one delivery: `stored`, or `queued` while the graph is away.

        Raises UnavailableError when there is nowhere to put them.
        """
        try:
            await self._watch.run(partial(store_records, self._graph, brand, records, received_at=received_at))
        except UnavailableError:
            if self._inbox is None:
                raise
            await self._inbox.put([told_records(brand, records, received_at)])
            return DecisionKind.QUEUED.value
        return STORED


def told_records(brand: str, records: Sequence[Record], received_at: datetime) -> ToldRecords:
    """Records as they wait in the inbox."""
    same = sha256(msgspec.json.encode([brand, *map(_told, records)])).hexdigest()
    return ToldRecords(
        id=f"rec_{same[:32]}",
        brand=brand,
        received_at=received_at,
        products=tuple(record for record in records if isinstance(record, ProductRecord)),
        items=tuple(record for record in records if isinstance(record, StockItemRecord)),
        levels=tuple(record for record in records if isinstance(record, StockRecord)),
        requests=tuple(record for record in records if isinstance(record, PrivacyRequestRecord)),
    )


def _told(record: Record) -> object:
    """What is the same whenever the same is told: a privacy request counts its time from when it came."""
    if isinstance(record, PrivacyRequestRecord):
        return [record.source, record.instance, record.topic, record.key]
    return record
