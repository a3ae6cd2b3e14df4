"""What is read from a CRM and how: objects, their fields and what those mean; usual ones are known by name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from core.errors import InvalidInputError
from core.events import ORDER_TYPES
from core.strict_json import canonical_json
from ingest.csv_files.columns import check_target
from ingest.steps.fields import refuse
from ingest.steps.validate import TYPE_NAME

SALESFORCE, HUBSPOT, REST = "salesforce", "hubspot", "rest"
KINDS = frozenset({SALESFORCE, HUBSPOT, REST})
PERSON, ORDER = "person", "order"
CONTACT = "contact"
ASSOCIATED = "associations.contact"
"""Where the contact of a HubSpot deal stands among its fields."""
PAGING_STYLES = frozenset({"none", "page", "offset", "cursor", "link", "next_url"})
SINCE_FORMATS = frozenset({"iso", "seconds", "milliseconds"})
TARGET_HELP = "must be occurred_at, contact, identifiers.TYPE, traits.NAME or payload.NAME"
_DIGEST_BYTES = 8
_REFUSED_GROUPS = ("item.",)
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*(\.[A-Za-z0-9_][A-Za-z0-9_\-]*){0,9}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_\-]{0,79}")
_SOQL_PATH = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*){0,4}")

_FIELDS: dict[tuple[str, str], dict[str, str]] = {
    # The business phone of a contact is often the switchboard's: colleagues would become one person by it.
    (SALESFORCE, "Contact"): {
        "Email": "identifiers.email", "MobilePhone": "identifiers.phone", "Phone": "payload.business_number",
        "FirstName": "traits.first_name", "LastName": "traits.last_name", "Title": "traits.title",
        "MailingCity": "traits.city", "MailingPostalCode": "traits.postal_code", "MailingCountry": "traits.country",
        "Account.Name": "traits.company",
    },
    (SALESFORCE, "Lead"): {
        "Email": "identifiers.email", "MobilePhone": "identifiers.phone", "FirstName": "traits.first_name",
        "LastName": "traits.last_name", "City": "traits.city", "PostalCode": "traits.postal_code",
        "Country": "traits.country", "Company": "traits.company", "Status": "payload.status",
    },
    (SALESFORCE, "Opportunity"): {
        "ContactId": CONTACT, "CloseDate": "occurred_at", "Amount": "payload.total", "Name": "payload.name",
        "StageName": "payload.stage",
    },
    (HUBSPOT, "contacts"): {
        "email": "identifiers.email", "mobilephone": "identifiers.phone", "phone": "identifiers.phone",
        "firstname": "traits.first_name", "lastname": "traits.last_name", "city": "traits.city", "zip": "traits.zip",
        "country": "traits.country", "company": "traits.company", "lifecyclestage": "payload.lifecycle_stage",
    },
    (HUBSPOT, "deals"): {
        ASSOCIATED: CONTACT, "closedate": "occurred_at", "amount": "payload.total",
        "deal_currency_code": "payload.currency", "dealname": "payload.name", "dealstage": "payload.stage",
    },
}  # fmt: skip
_TYPES: dict[tuple[str, str], "TypeRule"] = {}
_ORDERS = frozenset({(SALESFORCE, "Opportunity"), (HUBSPOT, "deals")})


@dataclass(frozen=True, slots=True)
class TypeRule:
    """The event type by a field's value; records with other values are passed over."""

    field: str
    values: Mapping[str, str]


_TYPES |= {
    (SALESFORCE, "Opportunity"): TypeRule("IsWon", {"true": "purchase"}),
    (HUBSPOT, "deals"): TypeRule("dealstage", {"closedwon": "purchase"}),
}


@dataclass(frozen=True, slots=True)
class RestPlan:
    """How a generic REST CRM lists one object; paths lead through its answers by dots."""

    path: str
    items: str = ""
    id: str = "id"
    modified: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    since_param: str = ""
    since_format: str = "iso"
    paging: str = "none"
    page_param: str = ""
    size_param: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class ObjectSpec:
    """One kind of record: persons or orders, and what its fields mean."""

    name: str
    about: str
    fields: Mapping[str, str]
    types: TypeRule | None = None
    rest: RestPlan | None = None

    @property
    def paths(self) -> list[str]:
        """All fields that are read."""
        return [*self.fields, *([self.types.field] if self.types is not None else [])]


def read_specs(kind: str, stated: list[dict[str, Any]] | None) -> list[ObjectSpec]:
    """The objects of a connection as sent, or the contacts without any; raises InvalidInputError naming the field."""
    usual = {SALESFORCE: "Contact", HUBSPOT: "contacts"}
    if not stated:
        if kind == REST:
            raise refuse("objects", "missing: say which paths are read")
        stated = [{"name": usual[kind]}]
    specs = [_read_spec(kind, entry, f"objects[{place}]") for place, entry in enumerate(stated)]
    if len({spec.name for spec in specs}) < len(specs):
        raise refuse("objects", "two have one name")
    persons = [spec for spec in specs if spec.about == PERSON]
    # Salesforce's ids say of which object they are; of others two objects could have the same.
    if kind != SALESFORCE and len(persons) > 1:
        raise refuse("objects", "only one of them may be about persons: others need a connection of their own")
    return specs


def _read_spec(kind: str, entry: Mapping[str, Any], at: str) -> ObjectSpec:
    name = entry["name"]
    if not _NAME.fullmatch(name):
        raise refuse(f"{at}.name", "must be the name of an object")
    known = (kind, name)
    about = entry.get("about") or (ORDER if known in _ORDERS else PERSON)
    fields = entry.get("fields") or _FIELDS.get(known)
    if not fields:
        raise refuse(f"{at}.fields", "missing: say what the fields of this object mean")
    spec = ObjectSpec(
        name=name,
        about=about,
        fields={path: _target(target, about, f"{at}.fields") for path, target in fields.items()},
        types=_types(entry.get("types"), f"{at}.types") or _TYPES.get(known),
        rest=_rest(entry.get("rest"), f"{at}.rest") if kind == REST else None,
    )
    pattern = _SOQL_PATH if kind == SALESFORCE else _PATH
    if not all(pattern.fullmatch(path) for path in spec.paths):
        raise refuse(f"{at}.fields", "holds a name that is no field")
    return spec


def _target(target: str, about: str, at: str) -> str:
    if target == CONTACT:
        if about != ORDER:
            raise refuse(at, "contact is for orders: it says whose they are")
        return target
    try:
        checked = check_target(target)
    except InvalidInputError as error:
        raise refuse(at, TARGET_HELP) from error
    if checked is None or checked.startswith(_REFUSED_GROUPS) or ("." not in checked and checked != "occurred_at"):
        raise refuse(at, TARGET_HELP)
    return checked


def _types(stated: Mapping[str, Any] | None, at: str) -> TypeRule | None:
    if not stated:
        return None
    if not all(TYPE_NAME.fullmatch(kind) for kind in stated["values"].values()):
        raise refuse(f"{at}.values", "must be snake_case event types")
    return TypeRule(stated["field"], {str(value).casefold(): kind for value, kind in stated["values"].items()})


def _rest(stated: Mapping[str, Any] | None, at: str) -> RestPlan:
    if not stated:
        raise refuse(at, "missing: say which path is read")
    plan = RestPlan(**stated)
    if not plan.path.startswith("/") or plan.path.startswith("//") or ".." in plan.path or "?" in plan.path:
        raise refuse(f"{at}.path", "must begin with a slash and have no query")
    paths = {"items": plan.items, "id": plan.id, "modified": plan.modified, "next": plan.next}
    for name, path in paths.items():
        if path and not _PATH.fullmatch(path):
            raise refuse(f"{at}.{name}", "must be names with dots between them")
    if plan.paging in {"cursor", "next_url"} and not plan.next:
        raise refuse(f"{at}.next", "missing: where an answer says how it goes on")
    if plan.since_param and not plan.modified:
        raise refuse(f"{at}.modified", "missing: only records with a time can be asked for by it")
    return plan


def spec_as_dict(spec: ObjectSpec) -> dict[str, Any]:
    """The spec as it is stored and shown; `read_specs` reads it again."""
    shown: dict[str, Any] = {"name": spec.name, "about": spec.about, "fields": dict(spec.fields)}
    if spec.types is not None:
        shown["types"] = {"field": spec.types.field, "values": dict(spec.types.values)}
    if spec.rest is not None:
        plan = spec.rest
        shown["rest"] = {name: getattr(plan, name) for name in RestPlan.__slots__}
        shown["rest"]["params"] = dict(plan.params)
    return shown


def reading_digest(spec: ObjectSpec) -> str:
    """Changes with all that decides which records are read and what they mean: another one reads from the start."""
    return _digest(spec_as_dict(spec))


def meaning_digest(spec: ObjectSpec) -> str:
    """Changes with what a record's fields mean: the same record is another event then."""
    return _digest({name: value for name, value in spec_as_dict(spec).items() if name != "rest"})


def _digest(data: dict[str, Any]) -> str:
    return blake2b(canonical_json(data), digest_size=_DIGEST_BYTES).hexdigest()


def is_order_type(kind: str) -> bool:
    """Whether events of this type are about an order."""
    return kind in ORDER_TYPES
