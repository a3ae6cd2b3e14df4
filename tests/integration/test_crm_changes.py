"""A CRM connection that changes: what was read by another mapping is read anew, and a sync at work ends."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.brand import BrandSettings
from core.errors import ConfigurationError
from core.events import RawEvent
from core.settings import Settings
from graph.driver import Graph
from graph.repositories.crm import delete_connection, get_connection
from graph.seals import Seals
from ingest.committer import Outcome
from ingest.crm.connections import shown_connection
from tests.integration.crm_case import START, Case, sf_contact
from tests.integration.crm_server import FakeCrm, playing
from tests.integration.graph_state import live_profiles

SECOND = timedelta(seconds=1)
CHANGED = "The connection was changed meanwhile: a sync from now on goes by what it says."
OTHER = [{"name": "Contact", "fields": {"Email": "identifiers.email", "LastName": "traits.family_name"}}]


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with playing() as opened:
        opened.page_size = 20
        opened.records = {"Contact": [sf_contact(number, START + number * SECOND) for number in range(45)]}
        yield opened


def test_another_mapping_reads_its_object_from_the_start_and_takes_what_it_tells_now(
    graph: Graph, crm: FakeCrm
) -> None:
    case = Case(graph, crm, "salesforce")
    case.sync()
    assert shown_connection(case.connection())["read_anew"] == []
    changed = shown_connection(case.change(objects=OTHER))
    assert (changed["read_anew"], changed["cursors"]) == (["Contact"], {})
    job = case.sync()
    assert (job.state, job.counts.accepted, job.counts.duplicates) == ("done", 45, 0)
    assert "WHERE" not in crm.queries[-1]
    live = live_profiles(graph, case.brand.id)
    assert (len(live), {profile.event_count for profile in live}) == (45, {2})
    shown = shown_connection(case.connection())
    assert (shown["read_anew"], list(shown["cursors"])) == ([], ["Contact"])
    # The same mapping again counts nothing twice, and a new pace begins nothing anew.
    paced = shown_connection(case.change(requests_per_second=50))
    assert (paced["read_anew"], paced["cursors"]) == ([], shown["cursors"])
    assert case.sync(is_full=True).counts.duplicates == 45


@pytest.mark.parametrize(
    ("change", "state", "error"),
    [
        ({"objects": OTHER}, "cancelled", CHANGED),
        ({"requests_per_second": 7}, "cancelled", CHANGED),
        ({}, "done", None),
        ({"interval_minutes": 5}, "done", None),
        (None, "cancelled", "The connection was removed."),
    ],
)
def test_a_connection_that_changes_under_a_sync_ends_it_before_another_record_is_taken(
    graph: Graph, crm: FakeCrm, change: dict[str, Any] | None, state: str, error: str | None
) -> None:
    case = Case(graph, crm, "salesforce")

    def take(brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
        taken = case.take(brand, raws)
        if change is None:
            delete_connection(graph, brand.id, "crm")
        else:
            case.change(**change)
        return taken

    job = case.work(case.begin(), case.desk(take=take))
    assert (job.state, job.error) == (state, error)
    assert case.events() == (45 if state == "done" else 20)
    if error == CHANGED:
        assert case.connection().cursors == {}, "what was read by the old one says nothing"
        assert case.sync().state == "done"


def test_a_change_while_the_crm_answers_keeps_its_page_from_being_taken(graph: Graph, crm: FakeCrm) -> None:
    case = Case(graph, crm, "salesforce")
    answer = crm.salesforce

    def changing(path: str, query: dict[str, str]) -> Any:
        if crm.locators:
            case.change(objects=OTHER)
        return answer(path, query)

    crm.salesforce = changing  # type: ignore[method-assign]
    job = case.work(case.begin())
    assert (job.state, job.counts.accepted, case.events()) == ("cancelled", 20, 20)


def test_a_sync_that_waits_ends_when_its_connection_changed_meanwhile(graph: Graph, crm: FakeCrm) -> None:
    crm.moods = [None, (429, {"Retry-After": "600"}, {})]
    case = Case(graph, crm, "salesforce")
    sync_id = case.begin()
    assert case.work(sync_id).waits_for is not None
    case.change(objects=OTHER)
    job = case.work(sync_id, case.desk(ahead=timedelta(seconds=700)))
    # It goes on with the connection of now, from the start of what that reads.
    assert (job.state, job.counts.accepted) == ("done", 65)


def _stored(graph: Graph, brand: str) -> str:
    with graph.session() as session:
        query = "MATCH (c:CrmConnection {brand: $brand}) RETURN c.secrets AS secrets"
        return str(session.run(query, brand=brand).single(strict=True)["secrets"])


def test_credentials_are_sealed_and_another_key_opens_none_of_them(
    graph: Graph, graph_settings: Settings, crm: FakeCrm
) -> None:
    case = Case(graph, crm, "salesforce")
    sealed = _stored(graph, case.brand.id)
    assert sealed.startswith("sealed:")
    assert "right" not in sealed
    assert case.sync().state == "done"
    other = graph_settings.model_copy(update={"secret_key": SecretStr("another key of another installation")})
    with Graph.connect(other) as stranger:
        assert get_connection(stranger, case.brand.id, "crm").secrets is None
        job = case.begin()
        case.graph = stranger
        ended = case.work(job)
        assert (ended.state, ended.error) == (
            "failed", "The credentials were sealed with another key than this installation's: send them again.",
        )  # fmt: skip
        with pytest.raises(ConfigurationError, match="another key"):
            case.change()
        case.graph = graph
    # One seal opens in its own place only: another connection learns nothing by it.
    with graph.session() as session:
        query = "MATCH (c:CrmConnection {brand: $brand}) SET c.name = 'other', c.key = $brand + '|other'"
        session.run(query, brand=case.brand.id).consume()
    assert get_connection(graph, case.brand.id, "other").secrets is None


def test_credentials_from_before_there_were_seals_are_used_and_sealed_with_their_next_change(
    graph: Graph, crm: FakeCrm
) -> None:
    crm.next_refresh_token = "second"
    auth = {"type": "refresh_token", "client_id": "app", "client_secret": "right", "refresh_token": "first"}
    case = Case(graph, crm, "salesforce", auth=auth)
    with graph.session() as session:
        plain = json.dumps({"client_secret": "right", "refresh_token": "first"}, sort_keys=True)
        query = "MATCH (c:CrmConnection {brand: $brand}) SET c.secrets = $plain"
        session.run(query, brand=case.brand.id, plain=plain).consume()
    assert case.sync().state == "done"
    assert case.connection().secrets == {"client_secret": "right", "refresh_token": "second"}
    assert _stored(graph, case.brand.id).startswith("sealed:")


def test_processes_that_need_the_key_at_once_make_one(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", secret_key=None)
    with ThreadPoolExecutor(8) as pool:
        marks = set(pool.map(lambda _: Seals(settings).mark, range(16)))
    assert len(marks) == 1
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret.key"]
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o077 == 0
    with pytest.raises(ConfigurationError):
        _ = Seals(settings.model_copy(update={"secret_key": SecretStr("short")})).mark
