"""Registry of models: files of a version below the data directory: JSON and LightGBM text, never code; checked."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import ConstIntelError
from ml.serving.model import ServingModel

MODEL_FILE = "model.json"
_FOLDER = "models"
_MOST_BYTES = 200 * 1024**2
_PLAIN = re.compile(r"^[A-Za-z0-9_.-]{1,100}$")


class ModelFileError(ConstIntelError):
    """A model's file is missing or is not the one that its version names."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The model file {name} is missing or was changed.")


def folder_of(data_dir: Path, version_id: str) -> Path:
    """Where the files of a version lie."""
    return data_dir / _FOLDER / version_id


def write_files(data_dir: Path, model: ServingModel, report: Mapping[str, Any]) -> dict[str, str]:
    """Write a version's files, each whole or not at all; file name → SHA-256."""
    folder = folder_of(data_dir, model.id)
    folder.mkdir(parents=True, exist_ok=True)
    texts = dict(model.bundle.texts())
    stored = {"serving": model.as_dict(), "report": report}
    texts[MODEL_FILE] = json.dumps(stored, ensure_ascii=False, sort_keys=True)
    digests = {}
    for name, text in texts.items():
        data = text.encode()
        part = folder / f"{name}.part"
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / name)
        digests[name] = hashlib.sha256(data).hexdigest()
    return digests


def read_model(data_dir: Path, version_id: str, version: str, digests: Mapping[str, str]) -> ServingModel:
    """The model of those files; raises ModelFileError before anything parses a file that is not the one named."""
    texts = {name: _read(folder_of(data_dir, version_id), name, digest) for name, digest in digests.items()}
    if MODEL_FILE not in texts:
        raise ModelFileError(MODEL_FILE)
    stored = json.loads(texts.pop(MODEL_FILE))
    return ServingModel.from_dict(version_id, version, stored["serving"], texts)


def _read(folder: Path, name: str, digest: str) -> str:
    if not _PLAIN.match(name):
        raise ModelFileError("of that name")
    try:
        path = folder / name
        if path.stat().st_size > _MOST_BYTES:
            raise ModelFileError(name)
        data = path.read_bytes()
    except OSError as error:
        raise ModelFileError(name) from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise ModelFileError(name)
    return data.decode()
