"""Let a command print without end, and look at what the program makes of it, and takes for it."""

from __future__ import annotations

import json
import shutil
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stophooks.models import MIB
from stophooks.values import dataclass
from tests import noise

if TYPE_CHECKING:
    from tests.program import Stophooks

MOST_BYTES = 64 * MIB
HEAD_BYTES, TAIL_BYTES = 60 * MIB, 4 * MIB
IMAGE = "stophooks-test/python:1"
# The end of these is shown as it is; of the others the clean-up leaves something else.
PLAIN = {"one line", "utf-8", "lines"}
# Runs the program and then writes what it took at most: a parent sees its own peak instead.
WRAPPER = """
import os, sys
peak, *sys.argv[1:] = sys.argv[1:]
from stophooks.__main__ import main

def tell():
    rows = [row for row in open("/proc/self/status") if row.startswith("VmHWM")]
    open(peak, "w").write(rows[0])

def leave(code, leave=os._exit):
    tell()
    leave(code)

os._exit = leave  # by which an agent's call ends
try:
    main()
finally:
    tell()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flooded:
    """What the call answered and took; ``stdout`` is its standard output."""

    returncode: int
    stdout: str
    stderr: str
    took_s: float
    peak_bytes: int


def project(directory: Path, kind: str, total_bytes: int, *, image: str | None) -> Path:
    """A project whose only check prints so much and fails."""
    directory.mkdir(exist_ok=True)
    shutil.copy(noise.__file__, directory)
    command: dict[str, Any] = {"command": ["python3", "noise.py", kind, str(total_bytes)]}
    if image is not None:
        command |= {"image": image, "network": "none"}
    config = {"stop": {"commands": [command]}}
    (directory / "stophooks.json").write_text(json.dumps(config))
    return directory


def flood(stophooks: Stophooks, place: Path, *args: str, stdin: bytes = b"") -> Flooded:
    """Call the program in a project and measure it."""
    peak = place / "peak"
    began = time.monotonic()
    done = stophooks.python_code(WRAPPER, str(peak), *args, cwd=place, stdin=stdin, timeout=300)
    return Flooded(
        returncode=done.returncode,
        stdout=done.stdout,
        stderr=done.stderr,
        took_s=time.monotonic() - began,
        peak_bytes=int(peak.read_text().split()[1]) * 1024,
    )


def check(done: Flooded, kind: str, total_bytes: int) -> None:
    """Hold the JSON report and the log against what was printed."""
    assert done.returncode == 1, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    assert (result["status"], result["exit_code"]) == ("failed", 1)
    assert result["stdout"]["total_bytes"] == total_bytes
    assert_log(Path(result["log_path"]), kind, total_bytes)
    if kind in PLAIN:
        # The first character may have been cut here, and the last one there.
        end = last(kind, total_bytes, 900).decode("utf-8", "replace")[3:-3].rstrip("\n")
        assert end[-200:] in result["stdout"]["text"][-400:]
    assert done.peak_bytes < MOST_BYTES, f"{done.peak_bytes / MIB:.1f} MiB"


def assert_log(path: Path, kind: str, total_bytes: int) -> None:
    """The first 60 MiB, the mark, the last 4 MiB: byte for byte."""
    assert total_bytes > HEAD_BYTES + TAIL_BYTES
    with path.open("rb") as log:
        for block in islice(noise.blocks(kind, total_bytes), HEAD_BYTES // noise.BLOCK_BYTES):
            assert log.read(len(block)) == block
        cut = total_bytes - HEAD_BYTES - TAIL_BYTES
        mark = f"\n[stophooks: {cut} bytes left out here]\n".encode()
        assert log.read(len(mark)) == mark
        assert log.read() == last(kind, total_bytes, TAIL_BYTES)


def last(kind: str, total_bytes: int, count: int) -> bytes:
    """The last bytes of the output."""
    first_block = (total_bytes - count) // noise.BLOCK_BYTES
    kept = b"".join(islice(noise.blocks(kind, total_bytes), first_block, None))
    return kept[-count:]
