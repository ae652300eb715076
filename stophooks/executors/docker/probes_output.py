"""Probes of what goes in and comes out: output to the byte, standard input, the environment."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from stophooks.executors.docker.probe import (
    Judgement,
    Probe,
    Question,
    asking,
    fails,
    kept,
    quoted,
)
from stophooks.models import MIB
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.executors.docker.probe import Bench, Seen

THEME = "output"
EVERY_BYTE = bytes(range(256))
# The same on every run, so that a failure can be looked at again; no secret.
RANDOM_SEED = 20261121
ODD_VALUES = (
    ("EMPTY", ""),
    ("SPACES", "  a  b  "),
    ("LINES", "one\ntwo\n"),
    ("QUOTES", "'\"`$(echo no)\\"),
    ("EQUALS", "a=b=c"),
    ("WORDS", "\u00e9\u4e16\U0001f600"),
    ("DOLLAR", "$HOME ${PATH}"),
)
# What engines themselves put in: Docker's documentation of `run`, and Podman's (read 2026-11-21).
ENGINES_OWN = frozenset({"PATH", "HOSTNAME", "HOME", "TERM", "container"})
# A variable of the host that no container may have.
CANARY = "STOPHOOKS_PROBE_CANARY"


def every_byte(seen: Seen) -> Judgement:
    """All 256 values came as they are."""
    return _exact(seen, EVERY_BYTE)


def megabyte(seen: Seen) -> Judgement:
    """Every byte of a large output came, in order."""
    return _exact(seen, noise())


def noise() -> bytes:
    """A megabyte without any pattern."""
    return random.Random(RANDOM_SEED).randbytes(MIB)  # noqa: S311 -- no secret


def _exact(seen: Seen, wanted: bytes) -> Judgement:
    if len(seen.stdout) != len(wanted):
        return fails(f"{len(seen.stdout)} bytes, not {len(wanted)}")
    found, right = (hashlib.sha256(data).hexdigest()[:12] for data in (seen.stdout, wanted))
    return kept(found == right, f"{len(wanted)} bytes, sha256 {right}", f"sha256 {found}")


def apart(seen: Seen) -> Judgement:
    """Each stream has its own."""
    both = (seen.stdout, seen.stderr)
    said = f"stdout {quoted(both[0])}, stderr {quoted(both[1])}"
    return kept(both == (b"out\n", b"err\n"), "apart", said)


def unfinished(seen: Seen) -> Judgement:
    """A last line without its newline is there, and has none."""
    return kept(seen.stdout == b"a\nb", "kept", f"came as {quoted(seen.stdout)}")


def no_input(seen: Seen) -> Judgement:
    """Reading standard input ends at once."""
    return kept(seen.stdout == b"end\n", "empty", f"read {quoted(seen.stdout)}")


def nothing_more(seen: Seen) -> Judgement:
    """No variable is there that neither configuration, image nor engine names."""
    known = ENGINES_OWN | {item.partition("=")[0] for item in seen.bench.image_env} | {"GIVEN"}
    found = _environment(seen)
    if found.get("GIVEN") != "yes":
        return fails("the configured variable is not there")
    extra = sorted(set(found) - known)
    return kept(not extra, "what is configured", f"more: {', '.join(extra)}")


def odd_values(seen: Seen) -> Judgement:
    """Every value came as it was written."""
    found = _environment(seen)
    wrong = [name for name, value in ODD_VALUES if found.get(name) != value]
    return kept(not wrong, f"{len(ODD_VALUES)} values", f"changed: {', '.join(wrong)}")


def _environment(seen: Seen) -> dict[str, str]:
    """``/proc/<pid>/environ`` (proc_pid_environ(5))."""
    pairs = (item.partition("=") for item in seen.text.split("\0") if item)
    return {name: value for name, _, value in pairs}


def _cat(bench: Bench, data: bytes) -> Question:
    Path(bench.project, "data").write_bytes(data)
    return Question(run="cat /workspace/data")


def _environ(*env: tuple[str, str]) -> Question:
    # Without a shell, which would add variables of its own.
    return Question(argv=("cat", "/proc/self/environ"), env=env)


PROBES = (
    Probe(
        theme=THEME,
        name="every byte",
        expects="output keeps every byte value as it is",
        ask=lambda bench: _cat(bench, EVERY_BYTE),
        judge=every_byte,
    ),
    Probe(
        theme=THEME,
        name="a megabyte",
        expects="a megabyte of random output comes whole",
        ask=lambda bench: _cat(bench, noise()),
        judge=megabyte,
    ),
    Probe(
        theme=THEME,
        name="stdout and stderr",
        expects="the two streams stay apart",
        ask=asking("echo out; echo err >&2"),
        judge=apart,
    ),
    Probe(
        theme=THEME,
        name="no last newline",
        expects="a last line without newline is kept as it is",
        ask=asking("printf 'a\\nb'"),
        judge=unfinished,
    ),
    Probe(
        theme=THEME,
        name="standard input",
        expects="standard input is empty",
        ask=asking("cat; echo end"),
        judge=no_input,
    ),
    Probe(
        theme=THEME,
        name="environment",
        expects="only what is configured is in the environment",
        ask=lambda _bench: _environ(("GIVEN", "yes")),
        judge=nothing_more,
    ),
    Probe(
        theme=THEME,
        name="odd values",
        expects="empty, quoted and many-lined values come as they are",
        ask=lambda _bench: _environ(*ODD_VALUES),
        judge=odd_values,
    ),
)
