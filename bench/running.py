"""One program, run to its end: how long it took, and how much memory it had."""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench import starter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Longer than anything here takes. Seconds.
PATIENCE_S = 300.0
# `ru_maxrss` is in KiB (getrusage(2) of Linux).
RSS_UNIT_BYTES = 1024
# What is quoted of a program that broke.
QUOTED_BYTES = 1000


class BrokenError(Exception):
    """A program did not do what it was started for, so that its figures would mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How a program is started.

    ``before`` is called before each run and ``after`` behind it, and neither is counted.
    ``exit_code`` is the one that says that it did its work.
    """

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str]
    stdin: bytes = b""
    exit_code: int = 0
    before: Callable[[], object] | None = None
    after: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run cost: ``peak_bytes`` of its largest process, and what it wrote to stderr."""

    seconds: float
    peak_bytes: int
    stderr: bytes = field(repr=False)


def run(call: Call, *, patience_s: float = PATIENCE_S) -> Ran:
    """Run it once, with nobody reading its output.

    Raises:
        BrokenError: It ended with another exit code, or not in time.
    """
    if call.before:
        call.before()
    with tempfile.NamedTemporaryFile() as stdin, tempfile.NamedTemporaryFile() as stderr:
        stdin.write(call.stdin)
        stdin.flush()
        request = [*call.argv], {**call.env}, call.cwd, stdin.name, stderr.name, patience_s
        code, peak, seconds, error = _ask(request)
        said = stderr.read()
    if call.after:
        call.after()
    if error or code != call.exit_code:
        how = error or f"ended with {code}, not {call.exit_code}"
        text = said[-QUOTED_BYTES:].decode(errors="replace").strip()
        raise BrokenError(f"{' '.join(call.argv)[:200]}: {how}: {text}")
    return Ran(seconds=seconds, peak_bytes=peak * RSS_UNIT_BYTES, stderr=said)


def floor_bytes() -> int:
    """The peak that is told of a program which needs less than the process that starts it."""
    return run(Call(argv=("true",), cwd="/", env={"PATH": os.defpath})).peak_bytes


def _ask(request: starter.Request) -> starter.Answer:
    """Have it done by a process that is there for this alone."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", starter.__file__],
        input=marshal.dumps(request),
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise BrokenError(f"{request[0][0]}: the process that starts it ended before")
    answer: starter.Answer = marshal.loads(done.stdout)  # noqa: S302 -- our own process's
    return answer


def output(*argv: str, cwd: str | None = None, env: Mapping[str, str] | None = None) -> str:
    """What a short program prints, or an empty text where it does not work."""
    try:
        done = subprocess.run(
            argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
