"""Registry of models: the one that scores a brand's profiles now, loaded once in a process until another is active."""

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import structlog

from core.errors import InvalidInputError
from core.settings import load_settings
from graph.driver import Graph
from graph.repositories.models import find_active, find_bought_once
from graph.values import parse_json
from ml.serving.files import ModelFileError, read_model
from ml.serving.model import ServingModel, day_one_model
from ml.serving.products import BoughtOnce

log = structlog.get_logger(__name__)

_MOST_KEPT = 32


class ActiveModels:
    """Active models of the brands that this process scored lately."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._kept: OrderedDict[str, ServingModel] = OrderedDict()
        self._lock = Lock()

    def of(self, graph: Graph, brand: str) -> ServingModel:
        """The brand's active model with its settings; day one without one, and when its files were changed."""
        products, categories = find_bought_once(graph, brand)
        once = BoughtOnce(frozenset(products), frozenset(categories))
        return replace(self._load(brand, find_active(graph, brand)), once=once)

    def _load(self, brand: str, stored: dict[str, Any] | None) -> ServingModel:
        if stored is None:
            return day_one_model(brand)
        with self._lock:
            kept = self._kept.get(brand)
            if kept is not None and kept.id == stored["id"]:
                self._kept.move_to_end(brand)
                return kept
        try:
            model = read_model(self.data_dir, stored["id"], stored["version"], parse_json(stored["files"], {}))
        except (ModelFileError, InvalidInputError) as error:
            # Predictions go on and say by their version and confidence what made them.
            log.error("model_unreadable", model_id=stored["id"], reason=type(error).__name__)
            return day_one_model(brand)
        with self._lock:
            self._kept[brand] = model
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return model


_of_process: dict[Path, ActiveModels] = {}


def process_models() -> ActiveModels:
    """This process's models, found below the data directory of its settings."""
    data_dir = load_settings().data_dir
    return _of_process.setdefault(data_dir, ActiveModels(data_dir))
