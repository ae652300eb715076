"""Give the program many hostile configurations and payloads: ``python -m tests.soak.bad_input``.

Arguments: how many cases (100000), in how many processes (as many as there are CPUs), and the
first seed (0). Prints counts, the slowest and the largest case; exits with 1 at the first case
that raises, hangs, or takes more than 2 s or 200 MB.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from stophooks.values import dataclass, field
from tests.hostile import CASES, Case, Judged, describe, judge


@dataclass(slots=True)
class Tally:
    """What came of the cases of one process."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    slowest: dict[str, Any] | None = None
    largest_bytes: int = 0
    largest: dict[str, Any] | None = None

    def add(self, case: Case, judged: Judged) -> None:
        self.counts[f"{case.kind}: {judged.verdict}"] += 1
        if judged.took_s > self.slowest_s:
            self.slowest_s, self.slowest = judged.took_s, describe(case)
        if judged.grown_bytes > self.largest_bytes:
            self.largest_bytes, self.largest = judged.grown_bytes, describe(case)


def worker(arguments: tuple[int, int]) -> Tally:
    """Judge this many cases from this seed."""
    number, count = arguments
    tally = Tally()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)

        @seed(number)
        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(CASES)
        def one(case: Case) -> None:
            tally.add(case, judge(case, place))

        one()
    return tally


def main(cases: int = 100_000, processes: int = os.cpu_count() or 1, first: int = 0) -> int:
    """Run them all; returns the exit code."""
    began = time.monotonic()
    # Small portions: hypothesis gets slower the more it has seen.
    portion = min(2000, cases)
    jobs = [(first + index, portion) for index in range(-(-cases // portion))]
    total: Counter[str] = Counter()
    slowest, largest = Tally(), Tally()
    with multiprocessing.Pool(processes, maxtasksperchild=5) as pool:
        for tally in pool.imap_unordered(worker, jobs):
            total += tally.counts
            slowest = max(slowest, tally, key=lambda one: one.slowest_s)
            largest = max(largest, tally, key=lambda one: one.largest_bytes)
            sys.stderr.write(f"\r{total.total()} cases")
    took_s = time.monotonic() - began
    result = {
        "cases": total.total(),
        "took_s": round(took_s),
        "counts": dict(sorted(total.items())),
        "slowest_s": round(slowest.slowest_s, 3),
        "slowest": slowest.slowest,
        "largest_growth_bytes": largest.largest_bytes,
        "largest": largest.largest,
    }
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
