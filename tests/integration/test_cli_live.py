"""The thread between a run and a person's terminal."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from stophooks.cli import console
from stophooks.cli.live import QUEUE_BYTES, Live
from stophooks.models import Command, Item, Outcome, Result, Status, Stream
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S = 20.0
COMMAND = Command(name="t", project_dir="/p", run="true")


class Terminal:
    """Takes what is written once it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.shown: list[str] = []

    def write(self, text: str) -> None:
        assert self.opened.wait(LIMIT_S)
        self.shown.append(text)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """In the place of standard error."""
    terminal = Terminal()
    monkeypatch.setattr(console, "err", terminal.write)
    return terminal


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_output_is_shown_again_once_a_terminal_has_caught_up(terminal: Terminal) -> None:
    live = Live(["t"], results=False, verbose=True)
    piece = b"x" * 1023 + b"\n"
    fitting = QUEUE_BYTES // len(piece)

    for _ in range(fitting + 10):
        live.output(COMMAND, Stream.STDOUT, piece)
    terminal.opened.set()
    wait_until(lambda: len(terminal.shown) == fitting)
    live.output(COMMAND, Stream.STDOUT, b"late\n")
    live.close()

    assert terminal.shown[fitting:] == [
        "... 10 KiB not shown: this terminal is slower than the output ...",
        "t | late",
    ]


def test_a_line_without_an_end_is_shown_in_pieces_and_at_the_end(terminal: Terminal) -> None:
    terminal.opened.set()
    live = Live(["t"], results=False, verbose=True)

    live.output(COMMAND, Stream.STDOUT, b"x" * 9000)
    live.output(COMMAND, Stream.STDOUT, b"rest")
    live.finished(Result(command=COMMAND, outcome=Outcome(status=Status.PASSED)))
    live.close()

    assert terminal.shown == ["t | " + "x" * 9000, "t | rest"]


def test_lines_of_several_commands_stay_whole(terminal: Terminal) -> None:
    terminal.opened.set()
    live = Live(["a", "b"], results=False, verbose=True)
    first, second = (Command(name=name, project_dir="/p", run="true") for name in "ab")

    live.output(first, Stream.STDOUT, b"one ")
    live.output(second, Stream.STDOUT, b"two ")
    live.output(first, Stream.STDERR, b"three\n")
    live.output(first, Stream.STDOUT, b"four\nfi")
    live.output(second, Stream.STDOUT, b"ve\n")
    live.finished(Result(command=first, outcome=Outcome(status=Status.PASSED)))
    live.close()

    assert terminal.shown == ["a | three", "a | one four", "b | two ve", "a | fi"]


def test_results_wait_for_those_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(console, "out", shown.append)
    titles = ["a", "b [x]", "b [y]", "never", "c"]
    live = Live(titles, results=True, verbose=False, titles=titles)
    results = {
        title: Result(
            command=Command(name=title[0], project_dir="/p", run="true"),
            outcome=Outcome(status=Status.PASSED),
            item=Item(kind="repo", name=title[3]) if "[" in title else None,
        )
        for title in titles
    }

    for title in ("b [y]", "c", "a"):
        live.finished(results[title])
    live.settle(LIMIT_S)
    early = list(shown)
    live.finished(results["b [x]"])
    live.finished(replace(results["a"], command=replace(COMMAND, name="unknown")))
    live.close()

    assert [row.split("  ")[2].strip() for row in early] == ["a"]
    assert [row.split()[1] for row in shown] == ["a", "b", "b", "unknown", "c"]


def test_what_a_command_writes_has_no_power_over_the_terminal(terminal: Terminal) -> None:
    terminal.opened.set()
    live = Live(["t"], results=False, verbose=True)

    live.output(COMMAND, Stream.STDERR, b"\x1b[2J10%\r20%\xff\n")
    live.note(COMMAND, "pulling\x1b[2J")
    live.close()

    assert terminal.shown == ["t | 20%\ufffd", "t: pulling"]
