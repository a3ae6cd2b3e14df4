"""House rules that no ready-made tool knows: sizes of files and functions, and where and how Cypher is written."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
PACKAGES = (
    "core", "embedded", "resolver", "graph", "insight", "ml", "ingest", "engage", "brands", "privacy", "api", "cli",
)  # fmt: skip

_CYPHER = re.compile(
    r"\b(?:(?:OPTIONAL\s+)?MATCH|MERGE|CREATE)\s*\(|\bUNWIND\s+\$|\bDETACH\s+DELETE\b|\b(?:CREATE|DROP)\s+(?:CONSTRAINT|INDEX)\b"
)
_HEADER = ("params", "returns", "mode")
_MODES = frozenset({"read", "write"})


def find_violations(root: Path) -> Iterator[str]:
    """Every violation below `root` as `file:line: what`, in order of files."""
    for folder in (*PACKAGES, "tests"):
        for path in sorted((root / folder).rglob("*.py")):
            name = str(path.relative_to(root))
            yield from check_python(name, path.read_text(encoding="utf-8"), may_hold_cypher=folder == "tests")
    for path in sorted((root / "cypher").rglob("*.cypher")):
        yield from check_query(str(path.relative_to(root)), path.read_text(encoding="utf-8"))


def check_python(name: str, text: str, *, may_hold_cypher: bool = False) -> Iterator[str]:
    """Violations of one Python file: its size, its functions' sizes, Cypher in its texts, a missing docstring."""
    lines = text.count("\n")
    if lines > MAX_FILE_LINES:
        yield f"{name}:1: {lines} lines; a file has at most {MAX_FILE_LINES}"
    tree = ast.parse(text, name)
    if tree.body and ast.get_docstring(tree) is None and not may_hold_cypher:
        yield f"{name}:1: the first sentence of a file says its place in the flow"
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = _function_lines(node)
            if length > MAX_FUNCTION_LINES:
                yield f"{name}:{node.lineno}: {node.name} has {length} lines; at most {MAX_FUNCTION_LINES} are allowed"
    if not may_hold_cypher:
        for line, found in _texts(tree):
            if _CYPHER.search(found):
                yield f"{name}:{line}: Cypher stands in a file of cypher/, not here"


def _function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, docstring and decorators not counted."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def _texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """All string constants but those that stand alone as documentation."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


def check_query(name: str, text: str) -> Iterator[str]:
    """Violations of one query file: its header says purpose, parameters, returns and mode."""
    header = []
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        header.append(line.removeprefix("//").strip())
    if not header or header[0].split(":")[0] in _HEADER:
        yield f"{name}:1: the first line says the purpose: // purpose"
    fields = {key: value.strip() for key, _, value in (line.partition(":") for line in header) if key in _HEADER}
    for key in _HEADER:
        if not fields.get(key):
            yield f"{name}:1: the header has no line // {key}: …"
    if fields.get("mode") and fields["mode"] not in _MODES:
        yield f"{name}:1: mode is read or write"
    body = "\n".join(line.split("//")[0] for line in text.splitlines())
    if fields.get("mode") == "read" and re.search(r"\b(?:MERGE|CREATE|SET|DELETE|REMOVE)\b", _without_texts(body)):
        yield f"{name}:1: its mode is read, but it writes"


def _without_texts(query: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"]*\"", "''", query)
