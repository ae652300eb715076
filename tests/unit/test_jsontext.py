from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stophooks.jsontext import (
    MAX_DEPTH,
    JsonTextError,
    Node,
    insert_item,
    insert_member,
    remove,
    replace,
    scan,
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@st.composite
def layouts(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> str:
    indent = draw(st.sampled_from([None, 1, 2, 4, "\t"]))
    colon = draw(st.sampled_from([": ", ":", " : "]))
    comma = "," if indent is not None else draw(st.sampled_from([", ", ","]))
    text = json.dumps(
        draw(values),
        indent=indent,
        separators=(comma, colon),
        ensure_ascii=draw(st.booleans()),
    )
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return draw(st.sampled_from(["", newline, " "])) + text.replace("\n", newline) + newline


def every_node(node: Node) -> list[Node]:
    children = [member.node for member in node.members] + list(node.items)
    return [node] + [below for child in children for below in every_node(child)]


@given(layouts(VALUES))
def test_scan_reads_what_the_standard_parser_reads(text: str) -> None:
    node = scan(text)

    assert node.value == json.loads(text)


@given(layouts(VALUES))
def test_every_value_stands_at_its_offsets(text: str) -> None:
    nodes = every_node(scan(text))

    assert [json.loads(text[node.start : node.end]) for node in nodes] == [
        node.value for node in nodes
    ]


def test_a_member_knows_where_its_key_stands() -> None:
    text = '{ "a\\n" : [1, {"b": null}] }'

    member = scan(text).members[0]

    assert (member.key, text[member.key_start : member.key_end]) == ("a\n", '"a\\n"')
    assert [item.kind for item in member.node.items] == ["number", "object"]


def test_a_repeated_key_is_visible_and_its_last_value_counts() -> None:
    node = scan('{"a": 1, "a": 2}')

    last = node.member("a")
    assert [member.node.value for member in node.members] == [1, 2]
    assert node.value == {"a": 2}
    assert last is not None
    assert last.node.value == 2


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "expected a value; the text ends here"),
        ('{"a": 1,}', 8, 'expected a key in double quotes; found "}"'),
        ("[1,]", 3, 'expected a value; found "]"'),
        ("{'a': 1}", 1, 'expected a key in double quotes; found "\'"'),
        ('{"a": "b}', 6, "unterminated string starting"),
        ('{"a" 1}', 5, "expected ':'; found \"1\""),
        ("[1 2]", 3, "expected ',' or ']'; found \"2\""),
        ("{} x", 3, "more text after the end of the document"),
        ("01", 1, "more text after the end of the document"),
        ("NaN", 0, 'expected a value; found "N"'),
        ("\ufeff{}", 0, 'expected a value; found "\ufeff"'),
        ('"\t"', 1, "invalid control character"),
        ('"\\x"', 1, "invalid \\escape"),
        ("9" * 5000, 0, "a number with too many digits"),
        ("// no\n{}", 0, 'expected a value; found "/"'),
    ],
)
def test_text_that_is_not_json_is_refused_where_it_goes_wrong(
    text: str, offset: int, message: str
) -> None:
    with pytest.raises(JsonTextError) as refused:
        scan(text)

    assert (refused.value.offset, refused.value.message) == (offset, message)


def test_nesting_is_bounded_without_touching_the_recursion_limit() -> None:
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH

    assert scan(deepest).kind == "array"
    with pytest.raises(JsonTextError, match="nested deeper than 64 levels"):
        scan("[" * 100_000)


@given(layouts(st.dictionaries(st.text(), VALUES, max_size=5)), VALUES)
def test_an_inserted_member_can_be_removed_without_a_trace(text: str, value: Any) -> None:
    root = scan(text)

    edited = insert_member(text, root, root, "stophooks", value)

    after = scan(edited)
    assert after.value == {**root.value, "stophooks": value}
    assert remove(edited, after, len(after.members) - 1) == text


@given(layouts(st.lists(VALUES, max_size=5)), VALUES)
def test_an_inserted_item_can_be_removed_without_a_trace(text: str, value: Any) -> None:
    root = scan(text)

    edited = insert_item(text, root, root, value)

    after = scan(edited)
    assert after.value == [*root.value, value]
    assert remove(edited, after, len(after.items) - 1) == text


@given(layouts(st.lists(VALUES, min_size=1, max_size=5)), st.data())
def test_removing_any_item_leaves_the_others(text: str, data: st.DataObject) -> None:
    root = scan(text)
    index = data.draw(st.integers(min_value=0, max_value=len(root.items) - 1))

    edited = remove(text, root, index)

    assert scan(edited).value == root.value[:index] + root.value[index + 1 :]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{\n  "k": {\n    "n": 1\n  }\n}'),
        ('{"a":1}\n', '{"a":1,"k":{"n":1}}\n'),
        ('{"a": 1}', '{"a": 1, "k": {"n": 1}}'),
        ('{\n\t"a": 1\n}\n', '{\n\t"a": 1,\n\t"k": {\n\t\t"n": 1\n\t}\n}\n'),
        (
            '{\r\n    "a": 1\r\n}\r\n',
            '{\r\n    "a": 1,\r\n    "k": {\r\n        "n": 1\r\n    }\r\n}\r\n',
        ),
    ],
)
def test_an_insertion_follows_the_layout_it_finds(before: str, after: str) -> None:
    root = scan(before)

    edited = insert_member(before, root, root, "k", {"n": 1})

    assert edited == after


def test_a_one_line_list_in_a_pretty_document_stays_on_its_line() -> None:
    text = '{\n  "a": [1, 2]\n}'
    root = scan(text)

    edited = insert_item(text, root, root.members[0].node, 3)

    assert edited == '{\n  "a": [1, 2, 3]\n}'


def test_a_replacement_touches_only_its_value() -> None:
    text = '{ "a" : 1 ,\n "b": [ ] }'
    root = scan(text)

    edited = replace(text, root.members[0].node, "ü")

    assert edited == '{ "a" : "ü" ,\n "b": [ ] }'
