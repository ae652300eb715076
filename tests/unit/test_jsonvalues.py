"""JSON as `json` has it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stophooks import jsonvalues

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_written_is_what_json_would_write_and_is_read_back(value: Any) -> None:
    text = jsonvalues.dumps(value)

    assert text == json.dumps(value)
    assert jsonvalues.dumps(value, sort_keys=True, compact=True) == json.dumps(
        value, sort_keys=True, separators=(",", ":")
    )
    assert jsonvalues.loads(f" \n{text}\t") == json.loads(text)


def test_the_first_value_is_told_from_what_follows() -> None:
    assert jsonvalues.first('  {"a": [1]} and more') == ({"a": [1]}, 12)


def test_what_has_no_json_form_is_refused() -> None:
    ring: list[Any] = []
    ring.append(ring)

    with pytest.raises(TypeError, match="a set has no JSON form"):
        jsonvalues.dumps({"a": {1}})
    with pytest.raises(ValueError, match="Circular"):
        jsonvalues.dumps(ring)
