"""Ids of what events and commands cause: the same in every replay, so that a repeat writes nothing twice."""

import hashlib


def persona_id_for(event_id: str) -> str:
    """The id of the persona that this event creates."""
    return "cus_" + event_id.removeprefix("evt_")


def merge_id_for(event_id: str) -> str:
    """The id of the merge that this event causes."""
    return "mrg_" + event_id.removeprefix("evt_")


def review_id_for(event_id: str) -> str:
    """The id of the review that this event opens."""
    return "rev_" + event_id.removeprefix("evt_")


def tie_id_for(cause_id: str, survivor_id: str, absorbed_id: str) -> str:
    """The id of a weak tie that an event or command makes between two personas."""
    text = f"{cause_id}|{survivor_id}|{absorbed_id}"
    return f"mrg_{hashlib.blake2b(text.encode(), digest_size=20).hexdigest()}"
