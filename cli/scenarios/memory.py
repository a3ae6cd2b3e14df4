"""Scenario, side step: remembers played brands below the data directory, so that a story can be sent once more."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cli.service import BrandAccess
from core.clock import format_time, parse_time
from core.errors import ConfigurationError

_FOLDER = "scenarios"


@dataclass(frozen=True, slots=True)
class Remembered:
    """A played story: its name, its brand with keys, when it began, and what its steps saved."""

    story: str
    brand: BrandAccess
    started_at: datetime
    saved: dict[str, Any]


def remember(data_dir: Path, played: Remembered) -> None:
    """Write the record, readable by its owner only: it holds the brand's key and secrets."""
    folder = data_dir / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    record = {**asdict(played), "started_at": format_time(played.started_at)}
    descriptor = os.open(folder / f"{played.brand.id}.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(record, file, indent=2)


def recall(data_dir: Path, brand: str) -> Remembered:
    """The record of a played brand; raises ConfigurationError when there is none."""
    path = data_dir / _FOLDER / f"{Path(brand).name}.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        started_at = parse_time(record["started_at"])
        if started_at is None:
            raise ValueError
        return Remembered(record["story"], BrandAccess(**record["brand"]), started_at, record["saved"])
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path} does not exist: no scenario was played in this brand from here.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} cannot be read: play the scenario in a new brand.") from error
