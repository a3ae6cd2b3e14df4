"""What the OpenAPI page says beyond the routes: description, tags, security schemes, the problems of each route."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.schemas.base import Shape
from api.schemas.problems import Problem

DESCRIPTION = """
Send events as they happen; every acknowledged event is decided and stored.
Times are RFC 3339 in UTC, money is a decimal string beside its ISO 4217 currency, ids are text.
Lists page with `limit` (1 to 200) and an opaque `cursor`. Every error is a problem document (RFC 9457).
"""

TAGS = [
    {"name": "events", "description": "Events in, one at a time or in batches, and single events back."},
    {"name": "integrations", "description": "Webhooks of shops, messengers and tills; CSV files; CRM systems."},
    {"name": "tracking", "description": "The calls of Segment's, RudderStack's and PostHog's client libraries."},
    {"name": "dead letters", "description": "Messages that were received and could not become events."},
    {"name": "profiles", "description": "Unified profiles: look up, list, merge, unmerge, import."},
    {"name": "reviews", "description": "Merges that wait for a person."},
    {"name": "suggestions", "description": "Likely same persons that share no identifier, for a person to decide."},
    {"name": "customer360", "description": "Everything about one customer."},
    {"name": "features", "description": "What is computed from a customer's history."},
    {"name": "predictions", "description": "Churn, value, segment and products foretold of customers."},
    {"name": "segments", "description": "The RFM grid and profiles like others: what segments are built of."},
    {
        "name": "models",
        "description": "Versions of a brand's models: trained, judged, activated, rolled back, watched.",
    },
    {"name": "catalogue", "description": "Products and stock, as shops told them."},
    {"name": "stores", "description": "Stores, who visits them, and what staff should know."},
    {"name": "inventory", "description": "Stock, what is wanted where, and trends."},
    {"name": "privacy", "description": "What people asked for about their data."},
    {"name": "browser", "description": "Style sheet and guide for Neo4j Browser."},
    {"name": "admin", "description": "Brands and their keys."},
    {"name": "streams", "description": "What was committed, for others to follow."},
    {"name": "monitoring", "description": "Is the service there, and does it take events."},
]

_MEANINGS = {
    400: "The body cannot be parsed.",
    401: "No key, a wrong key or a wrong signature.",
    403: "The key does not have the scope.",
    404: "Unknown, or of another brand.",
    409: "The state of the thing refuses the command.",
    410: "It was there and was removed.",
    413: "The body is over its limit.",
    422: "A value does not fit; `errors` names the field.",
    429: "More is coming in than can be taken now; Retry-After says when to send again.",
    503: "A dependency is away; Retry-After says when to try again.",
}

_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key of the brand."},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key of the brand."},
    "write_key": {"type": "http", "scheme": "basic", "description": "A write key as user name, the password empty."},
}


def answers(
    model: type[Shape], *problems: int, status: int = 200, description: str = "Done."
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: its answer with the model's example, and the problems that it can have."""
    example = model.model_json_schema()["example"]
    documented: dict[int | str, dict[str, Any]] = {
        status: {"model": model, "description": description, "content": {"application/json": {"example": example}}}
    }
    for code in problems:
        documented[code] = {
            "description": _MEANINGS[code],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return documented


def body_example(example: Any, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    """`openapi_extra` of a route that reads its body itself."""
    content = {"application/json": {"schema": schema or {"type": "object"}, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def describe_security(app: FastAPI) -> None:
    """Let `app` serve its OpenAPI document with our security schemes and problem schema."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            components = schema.setdefault("components", {})
            components["securitySchemes"] = _SCHEMES
            components.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend the document
