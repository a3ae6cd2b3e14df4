"""Files in: a multipart body is written to disk while it comes, in memory of one piece, packed or not."""

import asyncio
import re
import secrets
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from core.errors import InvalidInputError, MalformedBodyError, TooLargeError, UnavailableError

FILE_FIELD = "file"
MAX_FIELDS = 50
MAX_FIELD_BYTES = 256 * 1024
_LONGEST_NAME = 200
# Written and hashed in a thread in pieces of this size: a large file must not hold up other requests.
_PIECE = 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WBITS = 31
_DIGEST_BYTES = 16
_FULL_DISK_SECONDS = 60
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff/\\]")

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

See = Callable[[bytes], None]


@dataclass(slots=True)
class Upload:
    """A file as received: where it is, its name, plain size in bytes and digest, and the text fields beside it."""

    path: Path
    name: str = ""
    size: int = 0
    digest: str = ""
    fields: dict[str, str] = field(default_factory=dict)


async def read_upload(request: Request, folder: Path, limit: int, see: See) -> Upload:
    """Write the field `file` of a multipart body below `folder`; `see` is shown its plain bytes.

    The caller removes the file. Raises TooLargeError past `limit` plain bytes, MalformedBodyError for a body that is no
    multipart or broken gzip, InvalidInputError without the field, UnavailableError when the disk is full.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise MalformedBodyError("Send the file as multipart/form-data in the field file.")
    upload = Upload(folder / f"upload-{secrets.token_hex(16)}.part")
    sink = _Sink(upload, limit, see)
    try:
        outer = _outer(request.headers.get("content-encoding"))
        parser = MultipartParser(options[b"boundary"], sink.callbacks())

        def feed(piece: bytes) -> None:
            for part in outer.plain(piece):
                parser.write(part)

        await _pass_on(request, feed)
        outer.check_end()
        await asyncio.to_thread(sink.finish)
    except BaseException as error:
        sink.close()
        upload.path.unlink(missing_ok=True)
        if isinstance(error, MultipartParseError):
            raise MalformedBodyError("The body is not valid multipart/form-data.") from error
        if isinstance(error, OSError):
            raise UnavailableError("There is no room for the file.", retry_after=_FULL_DISK_SECONDS) from error
        raise
    return upload


async def _pass_on(request: Request, feed: See) -> None:
    """Give the body to `feed` piece by piece, in a thread."""
    waiting = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        waiting += message.get("body", b"")
        is_last = not message.get("more_body", False)
        if len(waiting) >= _PIECE or is_last:
            await asyncio.to_thread(feed, bytes(waiting))
            waiting.clear()
        if is_last:
            return


def _outer(encoding: str | None) -> "_Inflater":
    name = (encoding or "identity").strip().lower()
    if name not in {"identity", "gzip", "x-gzip", ""}:
        raise MalformedBodyError("This Content-Encoding is not supported, send gzip or plain.")
    return _Inflater(is_gzip=name in {"gzip", "x-gzip"})


class _Inflater:
    """Plain bytes out of what is gzip or is not; a bomb comes out piece by piece, so that limits can stop it."""

    def __init__(self, *, is_gzip: bool) -> None:
        self._inflater = zlib.decompressobj(_GZIP_WBITS) if is_gzip else None

    def plain(self, piece: bytes) -> Iterator[bytes]:
        """The plain bytes of the next piece."""
        if self._inflater is None:
            yield piece
            return
        while piece:
            if self._inflater.eof:
                # Another member follows.
                self._inflater = zlib.decompressobj(_GZIP_WBITS)
            try:
                yield self._inflater.decompress(piece, _PIECE)
            except zlib.error as error:
                raise MalformedBodyError("The gzip data is broken.") from error
            piece = self._inflater.unconsumed_tail or self._inflater.unused_data

    def check_end(self) -> None:
        """Raise MalformedBodyError when the data broke off."""
        if self._inflater is not None and not self._inflater.eof:
            raise MalformedBodyError("The gzip data ends too early.")


class _Sink:
    """Takes the parts of a multipart body: the file to disk, text fields to memory within limits."""

    def __init__(self, upload: Upload, limit: int, see: See) -> None:
        self._upload = upload
        self._limit = limit
        self._see = see
        self._file: BinaryIO | None = None
        self._inner: _Inflater | None = None
        self._digest = blake2b(digest_size=_DIGEST_BYTES)
        self._header = (bytearray(), bytearray())
        self._headers: dict[str, str] = {}
        self._name = ""
        self._text = bytearray()
        self._is_ended = False

    def callbacks(self) -> "MultipartCallbacks":
        """What the parser calls."""
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_content,
            "on_part_data": self._add,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def finish(self) -> None:
        """Check that everything has come."""
        if not self._is_ended:
            raise MalformedBodyError("The body is not valid multipart/form-data: its end is missing.")
        if self._file is None:
            raise InvalidInputError("file: missing", field=FILE_FIELD)
        if self._inner is not None:
            self._inner.check_end()
        self._file.close()
        self._upload.digest = self._digest.hexdigest()

    def _begin_part(self) -> None:
        self._headers = {}
        self._text.clear()

    def _end_header(self) -> None:
        # Byte for byte: the options of a header are made bytes of again before they are read as UTF-8.
        name, value = (bytes(part).decode("latin-1") for part in self._header)
        self._headers[name.lower()] = value
        for part in self._header:
            part.clear()

    def _begin_content(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition"))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._name != FILE_FIELD:
            if len(self._upload.fields) >= MAX_FIELDS or self._name in self._upload.fields:
                raise InvalidInputError("body: too many fields, or one twice", field="body")
            return
        if self._file is not None:
            raise InvalidInputError("file: send one file", field=FILE_FIELD)
        self._upload.name = _clean_name(options.get(b"filename", b""))
        self._file = self._upload.path.open("xb")
        self._upload.path.chmod(0o600)

    def _add(self, data: bytes, start: int, end: int) -> None:
        if self._name != FILE_FIELD:
            self._text += data[start:end]
            if len(self._text) > MAX_FIELD_BYTES:
                raise TooLargeError(f"A text field is over {MAX_FIELD_BYTES} bytes.")
            return
        piece = data[start:end]
        if self._inner is None:
            if not piece:
                return
            # Two bytes tell; a first piece of a single one is no file that anybody packed.
            self._inner = _Inflater(is_gzip=piece.startswith(_GZIP_MAGIC))
        for plain in self._inner.plain(piece):
            self._write(plain)

    def _write(self, piece: bytes) -> None:
        assert self._file is not None  # noqa: S101 (opened when the part began)
        self._upload.size += len(piece)
        if self._upload.size > self._limit:
            raise TooLargeError(f"file: over {self._limit} bytes", field=FILE_FIELD)
        self._file.write(piece)
        self._digest.update(piece)
        self._see(piece)

    def _end_part(self) -> None:
        if self._name != FILE_FIELD:
            try:
                self._upload.fields[self._name] = self._text.decode()
            except UnicodeDecodeError as error:
                raise MalformedBodyError("A text field is not UTF-8.") from error

    def _end(self) -> None:
        self._is_ended = True


def _clean_name(raw: bytes) -> str:
    """The last part of a file name as sent, as text that can be shown."""
    name = raw.decode("utf-8", "replace").replace("\\", "/").rpartition("/")[2]
    return _NOT_IN_NAMES.sub("", name)[:_LONGEST_NAME]
