"""What a CSV file is written in: its encoding from all of its bytes, its delimiter from its first rows."""

import codecs
import csv
import io
import re
from collections import Counter

import charset_normalizer

from core.errors import InvalidInputError

DELIMITERS = ",;\t|"
SAMPLE_BYTES = 256 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Where the detector is at home. It confuses the pages of Latin letters, which are told apart below.
_TOLD_BY_LETTERS = (
    "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp932", "euc_jp", "gb18030", "big5", "euc_kr",
)  # fmt: skip
_LATIN = ("cp1252", "cp1250")
# Letters of Central Europe in cp1250; the same bytes are these signs in cp1252, where no letter touches them.
_SIGNS_AT_LETTERS = re.compile(r"(?<=[^\W\d_])[£³¿¹¯¥¼¾Ÿ¶]|[£³¿¹¯¥¼¾Ÿ¶](?=[^\W\d_])")
_MOST_SIGNS = 0.05
_SAMPLE_ROWS = 60
# Half of a UTF-16 text in Latin letters are zero bytes, at odd or at even places.
_LEAST_ZEROS = 0.3


class TextProbe:
    """Sees a file's bytes as they pass and says afterwards what they are; keeps a sample of bounded size."""

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
        self._head = bytearray()
        self._odd = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes."""
        if len(self._head) < SAMPLE_BYTES:
            self._head += chunk[: SAMPLE_BYTES - len(self._head)]
        if self._decoder is not None:
            try:
                self._decoder.decode(chunk)
            except UnicodeDecodeError:
                self._decoder = None
                self._odd += chunk[:SAMPLE_BYTES]

    def encoding(self) -> str:
        """The encoding: by byte order mark, UTF-8 when the whole file is, UTF-16 by its zeros, else by its letters."""
        head = bytes(self._head)
        for mark, name in _BOMS:
            if head.startswith(mark):
                return name
        zeros = _encoding_by_zeros(head)
        if zeros is not None:
            return zeros
        if self._is_utf8():
            return "utf-8"
        return _encoding_by_letters(head + b"\n" + bytes(self._odd))

    def _is_utf8(self) -> bool:
        try:
            return self._decoder is not None and self._decoder.decode(b"", final=True) == ""
        except UnicodeDecodeError:
            return False

    @property
    def head(self) -> bytes:
        """The first bytes of the file."""
        return bytes(self._head)


def check_encoding(name: str) -> str:
    """A stated encoding by Python's name for it; raises InvalidInputError when it is none of text."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError) as error:
        raise InvalidInputError("encoding: not a known encoding", field="encoding") from error
    if not getattr(found, "_is_text_encoding", True) or found.name in {"idna", "punycode", "unicode_escape", "utf-7"}:
        raise InvalidInputError("encoding: not a known encoding", field="encoding")
    return "utf-8-sig" if found.name == "utf-8" else found.name


def check_delimiter(text: str) -> str:
    """A stated delimiter, `tab` and `\\t` included; raises InvalidInputError when it is not one character."""
    delimiter = {"tab": "\t", "\\t": "\t"}.get(text.lower(), text)
    if len(delimiter) != 1 or delimiter in '"\r\n\0' or delimiter.isalnum():
        raise InvalidInputError("delimiter: must be one character, or tab", field="delimiter")
    return delimiter


def detect_delimiter(head: bytes, encoding: str) -> str:
    """The delimiter under which the first rows agree on their columns and have most; a comma when none has two."""
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head).removeprefix("\ufeff")
    lines = text.splitlines(keepends=True)
    whole = lines if len(head) < SAMPLE_BYTES or len(lines) < 2 else lines[:-1]  # noqa: PLR2004 (a cut last line)
    return max(DELIMITERS, key=lambda delimiter: _fit("".join(whole), delimiter))


def _fit(text: str, delimiter: str) -> float:
    """How well a delimiter explains the rows: share of rows with the usual number of columns, more columns better."""
    widths: Counter[int] = Counter()
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if row:
                widths[len(row)] += 1
            if widths.total() >= _SAMPLE_ROWS:
                break
    except csv.Error:
        return 0.0
    if not widths:
        return 0.0
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    return 0.0 if width == 1 else count / widths.total() + min(width, 100) / 1000


def _encoding_by_zeros(head: bytes) -> str | None:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) < _LEAST_ZEROS * len(head) / 2 or not head:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _encoding_by_letters(sample: bytes) -> str:
    best = charset_normalizer.from_bytes(sample, cp_isolation=[*_TOLD_BY_LETTERS, *_LATIN]).best()
    if best is not None and best.encoding in _TOLD_BY_LETTERS:
        return best.encoding
    western = sample.decode("cp1252", "replace")
    foreign = sum(1 for letter in western if ord(letter) > 127)  # noqa: PLR2004 (beyond ASCII)
    return "cp1250" if len(_SIGNS_AT_LETTERS.findall(western)) > _MOST_SIGNS * foreign else "cp1252"
