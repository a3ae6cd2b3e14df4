"""Field mappings of a brand: our name of a field → where the sender's body holds it, as `bill.lines[0].code`."""

import re
from collections.abc import Mapping
from typing import Any

from ingest.steps.extract import NAMES
from ingest.steps.fields import refuse, safe_name

ITEMS = "items"
MOST_ENTRIES = 100
_LONGEST_PATH = 255
_STEP = re.compile(r"[^.\[\]\x00-\x1f\ud800-\udfff]{1,100}(\[[0-9]{1,3}\])*", re.ASCII)
_PLACE = re.compile(r"\[([0-9]{1,3})\]", re.ASCII)

# What a till's sale is read from; `items.…` is read from each line, `customer.…` from the buyer.
SALE_FIELDS = frozenset({
    "transaction_id", "original_transaction_id", "type", "status", "total", "currency", "occurred_at", "store_id",
    "store_name", "check_in_at", "check_out_at", "detection_method", ITEMS, *NAMES.values(),
})  # fmt: skip
LINE_FIELDS = frozenset({"product_id", "name", "category", "quantity", "price"})
_CUSTOMER_FIELDS = frozenset({"id", "name", "first_name", "last_name", *NAMES.values()})
_MISSING = object()


def check_mapping(stated: Mapping[str, Any]) -> dict[str, str]:
    """A mapping as it may be stored; raises InvalidInputError naming the entry that is none."""
    if len(stated) > MOST_ENTRIES:
        raise refuse("mapping", f"more than {MOST_ENTRIES} entries")
    for target, path in stated.items():
        field = f"mapping.{safe_name(target)}"
        if not _is_target(target):
            raise refuse(field, "not a field of a sale, `items.<field>` or `customer.<field>`")
        if not isinstance(path, str) or not _is_path(path):
            raise refuse(field, "must be a path such as bill.lines[0].code")
    return dict(stated)


def apply_mapping(body: dict[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """`body` with our names beside its own; what a path does not lead to stays as it is."""
    mapped = dict(body)
    lines = _value(body, mapping.get(ITEMS, ITEMS))
    in_line = {target.partition(".")[2]: path for target, path in mapping.items() if target.startswith(f"{ITEMS}.")}
    if isinstance(lines, list):
        mapped[ITEMS] = [
            {**line, **_found(line, in_line)} if isinstance(line, dict) and in_line else line for line in lines
        ]
    customer = {target.partition(".")[2]: path for target, path in mapping.items() if target.startswith("customer.")}
    told = _found(body, customer)
    if told:
        own = body.get("customer")
        mapped["customer"] = {**(own if isinstance(own, dict) else {}), **told}
    plain = {target: path for target, path in mapping.items() if "." not in target and target != ITEMS}
    return {**mapped, **_found(body, plain)}


def _is_target(target: str) -> bool:
    holder, dot, name = target.partition(".")
    if not dot:
        return target in SALE_FIELDS
    return name in {ITEMS: LINE_FIELDS, "customer": _CUSTOMER_FIELDS}.get(holder, frozenset())


def _is_path(path: str) -> bool:
    return 0 < len(path) <= _LONGEST_PATH and all(_STEP.fullmatch(step) for step in path.split("."))


def _found(holder: dict[str, Any], paths: Mapping[str, str]) -> dict[str, Any]:
    values = ((target, _value(holder, path)) for target, path in paths.items())
    return {target: value for target, value in values if value is not _MISSING}


def _value(holder: Any, path: str) -> Any:
    for step in path.split("."):
        name, _, places = step.partition("[")
        if not isinstance(holder, dict) or name not in holder:
            return _MISSING
        holder = holder[name]
        for place in _PLACE.findall(f"[{places}") if places else ():
            if not isinstance(holder, list) or int(place) >= len(holder):
                return _MISSING
            holder = holder[int(place)]
    return holder
