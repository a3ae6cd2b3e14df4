"""What the process owns: clients opened at start, closed at its end, handed to routers as one `Services`."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from redis.asyncio import Redis
from starlette.requests import Request

from api.change_stream import ChangeStreams
from api.delivery_log import DeliveryLog
from api.health import HealthChecks
from api.metrics import MetricsBoard
from api.queues import Queues
from brands.directory import BrandDirectory
from brands.last_known import LastKnown
from core.settings import Settings
from graph.driver import Graph
from ingest.drain import Drainer, drain_plan
from ingest.inbox import Inbox
from ingest.pipeline import Ingest
from ingest.redis_clients import open_async_redis, open_redis
from ml.serving.active import ActiveModels

# Health is asked every second by somebody: a Redis that accepts and never answers must not pile up requests.
_REDIS_SECONDS = 1.0
# What is put in the inbox is on the disk before it is answered: more patience than for a question.
_INBOX_SECONDS = 2.0
_DRAIN_SECONDS = 5.0
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that routers work with; one per process."""

    settings: Settings
    graph: Graph
    directory: BrandDirectory
    ingest: Ingest
    health: HealthChecks
    streams: ChangeStreams
    deliveries: DeliveryLog
    metrics: MetricsBoard
    queues: Queues
    models: ActiveModels
    redis: Redis | None = None
    drainer: Drainer | None = None

    async def close(self) -> None:
        """Finish what waits for its commit, then close the clients."""
        await self.streams.close()
        await self.deliveries.close()
        await self.metrics.close()
        self.queues.thread.shutdown(wait=False)
        if self.drainer is not None:
            await self.drainer.close()
        self.health.close()
        self.directory.close()
        await self.ingest.close()
        if self.redis is not None:
            await self.redis.aclose()
        self.graph.close()


def open_services(settings: Settings) -> Services:
    """Open the clients that `settings` name; does no network traffic yet; raises ConfigurationError."""
    graph = Graph.connect(settings)
    client, inbox, drainer, known = None, None, None, None
    if settings.redis_url is not None:
        client = open_async_redis(settings.redis_url, connect_seconds=_REDIS_SECONDS, answer_seconds=_INBOX_SECONDS)
        inbox = Inbox(
            client,
            max_entries=settings.inbox_max_events,
            max_bytes=settings.inbox_max_megabytes * _MEGABYTE,
        )
        own = open_redis(settings.redis_url, connect_seconds=_REDIS_SECONDS, answer_seconds=_DRAIN_SECONDS)
        drainer = Drainer(graph, own, drain_plan(settings))
        keeper = open_redis(settings.redis_url, connect_seconds=_REDIS_SECONDS, answer_seconds=_REDIS_SECONDS)
        password = settings.neo4j_password.get_secret_value() if settings.neo4j_password is not None else ""
        known = LastKnown(keeper, password)
    ingest = Ingest(graph, settings, inbox)
    if drainer is not None:
        ingest.watch.on_return(drainer.wake)
    return Services(
        settings=settings,
        graph=graph,
        directory=BrandDirectory(graph, settings.moved_at_once, known),
        ingest=ingest,
        health=HealthChecks(graph, client, ingest.watch),
        streams=ChangeStreams(graph),
        deliveries=DeliveryLog(client),
        metrics=MetricsBoard(ingest.meters, client),
        queues=Queues(graph, client, ingest, ThreadPoolExecutor(1, "queues")),
        models=ActiveModels(settings.data_dir),
        redis=client,
        drainer=drainer,
    )


def services_of(request: Request) -> Services:
    """The services that the app's lifespan opened."""
    services = request.app.state.services
    assert isinstance(services, Services)  # noqa: S101 (set by the lifespan)
    return services
