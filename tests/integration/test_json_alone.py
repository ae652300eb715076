"""What is no JSON is told as `json` would, where `json` was never imported."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

BROKEN = (
    "",
    " ",
    "{",
    "[1,]",
    '{"a":1} x',
    "nul",
    '"\x01"',
    "[1 2]",
    '{"a" 1}',
    '{"a":1',
    "-",
    '"',
)
ALONE = """
import sys
from stophooks import jsonvalues
assert "json" not in sys.modules and "re" not in sys.modules
try:
    jsonvalues.loads(sys.argv[1])
except ValueError as err:
    print(err)
"""


@pytest.mark.parametrize("text", BROKEN)
def test_what_json_refuses_is_refused_with_its_words(text: str) -> None:
    with pytest.raises(json.JSONDecodeError) as expected:
        json.loads(text)

    done = subprocess.run(
        [sys.executable, "-c", ALONE, text], capture_output=True, text=True, check=False, timeout=30
    )

    assert (done.stdout, done.stderr) == (f"{expected.value}\n", "")
