"""Let commands print 1 GiB of each kind, on the host and in a container, and measure the program.

``python -m tests.soak.output [BYTES]`` prints a table and exits with 1 at the first output that is
not reported and kept as it was, or takes more than 64 MiB.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from stophooks.models import MIB
from tests import flood, noise
from tests.program import Stophooks


def main(total_bytes: int = 1024 * MIB) -> int:
    """Run them all; returns the exit code."""
    sys.stdout.write(f"{'kind':<16}{'where':<12}{'s':>8}{'MB/s':>8}{'peak MiB':>10}\n")
    for kind in noise.KINDS:
        for where, image in (("host", None), ("container", flood.IMAGE)):
            with tempfile.TemporaryDirectory() as directory:
                done = _one(Path(directory), kind, total_bytes, image)
            speed = total_bytes / done.took_s / 1e6
            sys.stdout.write(
                f"{kind:<16}{where:<12}{done.took_s:>8.1f}{speed:>8.0f}"
                f"{done.peak_bytes / MIB:>10.1f}\n"
            )
            sys.stdout.flush()
    return 0


def _one(directory: Path, kind: str, total_bytes: int, image: str | None) -> flood.Flooded:
    home, state = directory / "home", directory / "state"
    home.mkdir()
    state.mkdir()
    stophooks = Stophooks(home=home, state=state, token="soak")
    place = flood.project(directory / "project", kind, total_bytes, image=image)
    done = flood.flood(stophooks, place, "run", "--format", "json")
    flood.check(done, kind, total_bytes)
    return done


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
