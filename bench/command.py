"""The command line: what to measure, and where the figures go."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench import measuring, page, peers, tables
from bench.document import NotResultsError, from_json, to_json
from bench.rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.values import Results

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/performance.md"
CHARTS = ROOT / "docs/performance"
FIGURES = CHARTS / "figures.json"
BROKEN = 1


def main(argv: Sequence[str]) -> int:
    """Do what is asked; 1 says that something could not be measured, whatever the figures are."""
    asked = _parser().parse_args(argv)
    if asked.list:
        for name, row in ROWS.items():
            print(f"{name:<20} {row.title}")
        return 0
    try:
        if asked.what == "setup" or asked.with_peers:
            peers.setup()
        if asked.what == "setup":
            print(peers.place())
            return 0
        if asked.what == "docs":
            page.write(from_json(FIGURES.read_text(encoding="utf-8")), PAGE, CHARTS)
            return 0
        return _measure(asked)
    except (NotResultsError, OSError, subprocess.CalledProcessError) as err:
        print(f"bench: {err}", file=sys.stderr)
        return BROKEN


def _measure(asked: argparse.Namespace) -> int:
    results = measuring.measure(
        asked.only or list(ROWS),
        quick=asked.quick,
        program=asked.program,
        image=asked.image,
        say=_say,
    )
    _keep(results, asked)
    print(tables.whole(results), end="")
    return exit_code(results)


def exit_code(results: Results) -> int:
    """Whether everything could be measured; no figure has a say in it."""
    broken = [row.row for row in results.rows if row.broken]
    if broken:
        _say(f"could not be measured in full: {', '.join(broken)}")
    return BROKEN if broken else 0


def _keep(results: Results, asked: argparse.Namespace) -> None:
    """Write whatever files are wanted."""
    if asked.docs:
        FIGURES.parent.mkdir(exist_ok=True)
        FIGURES.write_text(to_json(results), encoding="utf-8")
        page.write(results, PAGE, CHARTS)
    if asked.json:
        Path(asked.json).write_text(to_json(results), encoding="utf-8")
    if asked.charts:
        page.write_charts(results, Path(asked.charts))


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=("run", "setup", "docs"),
        default="run",
        help="run: measure (the default); setup: install the neighbours from PyPI into a private "
        "virtual environment; docs: write docs/performance.md anew from the figures beside it",
    )
    parser.add_argument("--list", action="store_true", help="name the rows, and measure nothing")
    parser.add_argument("--quick", action="store_true", help="few rounds and small sizes")
    parser.add_argument(
        "--only", action="append", metavar="ROW", choices=[*ROWS], help="this row; may be repeated"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    parser.add_argument("--charts", metavar="DIR", help="write the charts there, as SVG")
    parser.add_argument(
        "--docs", action="store_true", help="write figures, charts and tables into docs/"
    )
    parser.add_argument("--with-peers", action="store_true", help="setup first")
    parser.add_argument(
        "--program",
        metavar="PATH",
        default=os.path.join(os.path.dirname(sys.executable), "stophooks"),
        help="stophooks, as a person starts it; default: beside this Python",
    )
    parser.add_argument(
        "--image",
        default="stophooks-test/busybox:1",
        help="of containers; it needs a shell (default: %(default)s)",
    )
    return parser
