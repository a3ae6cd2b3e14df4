"""The house rules find what they are there to find, and leave alone what they must."""

import pytest

from cli.house_rules import check_python, check_query

GOOD_QUERY = """// What it is for.
// params: brand
// returns: id
// mode: read
MATCH (c:Customer {brand: $brand}) RETURN c.id AS id
"""


def test_a_file_and_a_function_may_not_be_too_long() -> None:
    long_function = "def f():\n" + "    x = 1\n" * 60
    assert any("f has 61 lines" in found for found in check_python("a.py", f'"""Doc."""\n{long_function}'))
    assert any("501 lines" in found for found in check_python("a.py", '"""Doc."""\n' + "x = 1\n" * 500))
    assert list(check_python("a.py", '"""Doc."""\ndef f():\n' + "    x = 1\n" * 59)) == []


def test_a_docstring_does_not_count_towards_a_function() -> None:
    text = '"""Doc."""\ndef f():\n    """' + "words\n" * 50 + '    """\n' + "    x = 1\n" * 40
    assert list(check_python("a.py", text)) == []


@pytest.mark.parametrize(
    "query",
    ["MATCH (n) RETURN n", "UNWIND $rows AS r CREATE (:A)", "MERGE (a:B {id: 1})", "CREATE INDEX x IF NOT EXISTS"],
)
def test_cypher_outside_its_folder_is_found(query: str) -> None:
    for literal in (f'"{query}"', f'f"{query} {{x}}"'):
        found = list(check_python("graph/a.py", f'"""Doc."""\nx = 1\nquery = {literal}\n'))
        assert found == ["graph/a.py:3: Cypher stands in a file of cypher/, not here"]


def test_words_and_documentation_are_no_cypher() -> None:
    text = '"""Runs MERGE (a:B) for you."""\nTEXT = "they merge (slowly); no match (yet)"\n'
    assert list(check_python("a.py", text)) == []


def test_a_module_says_its_place() -> None:
    assert list(check_python("a.py", "x = 1\n")) == ["a.py:1: the first sentence of a file says its place in the flow"]


def test_a_query_has_a_full_header() -> None:
    assert list(check_query("a.cypher", GOOD_QUERY)) == []
    for line in ("// params: brand\n", "// returns: id\n", "// mode: read\n", "// What it is for.\n"):
        assert len(list(check_query("a.cypher", GOOD_QUERY.replace(line, "")))) == 1


def test_a_read_query_writes_nothing() -> None:
    writing = GOOD_QUERY.replace("RETURN", "SET c.seen = 1 RETURN")
    assert list(check_query("a.cypher", writing)) == ["a.cypher:1: its mode is read, but it writes"]
    assert list(check_query("a.cypher", GOOD_QUERY.replace("c.id AS", "'SET' AS"))) == []
