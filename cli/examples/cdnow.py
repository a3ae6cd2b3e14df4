"""The CDNOW purchase history: fetched, turned into events, sent, read back and compared with sums over the file."""

import hashlib
import random
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.service import ServiceClient
from core.errors import ConfigurationError
from core.money import to_minor
from core.settings import load_settings

CUSTOMERS = 23_570
PURCHASES = 69_659
_CURRENCY = "USD"
_PACKAGE = "lifetimes==0.11.3"
_WHEEL = "Lifetimes-0.11.3-py3-none-any.whl"
_WHEEL_SHA256 = "261e3dc89977c2b60767ca6728aaa29d429de0c814635070a749c36555895da8"
_MEMBER = "lifetimes/datasets/CDNOW_master.txt"
_COLUMNS = 4
_REPEAT_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Purchase:
    """One row of the file: its number (the header is row 1), customer, ISO date, CDs and amount as written."""

    row: int
    customer: str
    date: str
    cds: int
    amount: str


@dataclass(frozen=True, slots=True)
class Totals:
    """What is known of one customer: number of orders and money in cents."""

    orders: int
    minor: int


def load_purchases(limit: int | None = None) -> list[Purchase]:
    """The purchases in file order, the first `limit` of them; fetches the file once for this user."""
    with zipfile.ZipFile(_fetch_wheel()) as wheel:
        lines = wheel.read(_MEMBER).decode("ascii").splitlines()[1:]
    purchases = []
    for number, line in enumerate(lines[:limit], start=2):
        fields = line.split()
        if len(fields) != _COLUMNS:
            raise ConfigurationError(f"Row {number} of the CDNOW file has not {_COLUMNS} columns.")
        customer, day, cds, amount = fields
        purchases.append(Purchase(number, customer, f"{day[:4]}-{day[4:6]}-{day[6:]}", int(cds), amount))
    return purchases


def to_event(purchase: Purchase) -> dict[str, Any]:
    """A purchase as an event; every row is an order of its own, also of 0.00 and of the same customer and day."""
    return {
        "type": "purchase",
        "channel": "website",
        "source": "cdnow",
        "occurred_at": f"{purchase.date}T00:00:00Z",
        "message_id": f"row-{purchase.row}",
        "identifiers": {"user_id": purchase.customer},
        "payload": {
            "order_id": f"row-{purchase.row}",
            "total": purchase.amount,
            "currency": _CURRENCY,
            "items": [{"product_id": "CD", "category": "Music", "quantity": purchase.cds}],
        },
    }


def shuffle_with_repeats(purchases: Sequence[Purchase], seed: int = 0) -> list[Purchase]:
    """All purchases in random order with 5 % of them a second time, anywhere."""
    rng = random.Random(seed)  # noqa: S311 (no secret)
    mixed = [*purchases, *rng.sample(purchases, round(len(purchases) * _REPEAT_SHARE))]
    rng.shuffle(mixed)
    return mixed


def expected_totals(purchases: Iterable[Purchase]) -> dict[str, Totals]:
    """Plain sums over the file, by customer."""
    found: dict[str, Totals] = {}
    for purchase in purchases:
        before = found.get(purchase.customer, Totals(0, 0))
        found[purchase.customer] = Totals(before.orders + 1, before.minor + _cents(purchase.amount))
    return found


def read_totals(client: ServiceClient) -> tuple[int, dict[str, Totals]]:
    """Number of profiles, and what each says about the customers that it holds."""
    profiles = 0
    found: dict[str, Totals] = {}
    for profile in client.pages("/api/profiles"):
        profiles += 1
        totals = Totals(profile["total_orders"], _cents(profile["lifetime_value"]))
        for customer in profile["identifiers"].get("user_id", []):
            found[customer] = totals
    return profiles, found


def _cents(amount: str) -> int:
    minor = to_minor(amount, _CURRENCY)
    if minor is None:
        raise ConfigurationError("An amount of the CDNOW file is not a decimal number.")
    return minor


def _fetch_wheel() -> Path:
    """The wheel in the per-user cache, downloaded by pip when it is missing; its SHA-256 is checked every time."""
    path = load_settings().cache_home / "constintel" / "examples" / _WHEEL
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as directory:
            _download(Path(directory)).replace(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != _WHEEL_SHA256:
        path.unlink()
        raise ConfigurationError("The downloaded CDNOW file was damaged and is removed: run the command again.")
    return path


def _download(directory: Path) -> Path:
    """Download the pinned wheel without installing it or anything that it asks for."""
    pinned = directory / "requirements.txt"
    pinned.write_text(f"{_PACKAGE} --hash=sha256:{_WHEEL_SHA256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes", "--requirement", str(pinned), "--dest", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own arguments)
    wheels = list(directory.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise ConfigurationError(f"The CDNOW file could not be downloaded: {reason}")
    return wheels[0]
