"""CSV files over HTTP: what is detected, mapped, tried out, refused and counted; limits and other brands."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from core.brand import BrandSettings
from core.clock import utc_now
from core.events import RawEvent
from core.settings import Settings
from graph.commit import commit_batch
from ingest.committer import Outcome
from ingest.csv_files.files import spool_folder
from ingest.csv_files.run import Desk, work_on
from ingest.steps import to_incoming
from tests.integration.api.conftest import Tenant, client_of, serving

PATH = "/api/integrations/csv"
ORDERS = (
    "E-Mail,Phone,First Name,Order ID,Total,Currency,Order Date\n"
    "ann@example.com,+1 415 555 0101,Ann,A-1,10.50,USD,2026-03-01T10:00:00Z\n"
    "bob@example.com,,Bob,A-2,20.00,USD,2026-03-02\n"
    "ann@example.com,,,A-3,5.25,USD,2026-03-03 08:30:00\n"
)


def upload(client: httpx.Client, content: str | bytes, name: str = "orders.csv", **fields: str) -> httpx.Response:
    data = content.encode() if isinstance(content, str) else content
    return client.post(PATH, files={"file": (name, data, "text/csv")}, data=fields)


def imported(tenant: Tenant, content: str | bytes, **fields: str) -> dict[str, Any]:
    answer = upload(tenant.client, content, **fields)
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    assert job["state"] == "done", job
    return job


def counts(job: dict[str, Any]) -> tuple[int, int, int, int]:
    return job["rows"], job["accepted"], job["rejected"], job["duplicates"]


def profile(tenant: Tenant, email: str) -> dict[str, Any]:
    answer = tenant.client.get("/api/profiles/lookup", params={"type": "email", "value": email})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def rejected(tenant: Tenant, job: dict[str, Any]) -> list[list[str]]:
    answer = tenant.client.get(f"{PATH}/{job['id']}/rejected")
    assert answer.status_code == 200
    delimiter = job["options"]["delimiter"]
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


@pytest.mark.parametrize("name", ["заказы.csv", "Bestellungen für März.csv", "注文.csv"])
def test_a_file_may_be_named_in_any_script(tenant: Tenant, name: str) -> None:
    answer = upload(tenant.client, ORDERS, name, dry_run="true")
    assert (answer.status_code, answer.json()["name"]) == (200, name)


def test_a_file_becomes_orders_of_people_with_the_trust_imported(tenant: Tenant) -> None:
    job = imported(tenant, ORDERS)
    assert counts(job) == (3, 3, 0, 0)
    assert (job["progress"], job["error"], job["rejected_url"]) == (1.0, None, None)
    ann = profile(tenant, "ann@example.com")
    assert (ann["total_orders"], ann["lifetime_value"], ann["identifiers"]["phone"]) == (2, "15.75", ["+14155550101"])
    assert ann["traits"]["first_name"] == "Ann"
    timeline = tenant.client.get(f"/api/customer360/{ann['id']}/timeline").json()["items"]
    assert [item["occurred_at"] for item in timeline] == ["2026-03-03T08:30:00Z", "2026-03-01T10:00:00Z"]
    event = tenant.client.get(f"/api/events/{timeline[1]['event_id']}").json()
    assert (event["type"], event["trust"], event["channel"], event["source"]) == (
        "purchase", "imported", "import", "csv",
    )  # fmt: skip
    assert tenant.client.get(f"{PATH}/{job['id']}").json() == job


def test_the_same_file_again_counts_nothing_twice(tenant: Tenant) -> None:
    first, second = imported(tenant, ORDERS), imported(tenant, ORDERS, name="again.csv")
    assert first["id"] != second["id"]
    assert counts(second) == (3, 0, 0, 3)
    assert profile(tenant, "ann@example.com")["lifetime_value"] == "15.75"


def test_equal_rows_of_one_file_are_two_events_unless_they_name_themselves(tenant: Tenant) -> None:
    row = "a@example.com,page_view,2026-01-01\n"
    assert counts(imported(tenant, "email,type,date\n" + row + row)) == (2, 2, 0, 0)
    named = "email,type,date,message_id\n" + (row.strip() + ",m-1\n") * 2
    assert counts(imported(tenant, named)) == (2, 1, 0, 1)
    later = "email,type,date,message_id\n" + row.strip() + ",m-1\n" + row.strip() + ",m-2\n"
    assert counts(imported(tenant, later)) == (2, 1, 0, 1)


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t"), ("utf-16-le", ","), ("cp1252", ";"), ("cp1250", "|")],
)
def test_encoding_and_delimiter_are_detected(tenant: Tenant, encoding: str, delimiter: str) -> None:
    name = {"cp1250": "Łódź"}.get(encoding, "Zürich")
    rows = [["E-Mail", "City", "Note"], ["c@example.com", name, "a, b; c"], ["d@example.com", name, "x\ny"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    job = imported(tenant, text.getvalue().encode(encoding))
    assert job["options"]["delimiter"] == delimiter
    assert counts(job) == (2, 2, 0, 0)
    assert profile(tenant, "c@example.com")["traits"]["city"] == name


def test_a_stated_encoding_and_delimiter_count_before_what_is_detected(tenant: Tenant) -> None:
    content = "E-Mail|City\ne@example.com|Malmö\n".encode("mac_roman")
    imported(tenant, content, encoding="mac_roman", delimiter="|")
    assert profile(tenant, "e@example.com")["traits"]["city"] == "Malmö"


def test_a_mapping_names_targets_types_decimals_dates_and_zones(tenant: Tenant) -> None:
    content = (
        "Kunde;Art;Nr;Summe;Wann;Geheim;Punkte\n"
        "k@example.com;Kauf;B-1;1.234,56 €;24.12.2025 18:00;x;7\n"
        "k@example.com;Storno;B-1;;25.12.2025 18:00;y;\n"
        "k@example.com;Kauf;B-2;10,00;26.12.2025 00:30;z;9\n"
    )
    mapping = {"Kunde": "email", "Art": "type", "Nr": "payload.order_id", "Summe": "payload.total",
               "Wann": "occurred_at", "geheim": None, "Punkte": "traits.points"}  # fmt: skip
    job = imported(
        tenant, content, mapping=json.dumps(mapping), decimal=",", date_format="%d.%m.%Y %H:%M",
        event_types=json.dumps({"kauf": "purchase", "Storno": "order_cancelled"}), time_zone="Europe/Berlin",
        source="shop",
    )  # fmt: skip
    assert counts(job) == (3, 3, 0, 0)
    found = profile(tenant, "k@example.com")
    assert (found["total_orders"], found["lifetime_value"], found["traits"]["points"]) == (1, "10.00", "9")
    timeline = tenant.client.get(f"/api/customer360/{found['id']}/timeline").json()["items"]
    assert timeline[0]["occurred_at"] == "2025-12-25T23:30:00Z"
    assert "x" not in json.dumps(tenant.client.get(f"/api/events/{timeline[2]['event_id']}").json()["payload"])


def test_rows_of_one_order_are_its_lines_when_asked_for(tenant: Tenant) -> None:
    content = (
        "email,order_id,date,sku,qty,price,currency\n"
        "l@example.com,C-1,2026-01-01,P1,2,3.00,USD\n"
        ",C-1,2026-01-01,P2,1,4.00,USD\n"
        "l@example.com,C-2,2026-01-02,P1,1,3.00,USD\n"
    )
    assert counts(imported(tenant, content, order_lines="true", type="purchase")) == (3, 3, 0, 0)
    found = profile(tenant, "l@example.com")
    assert (found["total_orders"], found["lifetime_value"], found["event_count"]) == (2, "13.00", 2)


def test_refused_rows_come_back_with_reasons_and_can_be_mended_and_sent_again(tenant: Tenant) -> None:
    content = (
        "email,phone,type,date,note\n"
        "r@example.com,+14155550177,page_view,yesterday,=1+1\n"
        "\n"
        'r@example.com,,page_view,2026-01-01,"fine"\n'
        "r@example.com,,page_view,2026-01-01,one,too many\n"
        "r@example.com,,Page View!,2026-01-01,x\n"
    )
    job = imported(tenant, content)
    assert counts(job) == (4, 1, 3, 0)
    rows = rejected(tenant, job)
    assert rows[0] == ["import_row", "import_reason", "email", "phone", "type", "date", "note"]
    assert [row[0] for row in rows[1:]] == ["2", "5", "6"]
    assert rows[1][1] == "occurred_at: not an RFC 3339 time"
    assert rows[1][2:] == ["r@example.com", "'+14155550177", "page_view", "yesterday", "'=1+1"]
    assert [problem["row"] for problem in job["problems"]] == [2, 5, 6]
    text = io.StringIO()
    rows[1][5] = "2026-01-02"
    csv.writer(text).writerows(rows[:2])
    mended = imported(tenant, "\ufeff" + text.getvalue())
    assert counts(mended) == (1, 1, 0, 0)
    assert profile(tenant, "r@example.com")["identifiers"]["phone"] == ["+14155550177"]


def test_a_dry_run_says_what_would_happen_and_writes_nothing(tenant: Tenant) -> None:
    content = ORDERS + "no-mail,,Zoe,A-4,x,USD,2026-03-04\nz@example.com,,Zoe,A-5,1,USD,tomorrow\n"
    answer = upload(tenant.client, content, dry_run="true")
    assert answer.status_code == 200
    found = answer.json()
    assert counts(found) == (5, 4, 1, 0)
    assert (found["dry_run"], found["is_complete"], found["event_types"]) == (True, True, {"purchase": 4})
    assert found["events"][0]["row"] == 2
    assert found["events"][0]["identifiers"] == {"email": ["ann@example.com"], "phone": ["+14155550101"]}
    assert found["problems"] == [{"row": 6, "reason": "occurred_at: not an RFC 3339 time"}]
    assert "identifiers.email: not a usable e-mail address" in found["warnings"]
    assert {"column": "Total", "target": "payload.total"} in found["columns"]
    assert tenant.client.get("/api/profiles").json()["items"] == []
    assert tenant.client.get(PATH).json()["items"] == []
    imported(tenant, ORDERS)
    assert counts(upload(tenant.client, ORDERS, dry_run="true").json()) == (3, 0, 0, 3)


def test_a_dry_run_of_a_long_file_says_that_it_saw_a_part(service_settings: Settings, tenant: Tenant) -> None:
    settings = service_settings.model_copy(update={"csv_dry_run_seconds": 0.000_001})
    with serving(settings) as hasty, client_of(hasty.url, tenant.created["api_key"]) as client:
        found = upload(client, large_file(2_000), dry_run="true").json()
    assert (found["is_complete"], found["rows"]) == (False, 500)


def test_a_header_alone_is_an_import_without_rows(tenant: Tenant) -> None:
    job = imported(tenant, "email,total\n")
    assert (counts(job), job["progress"]) == ((0, 0, 0, 0), 1.0)


def test_a_file_without_identifiers_is_taken_and_a_dry_run_says_so(tenant: Tenant) -> None:
    found = upload(tenant.client, "note,total\nx,1\n", dry_run="true").json()
    assert found["notes"] == ["no column is an identifier: its rows cannot be tied to a person"]


def test_a_packed_file_and_a_packed_body_are_taken(tenant: Tenant) -> None:
    assert counts(imported(tenant, gzip.compress(ORDERS.encode()), name="orders.csv.gz")) == (3, 3, 0, 0)
    request = httpx.Request("POST", "http://x", files={"file": ("o.csv", ORDERS.encode())})
    headers = {"Content-Type": request.headers["content-type"], "Content-Encoding": "gzip"}
    answer = tenant.client.post(PATH, content=gzip.compress(request.read()), headers=headers)
    assert counts(answer.json()) == (3, 0, 0, 3)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"mapping": "{"}, "mapping"),
        ({"mapping": "[]"}, "mapping"),
        ({"mapping": '{"Nope": "email"}'}, "mapping"),
        ({"mapping": '{"Phone": "identifiers.shoe_size"}'}, "mapping"),
        ({"mapping": '{"Phone": "occurred_at"}'}, "mapping"),
        ({"event_types": '{"x": "Not A Type"}'}, "event_types"),
        ({"type": "Not A Type"}, "type"),
        ({"encoding": "klingon"}, "encoding"),
        ({"encoding": "base64"}, "encoding"),
        ({"delimiter": "ab"}, "delimiter"),
        ({"decimal": ";"}, "decimal"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"channel": "pigeon"}, "channel"),
        ({"trust": "blind"}, "trust"),
        ({"dry_run": "perhaps"}, "dry_run"),
        ({"no_such_option": "1"}, "file"),
    ],
)
def test_an_option_that_does_not_fit_is_named_and_nothing_is_kept(
    tenant: Tenant, fields: dict[str, str], field: str
) -> None:
    answer = upload(tenant.client, ORDERS, **fields)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert tenant.client.get(PATH).json()["items"] == []


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"email\na@example.com\n", {"Content-Type": "text/csv"}, 400),
        (b"x", {"Content-Type": "multipart/form-data"}, 400),
        (b"x", {"Content-Type": "multipart/form-data; boundary=b"}, 400),
        (b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\nemail\n", None, 400),
        (b"--b\r\nContent-Disposition: form-data; name=other\r\n\r\nx\r\n--b--\r\n", None, 422),
        (b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\n\r\n--b--\r\n", None, 422),
        (b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\n\x1f\x8bbroken\r\n--b--\r\n", None, 400),
        (b"--b--", {"Content-Type": "multipart/form-data; boundary=b", "Content-Encoding": "br"}, 400),
    ],
)
def test_a_body_that_is_no_upload_is_a_problem(
    tenant: Tenant, content: bytes, headers: dict[str, str] | None, status: int
) -> None:
    headers = headers or {"Content-Type": "multipart/form-data; boundary=b"}
    answer = tenant.client.post(PATH, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_file_over_the_limit_is_413_packed_or_not_and_leaves_no_file(
    service_settings: Settings, tenant: Tenant
) -> None:
    settings = service_settings.model_copy(update={"csv_max_bytes": 100_000})
    content = b"email\n" + b"a@example.com\n" * 10_000
    with serving(settings) as small, client_of(small.url, tenant.created["api_key"]) as client:
        assert upload(client, content).status_code == 413
        assert upload(client, gzip.compress(content)).status_code == 413
    assert not list((service_settings.data_dir / "imports").glob("*.part"))


def test_a_write_key_may_not_import(tenant: Tenant) -> None:
    with tenant.write_client as client:
        assert upload(client, ORDERS).status_code == 403
    with tenant.key("read") as client:
        assert upload(client, ORDERS).status_code == 403


def test_another_brands_import_is_404(new_tenant: Callable[[], Tenant]) -> None:
    owner, stranger = new_tenant(), new_tenant()
    job = imported(owner, ORDERS)
    for path in (f"{PATH}/{job['id']}", f"{PATH}/{job['id']}/rejected"):
        assert stranger.client.get(path).status_code == 404
    assert stranger.client.post(f"{PATH}/{job['id']}/cancel").status_code == 404
    assert stranger.client.get(PATH).json()["items"] == []
    assert counts(imported(stranger, ORDERS)) == (3, 3, 0, 0)


def test_imports_are_listed_in_pages_newest_first(tenant: Tenant) -> None:
    made = [imported(tenant, f"email\np{number}@example.com\n")["id"] for number in range(3)]
    first = tenant.client.get(PATH, params={"limit": 2}).json()
    second = tenant.client.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [job["id"] for job in (*first["items"], *second["items"])] == made[::-1]
    assert second["next_cursor"] is None


def test_an_import_that_is_over_cannot_be_cancelled(tenant: Tenant) -> None:
    job = imported(tenant, ORDERS)
    assert tenant.client.post(f"{PATH}/{job['id']}/cancel").status_code == 409


def large_file(rows: int) -> str:
    lines = [f"big{number}@example.com,G-{number},{number % 50}.25,USD,2026-02-01" for number in range(rows)]
    return "\n".join(["email,order_id,total,currency,date", *lines, ""])


def test_a_large_file_waits_for_a_worker_is_given_once_and_can_be_cancelled(
    tenant: Tenant, service_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = large_file(6_000)
    first, again = upload(tenant.client, content), upload(tenant.client, content)
    assert (first.status_code, again.status_code) == (202, 202)
    job = first.json()
    assert (job["state"], again.json()["id"]) == ("queued", job["id"])
    assert first.headers["location"] == f"{PATH}/{job['id']}"
    cancelled = tenant.client.post(f"{PATH}/{job['id']}/cancel").json()
    assert (cancelled["state"], cancelled["rows"]) == ("cancelled", 0)
    assert not (service_settings.data_dir / "imports" / f"{job['id']}.csv").exists()


def test_a_worker_imports_a_large_file_with_exact_counts_and_sums(tenant: Tenant, service_settings: Settings) -> None:
    job = upload(tenant.client, large_file(6_000)).json()

    def take(brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
        now = utc_now()
        return commit_batch(tenant.graph, brand, [to_incoming(raw, brand, now) for raw in raws], budget_seconds=60)

    desk = Desk(tenant.graph, spool_folder(service_settings), take, "test:worker")
    work_on(desk, BrandSettings(tenant.id), job["id"], 600)
    job = tenant.client.get(f"{PATH}/{job['id']}").json()
    assert (job["state"], *counts(job)) == ("done", 6_000, 6_000, 0, 0)
    assert profile(tenant, "big49@example.com")["lifetime_value"] == "49.25"
    assert not (service_settings.data_dir / "imports" / f"{job['id']}.csv").exists()
