"""Health answers."""

from typing import Any

from api.schemas.base import Shape, example


class Health(Shape):
    """State of the service and of what it depends on."""

    model_config = example({
        "status": "ok",
        "checks": {
            "neo4j": {"status": "ok", "milliseconds": 1.4},
            "redis": {"status": "ok", "milliseconds": 0.4},
            "worker": {"status": "ok", "milliseconds": 0.4},
        },
    })  # fmt: skip

    status: str
    checks: dict[str, dict[str, Any]]
