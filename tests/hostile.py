"""Configurations and payloads that nobody should write, and what is to come of each of them."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from stophooks import config
from stophooks.agents import claude, payload
from stophooks.hook.budget import REASON_BYTES
from stophooks.hook.explain import explain
from stophooks.models import MIB
from stophooks.reports import plan as plan_report
from stophooks.reports import problems as problem_report
from stophooks.values import dataclass
from tests.running import slowness

if TYPE_CHECKING:
    from types import FrameType

ROOT = Path(__file__).parents[1]
ENDINGS = ("yaml", "json", "toml")
# What one case may take, as the issue of this capability says: CPU seconds, and bytes.
MOST_S = 2.0
MOST_BYTES = 200 * 1000 * 1000
# How many times longer a line takes that is counted for coverage, at the most.
TRACED = 8
# A program that has loaded a small configuration has this much (measured 2026-11-21).
BASE_BYTES = 45 * MIB
HANG_S = 20

ENVIRON = {"A": "x", "EMPTY": "", "BAD": "\udcff", "LONG": "y" * 100_000}
GROWN_BYTES = 300 * 1024
TOKENS = [
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"),
    *(b"\xf0\x9f\x98\x80", b"\xe2\x80\xa8", b"\x1b[31m", b"\x07", b"\x7f", b"\xc2\x85", b"\r"),
    *(b"\n", b"\r\n", b"\t", b" ", b"  ", b"---\n", b"...\n", b"%YAML 9.9\n", b"# ", b"- "),
    *(
        b"? ",
        b": ",
        b"&a ",
        b"*a",
        b"<<: *a\n",
        b"<<: ",
        b"!!binary ",
        b"!!python/object:os.system ",
    ),
    *(b"| ", b">+9\n", b"'", b'"', b"'''", b'"""', b"\\", b"\\ud800", b"\\u0000", b"\\x00"),
    *(
        b"[",
        b"]",
        b"{",
        b"}",
        b"[[",
        b"]]",
        b",",
        b"=",
        b".",
        b"$",
        b"${",
        b"${A}",
        b"${A:-",
        b"$$",
    ),
    *(b"~", b"null", b"true", b"yes", b"-1", b"0x", b"1e999", b"-.inf", b".nan", b"9" * 400),
    *(b"9" * 5000, b"1" * 20 + b"h", b"0.0000000001s", b"1979-05-27", b"12:30:45", b"0o777"),
    *(
        b"stop:\n",
        b"commands:\n",
        b"  - run: x\n",
        b"image: a\n",
        b"[stop]\n",
        b"[[stop.commands]]\n",
    ),
    *(b"mounts: ", b"capabilities: ", b"env: ", b"env_file: /dev/zero\n", b"seccomp: /dev/zero\n"),
    *(b"env_file: .\n", b"working_dir: /proc/self/root\n", b"../" * 50, b"/" * 5000, b"~/"),
]
PAYLOAD = {
    "session_id": "a29e",
    "transcript_path": "/home/dev/a29e.jsonl",
    "hook_event_name": "Stop",
    "stop_hook_active": False,
    "last_assistant_message": "All done. ✓",
    "cwd": "/",
    "agent_id": "a1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One input: a configuration with its file's ending, or a payload (``payload``)."""

    kind: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a case took, and what came of it."""

    took_s: float
    grown_bytes: int
    verdict: str


def _corpus() -> dict[str, list[bytes]]:
    files = {ending: sorted(ROOT.glob(f"examples/*.{ending}")) for ending in ENDINGS}
    found = {ending: [path.read_bytes() for path in paths] for ending, paths in files.items()}
    return found | {"payload": [json.dumps(PAYLOAD).encode() + b"\n"]}


CORPUS = _corpus()


def mutated(seed: int) -> Case:
    """A valid input, changed in a few or many places."""
    chance = random.Random(seed)
    kind = chance.choice((*ENDINGS, "payload"))
    data = bytearray(chance.choice(CORPUS[kind]))
    for _ in range(chance.choice((1, 1, 2, 3, 5, 20))):
        data = _changed(data, chance, kind)
    return Case(kind=kind, data=bytes(data[: 2 * GROWN_BYTES]))


def _changed(data: bytearray, chance: random.Random, kind: str) -> bytearray:
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.choice((1, 1, 2, 5, 20, 100)))
    piece = bytes(data[start:end])
    token = chance.choice(TOKENS)
    # One of these many times over makes a bomb, if anything does.
    unit = chance.choice((piece, token, token + piece)) or b"x"
    times = chance.choice((100, 5000, GROWN_BYTES // len(unit)))
    other = chance.choice(CORPUS[chance.choice((*ENDINGS, kind))])
    lines = data.splitlines(keepends=True)
    chance.shuffle(lines)
    changes = (
        data[:start] + token + data[start:],
        data[:start] + token + data[end:],
        data[:start] + data[end:],
        data[:start],
        data[:start] + chance.randbytes(len(piece)) + data[end:],
        data[:start] + piece * chance.choice((2, 10, 100)) + data[start:],
        data[:start] + (unit * times)[:GROWN_BYTES] + data[start:],
        data[:start] + other[chance.randrange(len(other)) :],
        bytearray(b"".join(lines)),
    )
    return chance.choice(changes)


def _known_keys() -> list[str]:
    schema = json.loads(config.schema_text())
    objects = (schema, *schema["$defs"].values())
    return sorted({key for one in objects for key in one.get("properties", ())})


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", "x", "5m", "512m", "a:1", "${A}", "${", "host", "/a", "../a", "bind"]),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.sampled_from(_known_keys()), st.text(max_size=8)), inner, max_size=5
        ),
    ),
    max_leaves=12,
)
_COMMANDS = st.lists(
    st.dictionaries(st.sampled_from(_known_keys()), _VALUES, max_size=6), max_size=3
)
_CONFIGS = st.one_of(
    _VALUES,
    st.fixed_dictionaries(
        {"stop": st.fixed_dictionaries({"commands": st.one_of(_COMMANDS, _VALUES)})}
    ),
)
_GENERATED = st.one_of(
    # JSON is YAML too; what only one of them reads is worth the other's answer.
    st.builds(
        lambda kind, value: Case(kind=kind, data=json.dumps(value).encode()),
        st.sampled_from(["json", "yaml"]),
        _CONFIGS,
    ),
    st.builds(
        lambda value: Case(kind="payload", data=json.dumps(value).encode()),
        st.one_of(_VALUES, st.dictionaries(st.sampled_from(list(PAYLOAD)), _VALUES)),
    ),
    st.builds(
        lambda kind, data: Case(kind=kind, data=data),
        st.sampled_from([*ENDINGS, "payload"]),
        st.binary(max_size=200),
    ),
)
CASES: st.SearchStrategy[Case] = st.one_of(
    *(st.builds(mutated, st.integers(0, (1 << 63) - 1)) for _ in range(3)), _GENERATED
)


class HangError(BaseException):
    """A case has not come to its end."""


def _hang(_number: int, _frame: FrameType | None) -> None:
    raise HangError


def judge(case: Case, directory: Path) -> Judged:
    """Read the input as the program does; fails where that raises, hangs or takes too much."""
    before = signal.signal(signal.SIGALRM, _hang)
    signal.alarm(HANG_S)
    _forget_peak()
    rss = _memory("VmRSS")
    began = time.process_time()
    try:
        verdict = _payload(case, directory) if case.kind == "payload" else _config(case, directory)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    took_s = time.process_time() - began
    grown_bytes = max(0, _memory("VmHWM") - rss)
    # Measuring coverage is no part of what is measured here.
    most_s = MOST_S * (TRACED if sys.gettrace() else 1)
    assert took_s <= most_s or took_s <= most_s * slowness(), f"{took_s:.2f} s"
    assert grown_bytes <= MOST_BYTES - BASE_BYTES, f"{grown_bytes} bytes"
    return Judged(took_s=took_s, grown_bytes=grown_bytes, verdict=verdict)


def _config(case: Case, directory: Path) -> str:
    path = directory / f"stophooks.{case.kind}"
    path.write_bytes(case.data)
    loaded = config.load(str(path), environ=ENVIRON)
    if loaded.problems:
        for told in (problem_report.text(loaded.problems), problem_report.json(loaded.problems)):
            assert told.encode()
    if loaded.plan is None:
        assert any(not problem.warning for problem in loaded.problems)
        return "problems"
    assert plan_report.text(loaded.plan).encode("utf-8", "surrogateescape")
    assert plan_report.json(loaded.plan)
    return "plan"


def _payload(case: Case, directory: Path) -> str:
    path = directory / "payload"
    path.write_bytes(case.data)
    refusal = None
    with path.open("rb") as file:
        try:
            event = claude.parse(payload.read(file.fileno()), {})
        except payload.PayloadError as err:
            refusal = explain(err)
    if refusal is not None:
        assert len(refusal.encode()) <= REASON_BYTES
        return "refused"
    for place in event.directories:
        assert os.path.isabs(place)
        config.find(place, home=None)
    return "event"


def _forget_peak() -> None:
    # proc(5): "5" resets the peak of the resident set.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _memory(name: str) -> int:
    text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    row = next(line for line in text.splitlines() if line.startswith(f"{name}:"))
    return int(row.split()[1]) * 1024


def describe(case: Case) -> dict[str, Any]:
    """A case for a report: the bytes that bring it back are in ``data``."""
    return {"kind": case.kind, "size": len(case.data), "data": case.data[:500].decode("latin-1")}
