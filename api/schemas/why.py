"""The answer to *why are these one person*, and to why they are not."""

from typing import Any

from api.schemas.base import Shape, example
from api.schemas.profiles import MERGE_ID, PROFILE_ID

_LINK = {
    "from": "email:a@example.com", "to": "phone:+14155550101", "via": "event",
    "id": "evt_8c7e0d6d2b9f4f0f9a51c0de5b1e7a11", "at": "2026-11-01T12:00:00Z", "source": "shop", "tier": 1,
    "trust": "transaction", "count": 2,
}  # fmt: skip


class Why(Shape):
    """The shortest chain of evidence with its weakest link; for two that are apart, what keeps them so.

    `cut` takes away all events between the two ends of the weakest link: `sides` are the identifiers that stay with
    each end (all in the first where other evidence `holds`), `loose` those that nothing else ties to either.
    """

    model_config = example({
        "same": True,
        "profile_id": PROFILE_ID,
        "chain": [_LINK],
        "weakest": _LINK,
        "cut": {
            "link": _LINK, "holds": False, "sides": [["email:a@example.com"], ["phone:+14155550101"]], "loose": [],
        },
        "merges": [{
            "merge_id": MERGE_ID, "reason": "identifier_match", "at": "2026-11-01T12:00:01Z", "decided_by": "rules",
            "weak": False,
        }],
        "truncated": False,
    })  # fmt: skip

    same: bool
    truncated: bool
    profile_id: str | None = None
    chain: list[dict[str, Any]] | None = None
    weakest: dict[str, Any] | None = None
    cut: dict[str, Any] | None = None
    merges: list[dict[str, Any]] | None = None
    profile_ids: list[str | None] | None = None
    shared: list[str] | None = None
    blocked_by: list[dict[str, Any]] | None = None
