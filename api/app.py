"""The HTTP app on one page: what it owns, how errors look, which routers it has."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api.access_log import AccessLog
from api.door import RequestDoor
from api.openapi import DESCRIPTION, TAGS, describe_security
from api.problems import add_problem_handlers
from api.routers import (
    admin,
    audiences,
    browser_pack,
    bulk_reviews,
    catalogue,
    change_webhooks,
    changes,
    computed_traits,
    crm,
    csv_imports,
    customer360,
    dead_letters,
    event_schemas,
    events,
    features,
    integration_settings,
    integrations,
    intents,
    inventory,
    links,
    models,
    monitoring,
    posthog,
    predictions,
    profiles,
    replays,
    reviews,
    rules,
    segment,
    sessions,
    stewardship,
    store_staff,
    stores,
    streams,
    suggestions,
    tracker,
    traits,
    transformations,
    why,
)
from api.routes import RawRoute
from api.shutdown import on_stop_signal
from api.wiring import open_services
from core.collector import settle_collector
from core.logs import configure_logs
from core.settings import Settings, load_settings

# Starlette tries one route after the other: what is asked for most comes first.
ROUTERS = (
    events,
    customer360,
    profiles,
    replays,
    csv_imports,
    crm,
    integrations,
    segment,
    posthog,
    dead_letters,
    tracker,
    reviews,
    bulk_reviews,
    stewardship,
    streams,
    suggestions,
    predictions,
    models,
    rules,
    links,
    traits,
    computed_traits,
    changes,
    change_webhooks,
    why,
    intents,
    sessions,
    features,
    catalogue,
    stores,
    store_staff,
    inventory,
    integration_settings,
    event_schemas,
    transformations,
    admin,
    audiences,
    browser_pack,
    monitoring,
)
# Single events and small batches are most of all requests.
EXPRESS_PATHS = ("/api/events", "/api/events/batch")


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ConstIntel API; `settings` come from the environment unless given."""
    settings = settings or load_settings()
    configure_logs(level=settings.log_level, as_json=settings.log_json)
    app = FastAPI(
        title="ConstIntel",
        version="1.0.0",
        summary="Which traces belong to one customer, and everything known about that customer.",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=_lifespan,
        redirect_slashes=False,
        redoc_url=None,
        strict_content_type=False,
        # Its events could carry messages of exceptions, and asking whether it is on costs every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    # Routes join the app one by one: the walk over nested routers costs more than serving an event.
    for module in ROUTERS:
        app.router.routes.extend(module.router.routes)
    describe_security(app)
    add_problem_handlers(app)
    express = {
        route.path: route
        for route in app.routes
        if isinstance(route, RawRoute) and route.path in EXPRESS_PATHS and "POST" in (route.methods or ())
    }
    app.state.access_log = AccessLog()
    app.add_middleware(RequestDoor, express=express, access_log=app.state.access_log)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services = open_services(app.state.settings)
    app.state.services = services
    services.metrics.start()
    settle_collector()
    try:
        with on_stop_signal(services.streams.stop):
            yield
    finally:
        await services.close()
        app.state.access_log.flush()
