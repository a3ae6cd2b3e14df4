"""A CRM on a real port: plays Salesforce, HubSpot and a plain REST API over one set of records, and fails as told."""

import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Reply = tuple[int, dict[str, str], Any]


def sf_time(at: datetime) -> str:
    """A time as Salesforce writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"


def iso(at: datetime) -> str:
    """A time as HubSpot writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


@dataclass
class FakeCrm:
    """The CRM's state and its moods."""

    url: str = ""
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    contacts_of: dict[str, list[int]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    page_size: int = 200
    window: int = 10_000
    moods: list[Reply | str | None] = field(default_factory=list)
    """What the next requests get instead of an answer: a reply, `cut` (half an answer), `html`; None answers."""
    asked: list[str] = field(default_factory=list)
    searches: list[dict[str, Any]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    granted: int = 0
    next_refresh_token: str | None = None
    written: list[dict[str, Any]] = field(default_factory=list)
    """Records as the CRM was told of them, one after the other: id and fields."""
    writes: list[tuple[str, str]] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    """Id → why the CRM takes nothing of this record."""
    locators: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def answer(  # noqa: PLR0911 (one for each API)
        self, path: str, headers: dict[str, str], body: bytes, method: str = "GET"
    ) -> Reply | str:
        parts = urlsplit(path)
        self.asked.append(parts.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.endswith("/token"):
            return self.grant({name: values[0] for name, values in parse_qs(body.decode()).items()})
        mood = self.moods.pop(0) if self.moods else None
        if mood is not None:
            return mood
        if self.tokens and headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, {}, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
        if method in {"PATCH", "PUT"} or parts.path.endswith("/batch/update"):
            self.writes.append((method, parts.path))
            return self.write(parts.path, json.loads(body))
        if parts.path.startswith("/services/data"):
            return self.salesforce(parts.path, query)
        if parts.path.startswith("/crm/v4/associations"):
            return self.associations(json.loads(body))
        if parts.path.startswith("/crm/v3"):
            return self.hubspot(parts.path.split("/")[4], json.loads(body))
        return self.rest(parts.path, query)

    def grant(self, form: dict[str, str]) -> Reply:
        if form.get("client_secret") != "right":
            return 400, {}, {"error": "invalid_grant", "error_description": "authentication failure"}
        self.granted += 1
        token = f"token-{self.granted}"
        self.tokens = {token}
        more = {"refresh_token": self.next_refresh_token} if self.next_refresh_token else {}
        return 200, {}, {"access_token": token, "instance_url": self.url, "token_type": "Bearer", **more}

    def write(self, path: str, body: Any) -> Reply:
        if path.endswith("/composite/sobjects"):
            assert body.keys() == {"allOrNone", "records"}
            assert len(body["records"]) <= 200
            return 200, {}, [self.write_salesforce(record) for record in body["records"]]
        if path.endswith("/batch/update"):
            return self.write_hubspot(body["inputs"])
        record_id = path.rpartition("/")[2]
        if record_id in self.broken:
            return int(self.broken[record_id]), {}, {"code": "refused"}
        self.written.append({"id": record_id, **body})
        return 204, {}, None

    def write_salesforce(self, record: dict[str, Any]) -> dict[str, Any]:
        if record["id"] in self.broken:
            error = {"statusCode": self.broken[record["id"]], "message": "values of somebody", "fields": []}
            return {"id": record["id"], "success": False, "errors": [error]}
        self.written.append({name: value for name, value in record.items() if name != "attributes"})
        return {"id": record["id"], "success": True, "errors": []}

    def write_hubspot(self, inputs: list[dict[str, Any]]) -> Reply:
        assert len(inputs) <= 100
        if any(self.broken.get(one["id"]) == "whole" for one in inputs):
            return 400, {}, {"status": "error", "category": "VALIDATION_ERROR", "message": "values of somebody"}
        bad = [one["id"] for one in inputs if one["id"] in self.broken]
        good = [one for one in inputs if one["id"] not in self.broken]
        self.written += [{"id": one["id"], **one["properties"]} for one in good]
        errors = [{"status": "error", "category": "OBJECT_NOT_FOUND", "context": {"ids": bad}}] if bad else []
        results = [{"id": one["id"]} for one in good]
        return 207 if bad else 200, {}, {"status": "COMPLETE", "results": results, "errors": errors}

    def salesforce(self, path: str, query: dict[str, str]) -> Reply:
        if "q" not in query:
            name = path.rpartition("/")[2]
            if name not in self.locators:
                return 400, {}, [{"message": "invalid query locator", "errorCode": "INVALID_QUERY_LOCATOR"}]
            return self.salesforce_page(self.locators.pop(name), None)
        self.queries.append(query["q"])
        found = re.fullmatch(r"SELECT (.+) FROM (\w+?)(?: WHERE (.+))? ORDER BY SystemModstamp, Id", query["q"])
        assert found is not None, query["q"]
        rows = sorted(self.records[found[2]], key=lambda row: (str(row.get("SystemModstamp")), str(row.get("Id"))))
        if found[3]:
            times = re.findall(r"\d{4}-[\dT:.\-]+Z", found[3])
            at = times[0].replace("Z", "+0000")
            behind = re.search(r"Id > '(\w+)'", found[3])
            least = (at, behind[1] + "~" if behind else "")
            rows = [row for row in rows if (str(row.get("SystemModstamp")), str(row.get("Id"))) >= least]
        return self.salesforce_page(rows, len(rows))

    def salesforce_page(self, rows: list[dict[str, Any]], total: int | None) -> Reply:
        page, rest = rows[: self.page_size], rows[self.page_size :]
        body: dict[str, Any] = {"totalSize": len(rows) if total is None else total, "done": not rest, "records": page}
        if rest:
            name = f"01g-{len(self.asked)}"
            self.locators[name] = rest
            body["nextRecordsUrl"] = f"/services/data/v59.0/query/{name}"
        return 200, {}, body

    def hubspot(self, name: str, search: dict[str, Any]) -> Reply:
        self.searches.append(search)
        assert len(search["sorts"]) == 1
        order = search["sorts"][0]["propertyName"]
        modified = "lastmodifieddate" if name == "contacts" else "hs_lastmodifieddate"
        rows = self.records[name]
        for group in search["filterGroups"]:
            for wish in group["filters"]:
                rows = [row for row in rows if _fits(row, wish, modified)]
        key = (lambda row: int(row["id"])) if order == "hs_object_id" else (lambda row: _millis(row, modified))
        rows = sorted(rows, key=key)
        begin, size = int(search.get("after", 0)), min(search["limit"], self.page_size)
        if begin + search["limit"] > self.window:
            return 400, {}, {"status": "error", "category": "VALIDATION_ERROR"}
        body: dict[str, Any] = {"total": len(rows), "results": rows[begin : begin + size]}
        if begin + size < len(rows):
            body["paging"] = {"next": {"after": str(begin + size)}}
        return 200, {}, body

    def associations(self, wish: dict[str, Any]) -> Reply:
        results = [
            {"from": {"id": one["id"]}, "to": [{"toObjectId": number} for number in self.contacts_of[one["id"]]]}
            for one in wish["inputs"]
            if one["id"] in self.contacts_of
        ]
        return 207, {}, {"status": "COMPLETE", "results": results}

    def rest(self, path: str, query: dict[str, str]) -> Reply:
        rows = self.records[path.rpartition("/")[2]]
        if "since" in query:
            since_at = datetime.fromisoformat(query["since"])
            rows = [row for row in rows if datetime.fromisoformat(row["updated_at"]) >= since_at]
        size = int(query.get("per_page", self.page_size))
        style = path.split("/")[1]
        if style == "page":
            begin = (int(query["page"]) - 1) * size
        else:
            begin = int(query.get("offset") or query.get("cursor") or query.get("at") or 0)
        page, more = rows[begin : begin + size], begin + size < len(rows)
        since = f"&since={query['since']}" if "since" in query else ""
        link = f"{path}?at={begin + size}&per_page={size}{since}" if more else None
        headers = {"Link": f'<{self.url}/x>; rel="prev", <{link}>; rel="next"'} if style == "link" and link else {}
        meta = {"cursor": str(begin + size) if more else None, "next": link}
        return 200, headers, page if style == "link" else {"data": {"items": page}, "meta": meta}


def _millis(row: dict[str, Any], modified: str) -> int:
    at = datetime.fromisoformat(row["properties"].get(modified) or row["updatedAt"])
    return (at - EPOCH) // timedelta(milliseconds=1)


def _fits(row: dict[str, Any], wish: dict[str, str], modified: str) -> bool:
    value = int(row["id"]) if wish["propertyName"] == "hs_object_id" else _millis(row, modified)
    wanted = int(wish["value"])
    return {"GTE": value >= wanted, "GT": value > wanted, "EQ": value == wanted}[wish["operator"]]


@contextmanager
def playing() -> Iterator[FakeCrm]:
    """A CRM with no records yet."""
    crm = FakeCrm()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = crm.answer(
                self.path, {name.lower(): value for name, value in self.headers.items()}, body, self.command
            )
            if isinstance(reply, str):
                self.misbehave(reply)
                return
            status, headers, content = reply
            self.send(status, headers, b"" if content is None else json.dumps(content).encode())

        do_POST = do_PATCH = do_PUT = do_GET  # noqa: N815 (names of the library)

        def misbehave(self, mood: str) -> None:
            if mood == "html":
                self.send(200, {"Content-Type": "text/html"}, b"<h1>We will be back soon</h1>")
                return
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b'{"records": [{"Id": "003')
            self.close_connection = True

        def send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        crm.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield crm
        finally:
            server.shutdown()
            thread.join()
