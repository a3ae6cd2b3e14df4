"""CSV files in: upload with a dry run before, progress, refused rows as a file, cancelling."""

import asyncio
import os
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.answers import JsonAnswer
from api.auth import needs
from api.openapi import answers
from api.params import PageDep
from api.routers.events import settings_of
from api.routes import CallerDep, GuardedRoute, RawRoute, ServicesDep, caller_of
from api.schemas.csv_imports import (
    IMPORT_EXAMPLE,
    UPLOAD_BODY,
    CancelCommand,
    CsvImportList,
    CsvImportShape,
)
from api.uploads import Upload, read_upload
from api.wiring import Services, services_of
from brands.directory import Caller
from core.brand import BrandSettings
from core.clock import utc_now
from core.errors import ConflictError, ForbiddenError, GoneError, UnavailableError
from core.events import RawEvent
from graph.repositories import csv_imports as repository
from graph.repositories.csv_imports import CsvImport
from ingest.committer import Outcome
from ingest.csv_files.detect import TextProbe, detect_delimiter
from ingest.csv_files.dry_run import TryOut, dry_run
from ingest.csv_files.files import read_rejected, rejected_path, remove_file, source_path, spool_folder
from ingest.csv_files.options import ImportOptions, options_from_fields
from ingest.csv_files.reading import CsvRows, Format
from ingest.csv_files.rows import RowReader
from ingest.csv_files.run import Desk, work_on

_REJECTED = "row,reason,email\r\n3,email: not usable,a@\r\n"
router = APIRouter(prefix="/api/integrations/csv", tags=["integrations"], route_class=GuardedRoute)
raw_router = APIRouter(prefix="/api/integrations/csv", tags=["integrations"], route_class=RawRoute)

# A file that takes a second or two is imported while its sender waits.
_SMALL_BYTES = 256 * 1024


@raw_router.post(
    "",
    summary="Import a CSV file",
    operation_id="import_csv",
    responses={
        **answers(CsvImportShape, 400, 401, 403, 413, 422, 503, description="Imported already: a small file."),
        202: {
            "model": CsvImportShape,
            "description": "The file is here and waits for its turn; `id` asks for its progress.",
            "content": {"application/json": {"example": IMPORT_EXAMPLE}},
        },
    },
    openapi_extra=UPLOAD_BODY,
)
@needs("ingest")
async def import_csv(request: Request) -> Response:
    """Send a file of any size as multipart in the field `file`; small ones are answered 200 when they are done.

    Larger ones are answered 202 and imported in the background. A row is known by its `message_id`, else by the file's
    content and its row number: the same file again counts nothing twice, and while an import of it is under way, that
    one is answered. With `dry_run` the answer says what would happen and nothing is written.
    """
    services, caller = services_of(request), caller_of(request)
    if caller.is_write_key:
        raise ForbiddenError("A write key is public: files are taken with an API key.")
    settings = await settings_of(services, caller.brand)
    folder = spool_folder(services.settings)
    probe = TextProbe()
    upload = await read_upload(request, folder, services.settings.csv_max_bytes, probe.feed)
    try:
        options, is_dry = options_from_fields(upload.fields)
        options = await asyncio.to_thread(_detected, options, probe)
        await asyncio.to_thread(_check_header, upload, options)
        if is_dry:
            return JsonAnswer(await asyncio.to_thread(_dry_run, services, settings, upload, options))
        # A small file is this process's own from the start: no worker takes it first.
        desk = _desk(services, asyncio.get_running_loop()) if upload.size <= _SMALL_BYTES else None
        job = await asyncio.to_thread(_store, services, caller, upload, options, desk)
    finally:
        remove_file(upload.path)
    if desk is not None:
        job = await asyncio.to_thread(_work_now, services, settings, desk, job)
    location = {"Location": f"/api/integrations/csv/{job.id}"}
    return JsonAnswer(shown(job), 200 if job.is_over else 202, location)


@router.get(
    "", summary="Imports of CSV files", operation_id="list_csv_imports",
    responses=answers(CsvImportList, 401, 403, 422, 503),
)  # fmt: skip
@needs("read")
def list_imports(page: PageDep, caller: CallerDep, services: ServicesDep) -> Response:
    """All of the brand, newest first."""
    items, cursor = repository.list_imports(services.graph, caller.brand, page)
    return JsonAnswer({"items": [shown(job) for job in items], "next_cursor": cursor})


@router.get(
    "/{import_id}", summary="How far an import is", operation_id="get_csv_import",
    responses=answers(CsvImportShape, 401, 403, 404, 503),
)  # fmt: skip
@needs("read")
def get_import(import_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """`state` is queued, running, done, failed or cancelled; counts are of rows and exact at any time."""
    return JsonAnswer(shown(repository.get_import(services.graph, caller.brand, import_id)))


@router.get(
    "/{import_id}/rejected",
    summary="The refused rows as a file",
    operation_id="get_csv_rejected",
    response_class=Response,
    responses={
        200: {
            "description": "The rows as they came, after their number and reason.",
            "content": {"text/csv": {"example": _REJECTED}},
        },
        **{code: text for code, text in answers(CsvImportShape, 401, 403, 404, 410, 503).items() if code != 200},  # noqa: PLR2004 (not the answer itself)
    },
)
@needs("read")
def get_rejected(import_id: str, caller: CallerDep, services: ServicesDep) -> Response:
    """CSV in UTF-8: mend the rows and send them again. Cells that spreadsheets would run begin with an apostrophe."""
    job = repository.get_import(services.graph, caller.brand, import_id)
    path = rejected_path(spool_folder(services.settings), job.id)
    headers = {"Content-Disposition": f'attachment; filename="{job.id}.rejected.csv"'}
    if not job.progress.rejected_bytes:
        return Response(b"", media_type="text/csv", headers=headers)
    try:
        pieces = read_rejected(path, job.progress.rejected_bytes)
    except FileNotFoundError as error:
        raise GoneError("The refused rows of this import are kept no longer.") from error
    return StreamingResponse(pieces, media_type="text/csv", headers=headers)


@router.post(
    "/{import_id}/cancel", summary="End an import", operation_id="cancel_csv_import",
    responses=answers(CsvImportShape, 400, 401, 403, 404, 409, 422, 503),
)  # fmt: skip
@needs("ingest")
def post_cancel(
    import_id: str, caller: CallerDep, services: ServicesDep, body: CancelCommand | None = None
) -> Response:
    """It stops after the batch it is at; what is stored stays. 409 when it is over already."""
    before = repository.get_import(services.graph, caller.brand, import_id)
    if before.is_over:
        raise ConflictError("The import is over.")
    job = repository.cancel_import(services.graph, caller.brand, import_id, utc_now())
    if job.is_over:
        remove_file(source_path(spool_folder(services.settings), job.id))
    return JsonAnswer(shown(job))


router.routes[:0] = raw_router.routes


def shown(job: CsvImport) -> dict[str, Any]:
    """An import as callers see it."""
    progress = job.progress
    share = 1.0 if job.state == repository.DONE else progress.bytes_read / max(1, job.size)
    return {
        "id": job.id,
        "state": job.state,
        "name": job.name,
        "size": job.size,
        "progress": round(min(1.0, share), 4),
        "rows": progress.rows,
        "accepted": progress.accepted,
        "rejected": progress.rejected,
        "duplicates": progress.duplicates,
        "warnings": progress.warnings,
        "problems": list(progress.problems),
        "options": job.options,
        "error": job.error,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "rejected_url": f"/api/integrations/csv/{job.id}/rejected" if progress.rejected else None,
    }


def _detected(options: ImportOptions, probe: TextProbe) -> ImportOptions:
    encoding = options.encoding or probe.encoding()
    return replace(options, encoding=encoding, delimiter=options.delimiter or detect_delimiter(probe.head, encoding))


def _check_header(upload: Upload, options: ImportOptions) -> None:
    """Refuse at once what no row could get past."""
    rows = CsvRows(upload.path, Format(options.encoding, options.delimiter))
    try:
        RowReader(rows.header, options, upload.digest)
    finally:
        rows.close()


def _dry_run(services: Services, settings: BrandSettings, upload: Upload, options: ImportOptions) -> dict[str, Any]:
    try_out = TryOut(upload.path, upload.digest, options, services.settings.csv_dry_run_seconds)
    found = dry_run(services.graph, settings, try_out, utc_now())
    return {"dry_run": True, "name": upload.name, "size": upload.size, "options": options.as_dict(), **found}


def _store(services: Services, caller: Caller, upload: Upload, options: ImportOptions, desk: Desk | None) -> CsvImport:
    """Put the file in its place and the import into the graph; an import of it that is under way is answered."""
    import_id = f"imp_{uuid.uuid4().hex}"
    path = source_path(spool_folder(services.settings), import_id)
    upload.path.rename(path)
    new = CsvImport(
        id=import_id, brand=caller.brand, name=upload.name, digest=upload.digest, size=upload.size,
        options=options.as_dict(), created_by=f"key:{caller.key_id}", state=repository.QUEUED, created_at=utc_now(),
    )  # fmt: skip
    # When this fails the import may be stored all the same: its file stays, and goes with the old ones if not.
    lease = desk.lease(new.created_at) if desk is not None else None
    job = repository.create_import(services.graph, new, lease)
    if job.id != import_id:
        remove_file(path)
    return job


def _desk(services: Services, loop: asyncio.AbstractEventLoop) -> Desk:
    """What this process works on a small file with, from a thread."""

    def take(brand: BrandSettings, raws: Sequence[RawEvent]) -> Sequence[Outcome]:
        # Rows of a file have their own place to wait: not one of them needs the inbox.
        return asyncio.run_coroutine_threadsafe(services.ingest.take(brand, raws, may_queue=False), loop).result()

    folder = spool_folder(services.settings)
    return Desk(services.graph, folder, take, f"api:{os.getpid()}:{os.urandom(4).hex()}")


def _work_now(services: Services, settings: BrandSettings, desk: Desk, job: CsvImport) -> CsvImport:
    """Import a small file in this process; one that is not done here is done by a worker."""
    try:
        return work_on(desk, settings, job.id, services.settings.csv_patience_seconds) or job
    except UnavailableError:
        return job
