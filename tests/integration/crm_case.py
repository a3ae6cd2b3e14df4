"""A brand with a connection to the CRM of a test, and a worker that reads it."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from brands.onboarding import NewBrand, create_brand
from core.brand import BrandSettings
from core.clock import utc_now
from core.errors import ConstIntelError
from core.events import RawEvent
from graph.commit import commit_batch
from graph.driver import Graph
from graph.repositories.crm import (
    CrmConnection,
    CrmSync,
    NewSync,
    create_sync,
    get_connection,
    get_sync,
    set_connection,
)
from ingest.committer import Outcome
from ingest.crm.client import Policy
from ingest.crm.connections import Reach, read_connection
from ingest.crm.run import LEASE_SECONDS, Desk, work_on
from ingest.steps import to_incoming
from tests.integration.crm_server import FakeCrm, iso, sf_time
from tests.integration.graph_state import live_profiles

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = timedelta(seconds=LEASE_SECONDS + 5)
OAUTH = {"type": "client_credentials", "client_id": "app", "client_secret": "right"}


class Case:
    """One brand, one connection named `crm`."""

    def __init__(self, graph: Graph, crm: FakeCrm, kind: str, **stated: Any) -> None:
        self.graph, self.crm = graph, crm
        self.brand = BrandSettings(f"t{uuid.uuid4().hex[:12]}")
        create_brand(graph, NewBrand(self.brand.id))
        self._wish = {"kind": kind, "base_url": crm.url, "auth": OAUTH, "requests_per_second": 100, **stated}
        self.change()

    def change(self, **stated: Any) -> CrmConnection:
        """Set the connection up with something else."""
        self._wish |= stated
        new, _ = read_connection(self.brand.id, "crm", self._wish, None, Reach(allow_private=True, now=utc_now()))
        return set_connection(self.graph, new, keeps_secrets=False, at=utc_now())

    def take(self, brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
        """As the pipeline does: an event that does not fit is an outcome of its own."""
        now = utc_now()
        outcomes: list[Outcome | None] = []
        events = []
        for raw in raws:
            try:
                events.append(to_incoming(raw, brand, now))
                outcomes.append(None)
            except ConstIntelError as error:
                outcomes.append(error)
        results = iter(commit_batch(self.graph, brand, events, budget_seconds=60) if events else [])
        return [next(results) if outcome is None else outcome for outcome in outcomes]

    def desk(self, owner: str = "test:worker", take: Any = None, ahead: timedelta = timedelta(0)) -> Desk:
        """Somebody at work, by a clock that is `ahead`."""
        policy = Policy(timeout_seconds=5, allow_private=True)
        return Desk(self.graph, take or self.take, owner, policy, lambda: utc_now() + ahead)

    def begin(self, *, is_full: bool = False) -> str:
        """A new sync that waits for its turn."""
        new = NewSync(f"syn_{uuid.uuid4().hex}", "crm", "test", utc_now(), is_full)
        return create_sync(self.graph, self.brand.id, new).id

    def work(self, sync_id: str, desk: Desk | None = None, seconds: float = 600) -> CrmSync:
        """One stretch of work; the sync as it is stored then."""
        work_on(desk or self.desk(), self.brand, sync_id, seconds)
        return self.job(sync_id)

    def sync(self, *, is_full: bool = False) -> CrmSync:
        """Read the CRM in one go."""
        return self.work(self.begin(is_full=is_full))

    def job(self, sync_id: str) -> CrmSync:
        return get_sync(self.graph, self.brand.id, sync_id)

    def connection(self) -> CrmConnection:
        return get_connection(self.graph, self.brand.id, "crm")

    def events(self) -> int:
        """How many events the brand has."""
        return sum(profile.event_count for profile in live_profiles(self.graph, self.brand.id))


def sf_contact(number: int, at: datetime, **more: Any) -> dict[str, Any]:
    """A contact as Salesforce answers."""
    record_id = f"003{number:012d}AAA"
    return {
        "attributes": {"type": "Contact", "url": f"/services/data/v59.0/sobjects/Contact/{record_id}"},
        "Id": record_id, "SystemModstamp": sf_time(at), "Email": f"c{number}@example.com", "FirstName": "Ada",
        "LastName": f"No {number}", "MobilePhone": None, "Phone": "+1 415 555 0100", "Account": {"Name": "Acme"},
        **more,
    }  # fmt: skip


def hs_contact(number: int, at: datetime, **more: Any) -> dict[str, Any]:
    """A contact as HubSpot's search answers."""
    properties = {
        "hs_object_id": str(number), "lastmodifieddate": iso(at), "email": f"h{number}@example.com",
        "firstname": "Ada", "lastname": f"No {number}", "phone": None, **more,
    }  # fmt: skip
    return {"id": str(number), "properties": properties, "createdAt": iso(at), "updatedAt": iso(at), "archived": False}


def hs_deal(number: int, at: datetime, amount: str, stage: str = "closedwon") -> dict[str, Any]:
    """A deal as HubSpot's search answers."""
    properties = {
        "hs_object_id": str(number), "hs_lastmodifieddate": iso(at), "amount": amount, "deal_currency_code": "USD",
        "closedate": iso(at), "dealstage": stage, "dealname": "Deal",
    }  # fmt: skip
    return {"id": str(number), "properties": properties, "createdAt": iso(at), "updatedAt": iso(at), "archived": False}
