"""CRM connections and their syncs."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.base import Command, Shape, example

_Text = Annotated[str, Field(min_length=1, max_length=2_000)]
_Short = Annotated[str, Field(max_length=100)]
_Secret = Annotated[str, Field(min_length=1, max_length=10_000, pattern=r"^[\x20-\x7e]+$")]
_HEADER = r"^[A-Za-z0-9\-]{1,80}$"
MOST_OBJECTS = 20
MOST_FIELDS = 200

CONNECTION_BODY: dict[str, Any] = {
    "kind": "salesforce",
    "base_url": "https://example.my.salesforce.com",
    "auth": {"type": "client_credentials", "client_id": "3MVG9…", "client_secret": "…"},
    "objects": [{"name": "Contact"}, {"name": "Opportunity"}],
    "interval_minutes": 15,
}
CONNECTION_EXAMPLE: dict[str, Any] = {
    "name": "salesforce", "kind": "salesforce", "base_url": "https://example.my.salesforce.com",
    "auth": {"type": "client_credentials", "client_id": "3MVG9…",
             "token_url": "https://example.my.salesforce.com/services/oauth2/token"},
    "objects": [{"name": "Contact", "about": "person",
                 "fields": {"Email": "identifiers.email", "FirstName": "traits.first_name"}}],
    "push": {"object": "Contact", "fields": {"segment": "Segment__c", "traits.favourite_store": "Favourite_Store__c"}},
    "overlap_seconds": 300, "requests_per_second": 10, "page_size": 0, "interval_minutes": 15,
    "next_sync_at": "2026-11-01T12:15:00Z", "cursors": {"Contact": "2026-11-01T11:58:12.000Z"}, "read_anew": [],
    "created_at": "2026-10-01T08:00:00Z", "updated_at": "2026-10-01T08:00:00Z",
}  # fmt: skip
SYNC_EXAMPLE: dict[str, Any] = {
    "id": "syn_6f1d0c52a7e94b0f8d1c", "connection": "salesforce", "kind": "salesforce", "state": "running",
    "full": False, "progress": 0.42, "read": 4200, "accepted": 4180, "duplicates": 12, "rejected": 3, "skipped": 5,
    "objects": {"Contact": {"read": 4200, "total": 10000, "is_done": False}},
    "warnings": {"identifiers.email: not a usable e-mail address": 2},
    "problems": [{"object": "Contact", "id": "0035g00000AbCdEAAV", "reason": "occurred_at: not a time"}],
    "push": {"pushed": 38, "unchanged": 4140, "refused": 2},
    "waits_for": None, "next_attempt_at": None, "error": None, "created_by": "schedule",
    "created_at": "2026-11-01T12:00:00Z", "started_at": "2026-11-01T12:00:01Z", "finished_at": None,
}  # fmt: skip


class AuthCommand(Command):
    """How the CRM is told who asks; secrets are taken and never shown."""

    type: Literal["none", "bearer", "header", "basic", "client_credentials", "refresh_token"]
    token: _Secret | None = None
    header: Annotated[str, Field(pattern=_HEADER)] | None = None
    user: _Secret | None = None
    password: _Secret | None = None
    client_id: _Secret | None = None
    client_secret: _Secret | None = None
    refresh_token: _Secret | None = None
    scope: _Secret | None = None
    token_url: _Text | None = None


class TypesCommand(Command):
    """The event type by the value of a field; records with other values are passed over."""

    field: _Text
    values: Annotated[dict[_Short, _Short], Field(min_length=1, max_length=100)]


class RestCommand(Command):
    """How a generic REST CRM lists an object. Paths lead through its answers by dots, such as `data.items`."""

    path: _Text
    items: _Short = Field(default="", description="Where the list of records is; empty when the answer is the list.")
    id: _Short = "id"
    modified: _Short = Field(default="", description="When a record was changed last.")
    params: Annotated[dict[_Short, _Short], Field(max_length=50)] = Field(default_factory=dict)
    since_param: _Short = Field(default="", description="Parameter that asks for records changed since a time.")
    since_format: Literal["iso", "seconds", "milliseconds"] = "iso"
    paging: Literal["none", "page", "offset", "cursor", "link", "next_url"] = "none"
    page_param: _Short = Field(default="", description="Default: page, offset or cursor, as the style is called.")
    size_param: _Short = ""
    next: _Short = Field(default="", description="Where an answer says how it goes on: a cursor or an address.")


class ObjectCommand(Command):
    """One kind of record; Salesforce's and HubSpot's usual ones need a name only."""

    name: _Short
    about: Literal["person", "order"] | None = None
    fields: Annotated[dict[_Short, _Short], Field(min_length=1, max_length=MOST_FIELDS)] | None = Field(
        default=None,
        description="Field of the CRM → occurred_at, contact (an order's person), identifiers.TYPE, traits.NAME or "
        "payload.NAME.",
    )
    types: TypesCommand | None = None
    rest: RestCommand | None = None


class PushRestCommand(Command):
    """How a generic REST CRM takes the fields of one record."""

    path: _Text = Field(description="With `{id}` where the record's id stands.")
    method: Literal["PATCH", "PUT", "POST"] = "PATCH"
    body: _Short = Field(default="", description="Where in the body the fields stand; empty when they are the body.")


class PushCommand(Command):
    """What is written back after each sync, for persons that it knows and only where it changed."""

    object: _Short | None = Field(default=None, description="The object about persons without it.")
    fields: Annotated[dict[_Short, _Short], Field(min_length=1, max_length=50)] = Field(
        description="traits.NAME, segment, churn_probability, lifetime_value, total_orders or profile_id → field of "
        "the CRM."
    )
    rest: PushRestCommand | None = None


class ConnectionCommand(Command):
    """A connection to set up or change; without `auth` the secrets that are stored stay."""

    model_config = example(CONNECTION_BODY)

    kind: Literal["salesforce", "hubspot", "rest"]
    base_url: _Text | None = Field(default=None, description="Not needed for HubSpot.")
    auth: AuthCommand | None = None
    objects: Annotated[list[ObjectCommand], Field(max_length=MOST_OBJECTS)] | None = Field(
        default=None, description="Read in this order; the CRM's contacts without any."
    )
    push: PushCommand | None = Field(default=None, description="Writes back to the CRM; off without it.")
    overlap_seconds: Annotated[int, Field(ge=0, le=86_400)] = Field(
        default=300, description="How far before its last place a sync begins."
    )
    requests_per_second: Annotated[int, Field(ge=1, le=100)] | None = None
    page_size: Annotated[int, Field(ge=1, le=2_000)] | None = None
    interval_minutes: Annotated[int, Field(ge=1, le=43_200)] | None = Field(
        default=None, description="Syncs by itself; without it only when asked."
    )


class ConnectionShape(Shape):
    """A connection; `cursors` says up to which time each object was read. Secrets are not shown.

    `read_anew` names objects whose mapping changed since they were read: the next sync reads them from the start.
    """

    model_config = example(CONNECTION_EXAMPLE)

    name: str
    kind: str
    base_url: str
    auth: dict[str, Any]
    objects: list[dict[str, Any]]
    push: dict[str, Any] | None
    overlap_seconds: int
    requests_per_second: int
    page_size: int
    interval_minutes: int | None
    next_sync_at: str | None
    cursors: dict[str, str | None]
    read_anew: list[str]
    created_at: str
    updated_at: str


class ConnectionList(Shape):
    """All connections of the brand by name."""

    model_config = example({"items": [CONNECTION_EXAMPLE], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None


class ConnectionDeleted(Shape):
    """It is gone."""

    model_config = example({"deleted": True})

    deleted: bool


class SyncCommand(Command):
    """Which connection is read; `full` reads everything again and counts nothing twice."""

    model_config = example({"connection": "salesforce", "full": False})

    connection: Annotated[str, Field(min_length=1, max_length=63)]
    full: bool = False


class SyncShape(Shape):
    """One sync; counts are of records that were read, `push` of those written back.

    `waits_for` says what keeps it from going on, until `next_attempt_at`.
    """

    model_config = example(SYNC_EXAMPLE)

    id: str
    connection: str
    kind: str
    state: str
    full: bool
    progress: float | None
    read: int
    accepted: int
    duplicates: int
    rejected: int
    skipped: int
    objects: dict[str, dict[str, Any]]
    warnings: dict[str, int]
    problems: list[dict[str, Any]]
    push: dict[str, int] | None
    waits_for: str | None
    next_attempt_at: str | None
    error: str | None
    created_by: str
    created_at: str
    started_at: str | None
    finished_at: str | None


class SyncList(Shape):
    """Syncs, newest first."""

    model_config = example({"items": [SYNC_EXAMPLE], "next_cursor": None})

    items: list[dict[str, Any]]
    next_cursor: str | None


class CancelSyncCommand(Command):
    """Nothing needs to be said."""

    model_config = example({})
