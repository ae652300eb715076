"""What is written as YAML is read again as the same values, whatever they are, and looks well."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stophooks.config.parse import parse
from stophooks.importing.tree import Block, Items, Pair, Remark, note
from stophooks.importing.writer import render
from tests.importing import plain

awkward = st.sampled_from(
    [
        *("", " ", "a: b", "a #b", "#a", "- a", "-", "---", "...", "? a", "yes", "No", "null", "~"),
        *(
            "1",
            "1.10",
            "0x1f",
            "1e3",
            ".5",
            "-3",
            "12:30",
            "2024-01-01",
            "=",
            "<<",
            "*a",
            "&a",
            "!a",
        ),
        *(
            "[a",
            "{a",
            "a, b",
            "]",
            "%a",
            "@a",
            "`a`",
            "'a'",
            '"a"',
            "a\\b",
            "\\",
            "a:",
            ":a",
            "|",
            ">",
        ),
        *(
            "a\nb",
            "a\nb\n",
            "a\n\n",
            "\na",
            " a\nb",
            "a\n  b\n",
            "\ta\nb",
            "a\n\tb",
            "a \nb",
            "\n\n",
        ),
        *(
            "é",
            "😀",
            "\x7f",
            "\x85",
            "\u2028",
            "\ufeff",
            "\x1b[31m",
            "a\rb",
            "\u200b",
            "\u202e",
            "\x00x",
        ),
        *("$(x)", "${A}", "{{.Names}}", "a  b", " a", "a ", "true && false", 'echo "it\'s"'),
    ]
)
words = (
    awkward
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
).filter(lambda text: "\0" not in text)
scalars = st.none() | st.booleans() | st.integers(-(10**6), 10**9) | words
remarks = st.builds(Remark, text=words, lost=st.booleans())


def _trees(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    pairs = st.lists(st.tuples(words, inner), max_size=4, unique_by=lambda pair: pair[0]).map(
        lambda many: [Pair(*one) for one in many]
    )
    return st.builds(_mixed_block, pairs, st.lists(remarks, max_size=3), st.randoms()) | st.builds(
        _mixed_items, st.lists(inner, max_size=4), st.lists(remarks, max_size=2), st.randoms()
    )


def _mixed_block(pairs: list[Any], comments: list[Any], chance: Any) -> Block:
    parts = [*pairs, *comments]
    chance.shuffle(parts)
    return Block(tuple(parts))


def _mixed_items(values: list[Any], comments: list[Any], chance: Any) -> Items:
    parts = [*values, *comments]
    chance.shuffle(parts)
    return Items(tuple(parts))


values = st.recursive(scalars, _trees, max_leaves=12)
trees = st.lists(st.tuples(words, values), min_size=1, max_size=4, unique_by=lambda one: one[0])


@given(trees, remarks)
def test_any_tree_is_read_again_as_it_was(given_pairs: list[Any], comment: Remark) -> None:
    tree = Block((comment, *(Pair(*one) for one in given_pairs)))

    text = render(tree, head="Made for a test.")

    assert parse("x.yaml", text).value == plain(tree)
    assert render(tree, head="Made for a test.") == text


@given(remarks, values)
def test_what_a_comment_repeats_stays_a_comment(comment: Remark, body: Any) -> None:
    whole = Remark(text=comment.text, body=Items((body,)))
    tree = Block((whole, Pair("a", Items((1, whole))), Pair("b", Block((whole,)))))

    text = render(tree, head="x")

    assert parse("x.yaml", text).value == {"a": [1], "b": {}}


def test_it_looks_as_a_person_would_write_it() -> None:
    command = Block(
        (
            Pair("run", "set -e\nmake\n"),
            Pair("command", Items(("echo", "it's fine", "1"))),
            Pair("timeout", "5m"),
            Remark(text="color: true (there is none)"),
        )
    )
    body = Items((Block((Pair("run", "x"),)),))
    tree = Block(
        (
            note("Why it is so."),
            Pair(
                "stop", Block((Pair("fail_fast", value=True), Pair("commands", Items((command,)))))
            ),
            Remark(text="jobs:", body=body),
        )
    )

    assert render(tree, head="Made for a test.") == (
        "# Made for a test.\n"
        "\n"
        "# Why it is so.\n"
        "stop:\n"
        "  fail_fast: true\n"
        "  commands:\n"
        "    - run: |\n"
        "        set -e\n"
        "        make\n"
        '      command: [echo, "it\'s fine", "1"]\n'
        "      timeout: 5m\n"
        "      # no equal: color: true (there is none)\n"
        "\n"
        "# no equal: jobs:\n"
        "#   - run: x\n"
    )


@pytest.mark.parametrize("length", [50, 500, 5000])
def test_no_text_of_others_is_folded(length: int) -> None:
    text = "word " * length + "end"

    assert parse("x.yaml", render(Block((Pair("run", text),)), head="x")).value == {"run": text}
    assert f"run: {text}\n" in render(Block((Pair("run", text),)), head="x")
