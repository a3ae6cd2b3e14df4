"""A refused record once more: by what its connection says now, for that may be what was wrong."""

from datetime import datetime
from typing import Any

from core.brand import BrandSettings
from core.errors import InvalidInputError, NotFoundError
from core.events import RawEvent
from graph.driver import Graph
from graph.repositories.crm import get_connection
from ingest.crm import hubspot, rest, salesforce
from ingest.crm.connections import specs_of
from ingest.crm.mapping import Reading, Skipped, read_record
from ingest.crm.pages import CrmRecord
from ingest.crm.specs import HUBSPOT, SALESFORCE, ObjectSpec
from ingest.steps.fields import as_object


def read_again(graph: Graph, brand: BrandSettings, message: Any, now: datetime) -> RawEvent:
    """The event of a kept record `{connection, object, record}`; raises InvalidInputError when it still is none."""
    kept = as_object(message)
    try:
        connection = get_connection(graph, brand.id, str(kept.get("connection")))
    except NotFoundError as error:
        raise InvalidInputError("The connection that this record came by was removed.") from error
    spec = next((one for one in specs_of(connection) if one.name == kept.get("object")), None)
    if spec is None:
        raise InvalidInputError("The connection does not read this object any more.")
    read = read_record(_record(connection.kind, spec, kept.get("record")), spec, Reading(connection.name, brand, now))
    if isinstance(read, Skipped):
        raise InvalidInputError("The connection passes over such records.")
    return read


def _record(kind: str, spec: ObjectSpec, fields: Any) -> CrmRecord:
    if kind == SALESFORCE:
        return salesforce.record_of(fields)
    if kind == HUBSPOT:
        return hubspot.record_of_properties(fields, spec.name)
    return rest.record_of(fields, spec.rest)
