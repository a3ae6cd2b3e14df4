"""Writes fields back to a CRM in its own way; telling it the same twice changes nothing there.

Each writer says of which records the CRM wants nothing, and why; an answer that is about all of them is raised.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ingest.crm.answers import CrmRefusedError, refusal
from ingest.crm.client import CrmClient
from ingest.crm.pages import find_value, read_id
from ingest.crm.push_specs import ID_PLACE, PushSpec
from ingest.crm.specs import HUBSPOT, REST, SALESFORCE
from ingest.steps.fields import as_object, as_objects

_SALESFORCE_PATH = "/services/data/v59.0/composite/sobjects"
_SALESFORCE_MOST, _HUBSPOT_MOST = 200, 100
_OF_ONE = frozenset({400, 404, 409, 410, 422})
"""Statuses that speak of the record that was written, not of the connection."""


@dataclass(frozen=True, slots=True)
class Change:
    """One record and its fields; None empties one."""

    id: str
    fields: Mapping[str, Any]


Refused = dict[str, str]
"""Id of a record → why the CRM did not take it."""
Writer = Callable[[CrmClient, PushSpec, Sequence[Change]], Refused]


def write_salesforce(client: CrmClient, spec: PushSpec, changes: Sequence[Change]) -> Refused:
    """Up to 200 records a request; each is answered in its place."""
    refused: Refused = {}
    for first in range(0, len(changes), _SALESFORCE_MOST):
        batch = changes[first : first + _SALESFORCE_MOST]
        records = [
            {"attributes": {"type": spec.object}, "id": one.id, **_texts(one.fields)} for one in batch
        ]  # fmt: skip
        answer = client.change("PATCH", _SALESFORCE_PATH, {"allOrNone": False, "records": records})
        outcomes = answer.body if isinstance(answer.body, list) else []
        if len(outcomes) != len(batch):
            raise CrmRefusedError("Salesforce did not say what became of each record.")
        for one, outcome in zip(batch, map(as_object, outcomes), strict=True):
            if outcome.get("success") is not True:
                error = next(iter(as_objects(outcome.get("errors"))), {})
                refused[one.id] = refusal(400, {"code": error.get("statusCode")}).detail
    return refused


def write_hubspot(client: CrmClient, spec: PushSpec, changes: Sequence[Change]) -> Refused:
    """Up to 100 records a request; one that is refused as a whole is halved until the bad record stands alone."""
    refused: Refused = {}
    waiting = [changes[first : first + _HUBSPOT_MOST] for first in range(0, len(changes), _HUBSPOT_MOST)]
    while waiting:
        batch = waiting.pop()
        inputs = [{"id": one.id, "properties": _strings(one.fields)} for one in batch]
        try:
            answer = client.change("POST", f"/crm/v3/objects/{spec.object}/batch/update", {"inputs": inputs})
        except CrmRefusedError as error:
            if error.status not in _OF_ONE:
                raise
            if len(batch) == 1:
                refused[batch[0].id] = error.detail
            else:
                middle = len(batch) // 2
                waiting += [batch[:middle], batch[middle:]]
            continue
        for failure in as_objects(as_object(answer.body).get("errors")):
            ids = find_value(failure, "context.ids")
            for one in ids if isinstance(ids, list) else []:
                refused[read_id(one)] = refusal(400, failure).detail
    return refused


def write_rest(client: CrmClient, spec: PushSpec, changes: Sequence[Change]) -> Refused:
    """One request a record, at the path and with the method that the connection says."""
    refused: Refused = {}
    for one in changes:
        body: dict[str, Any] = {}
        inner = _place(body, spec.body.split(".")) if spec.body else body
        for path, value in one.fields.items():
            *above, name = path.split(".")
            _place(inner, above)[name] = value
        try:
            client.change(spec.method, spec.path.replace(ID_PLACE, quote(one.id, safe="")), body)
        except CrmRefusedError as error:
            if error.status not in _OF_ONE:
                raise
            refused[one.id] = error.detail
    return refused


WRITERS: Mapping[str, Writer] = {SALESFORCE: write_salesforce, HUBSPOT: write_hubspot, REST: write_rest}


def _place(body: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    for name in names:
        body = body.setdefault(name, {})
    return body


def _texts(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Lists as both Salesforce and HubSpot write several choices: with semicolons."""
    return {
        name: ";".join(map(str, value)) if isinstance(value, list) else value for name, value in fields.items()
    }  # fmt: skip


def _strings(fields: Mapping[str, Any]) -> dict[str, str]:
    """HubSpot takes texts only; an empty one empties a property."""
    return {
        name: "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in _texts(fields).items()
    }
