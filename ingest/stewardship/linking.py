"""Linking by hand: identifiers given to and taken from a profile, unattached events given to one."""

from core.brand import BrandSettings
from core.errors import InvalidInputError
from core.identifiers import PRIORITY, Identifier, Trust
from core.normal_forms import Rejected, normalise
from graph.driver import Graph
from graph.hand_links import attach_event, link_identifier, unlink_identifier
from graph.transactions import in_transaction
from ingest.stewardship.merging import COMMAND_BUDGET_SECONDS, new_command


def link_by_hand(
    graph: Graph, brand: BrandSettings, profile_id: str, identifier: Identifier, *, reason: str = "", by: str
) -> str:
    """Give the identifier to the profile; the live profile's id."""
    command = new_command(brand, "lnk", by, reason)
    return in_transaction(
        graph,
        lambda tx: link_identifier(tx, command, profile_id, identifier, Trust.TRANSACTION.value),
        budget_seconds=COMMAND_BUDGET_SECONDS,
    )


def unlink_by_hand(
    graph: Graph, brand: BrandSettings, profile_id: str, identifier: Identifier, *, reason: str = "", by: str
) -> str:
    """Take the identifier from the profile; the live profile's id."""
    command = new_command(brand, "unl", by, reason)
    return in_transaction(
        graph,
        lambda tx: unlink_identifier(tx, command, profile_id, identifier),
        budget_seconds=COMMAND_BUDGET_SECONDS,
    )


def attach_by_hand(
    graph: Graph, brand: BrandSettings, event_id: str, profile_id: str, *, reason: str = "", by: str
) -> str:
    """Give an unattached event to the profile; the live profile's id."""
    command = new_command(brand, "att", by, reason)
    return in_transaction(
        graph,
        lambda tx: attach_event(tx, command, event_id, profile_id),
        budget_seconds=COMMAND_BUDGET_SECONDS,
    )


def identifier_from(kind: str, value: str, brand: BrandSettings) -> Identifier:
    """The identifier in its normal form; raises InvalidInputError naming `type` or `value`."""
    if kind not in PRIORITY:
        raise InvalidInputError("Must be an identifier type.", field="type")
    found = normalise(kind, value, brand)
    if isinstance(found, Rejected):
        raise InvalidInputError(f"The value cannot be used: {found.reason}.", field="value")
    return found
