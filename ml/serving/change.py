"""Registry of models: a person lets another version score, or takes the last change back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import ConflictError
from graph.driver import Graph
from graph.repositories.models import Change, activate_version, find_active, find_version
from graph.values import parse_json
from ml.serving.files import ModelFileError, read_model


def activate(graph: Graph, data_dir: Path, brand: str, version_id: str, change: Change) -> dict[str, Any]:
    """Let a version score from now on; raises NotFoundError, ConflictError when its files are not whole."""
    stored = find_version(graph, brand, version_id)
    if stored.get("files"):
        try:
            read_model(data_dir, version_id, stored["version"], parse_json(stored["files"], {}))
        except ModelFileError as error:
            raise ConflictError(error.detail) from error
    target = version_id if stored.get("files") else None
    previous = activate_version(graph, brand, target, change)
    return {"active": target, "previous": previous}


def roll_back(graph: Graph, brand: str, change: Change) -> dict[str, Any]:
    """The version that the active one replaced scores again, day one when it replaced none; raises ConflictError."""
    stored = find_active(graph, brand)
    if stored is None:
        raise ConflictError("No version is active: day one scores already.")
    before = stored.get("replaced")
    previous = activate_version(graph, brand, before, replace(change, is_rollback=True))
    return {"active": before, "previous": previous}
