"""Dead letters on their way to the graph, or to the inbox while the graph is away: stored before the sender hears."""

import asyncio
from collections.abc import Sequence

from core.errors import PoisonedEventError, UnavailableError
from core.events import IncomingEvent
from graph.driver import Graph
from graph.repositories.dead_letters import DeadLetter, event_letter, keep_letters
from ingest.graph_watch import GraphWatch
from ingest.inbox import Inbox


class LetterBox:
    """Keeps dead letters of one process."""

    def __init__(self, graph: Graph, inbox: Inbox | None, watch: GraphWatch) -> None:
        self._graph = graph
        self._inbox = inbox
        self._watch = watch

    async def keep(self, letters: Sequence[DeadLetter]) -> None:
        """Store letters of one brand; raises UnavailableError when there is nowhere to put them."""
        if not letters:
            return
        if not self._watch.is_away:
            try:
                await asyncio.to_thread(keep_letters, self._graph, letters[0].brand, letters)
            except UnavailableError:
                if self._inbox is None:
                    raise
            else:
                return
        if self._inbox is None:
            raise UnavailableError("Neo4j is not reachable.")
        await self._inbox.put(letters)

    async def keep_event(self, event: IncomingEvent, error: PoisonedEventError) -> None:
        """Store the letter of an event that the graph refuses; the error names it from then on."""
        letter = event_letter(event, error)
        await self.keep([letter])
        error.extensions["dead_letter_id"] = letter.id
