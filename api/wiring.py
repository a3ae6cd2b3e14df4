"""What the process owns: clients opened at start, closed at its end, handed to routers as one `Services`."""

from dataclasses import dataclass

from redis.asyncio import Redis
from starlette.requests import Request

from api.change_stream import ChangeStreams
from api.health import HealthChecks
from brands.directory import BrandDirectory
from core.settings import Settings
from graph.driver import Graph
from ingest.pipeline import Ingest

# Health is asked every second by somebody: a Redis that accepts and never answers must not pile up requests.
_REDIS_TIMEOUT = 1.0


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that routers work with; one per process."""

    settings: Settings
    graph: Graph
    directory: BrandDirectory
    ingest: Ingest
    health: HealthChecks
    streams: ChangeStreams
    redis: Redis | None = None

    async def close(self) -> None:
        """Finish what waits for its commit, then close the clients."""
        await self.streams.close()
        self.health.close()
        self.directory.close()
        await self.ingest.close()
        if self.redis is not None:
            await self.redis.aclose()
        self.graph.close()


def open_services(settings: Settings) -> Services:
    """Open the clients that `settings` name; does no network traffic yet; raises ConfigurationError."""
    graph = Graph.connect(settings)
    client = (
        Redis.from_url(settings.redis_url, socket_timeout=_REDIS_TIMEOUT, socket_connect_timeout=_REDIS_TIMEOUT)
        if settings.redis_url is not None
        else None
    )
    return Services(
        settings=settings,
        graph=graph,
        directory=BrandDirectory(graph, settings.moved_at_once),
        ingest=Ingest(graph, settings),
        health=HealthChecks(graph, client),
        streams=ChangeStreams(graph),
        redis=client,
    )


def services_of(request: Request) -> Services:
    """The services that the app's lifespan opened."""
    services = request.app.state.services
    assert isinstance(services, Services)  # noqa: S101 (set by the lifespan)
    return services
