"""supervisord's log: what its lines say, and which of them are new."""

from __future__ import annotations

import pytest

from stophooks.lifecycles.services.supervisordlog import Log, Said, Word


def line(text: str, *, at: int = 4, level: str = "INFO") -> str:
    return f"2026-11-30 08:10:{at:02},267 {level} {text}\n"


def fresh(text: str = "") -> Log:
    log = Log()
    log.begin(text)
    return log


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("spawned: 'web' with pid 12", Said(word=Word.SPAWNED, name="web", pid=12)),
        ("spawned: 'it's' with pid 1", Said(word=Word.SPAWNED, name="it's", pid=1)),
        (
            "exited: web (exit status 3; not expected)",
            Said(word=Word.EXITED, name="web", exit_code=3),
        ),
        ("exited: web (exit status 0; expected)", Said(word=Word.EXITED, name="web", exit_code=0)),
        (
            "exited: web (terminated by SIGKILL; not expected)",
            Said(word=Word.EXITED, name="web", exit_code=137, signal=9),
        ),
        (
            "exited: web (terminated by SIGSEGV (core dumped); not expected)",
            Said(word=Word.EXITED, name="web", exit_code=139, signal=11),
        ),
        (
            "exited: web (terminated by signal 40; not expected)",
            Said(word=Word.EXITED, name="web", exit_code=168, signal=40),
        ),
        (
            "exited: web (terminated by SIGNEW; not expected)",
            Said(word=Word.EXITED, name="web"),
        ),
        ("exited: web (unknown termination cause 0x1; not expected)", None),
        ("stopped: web (exit status 0)", Said(word=Word.STOPPED, name="web", exit_code=0)),
        (
            "stopped: web (terminated by SIGTERM)",
            Said(word=Word.STOPPED, name="web", exit_code=143, signal=15),
        ),
        (
            "success: web entered RUNNING state, process has stayed up for > than 1 seconds",
            Said(word=Word.UP, name="web"),
        ),
        (
            "gave up: web entered FATAL state, too many start retries too quickly",
            Said(word=Word.GAVE_UP, name="web"),
        ),
        ("supervisord started with pid 5869", None),
        ("spawnerr: can't find command 'x'", None),
        ("reaped unknown pid 5 (exit status 0)", None),
    ],
)
def test_a_line_says_what_happened_to_whom(text: str, said: Said | None) -> None:
    assert fresh().take(line(text)) == ([] if said is None else [said])


def test_each_line_is_new_once() -> None:
    log, text = fresh(line("spawned: 'a' with pid 1")), line("spawned: 'a' with pid 1")
    text += line("spawned: 'b' with pid 2")

    first, again = log.take(text), log.take(text)
    later = log.take(text + line("spawned: 'c' with pid 3"))

    assert [said.name for said in first] == ["b"]
    assert again == []
    assert [said.name for said in later] == ["c"]


def test_a_line_that_is_not_whole_yet_is_read_when_it_is() -> None:
    log, whole = fresh(), line("spawned: 'a' with pid 12")

    cut, rest = log.take(whole[:-4]), log.take(whole)

    assert cut == []
    assert [said.pid for said in rest] == [12]


def test_what_is_read_may_begin_in_the_middle() -> None:
    lines = [line(f"spawned: 'p{number}' with pid {number}") for number in range(100)]
    log = fresh("".join(lines[:50])[-4096:])

    reaches = log.reaches("".join(lines[:60])[-4096:])
    names = [said.name for said in log.take("".join(lines[:60])[-4096:])]

    assert reaches
    assert not log.reaches("".join(lines)[-1024:])
    assert names == [f"p{number}" for number in range(50, 60)]


@pytest.mark.scenario("services-supervisord: Log that is rotated")
def test_of_another_log_only_newer_lines_count() -> None:
    log = fresh(line("spawned: 'a' with pid 1", at=10))

    said = log.take(
        line("spawned: 'old' with pid 2", at=5) + line("exited: a (exit status 0)", at=11)
    )
    emptied = log.take("")
    then = log.take(line("spawned: 'c' with pid 3", at=12))

    assert [one.name for one in said] == ["a"]
    assert emptied == []
    assert [one.name for one in then] == ["c"]


def test_a_log_that_was_not_there_at_first_has_no_news_of_the_past() -> None:
    log = Log()
    log.begin(None)

    said = log.take(line("spawned: 'old' with pid 2") + "2999-01-01 00:00:00,000 INFO stopped: a "
                    "(exit status 0)\n")  # fmt: skip

    assert [one.name for one in said] == ["a"]


@pytest.mark.parametrize("level", ["DEBG", "TRAC", "BLAT"])
def test_a_log_with_the_output_of_programs_is_not_believed(level: str) -> None:
    log = fresh()
    text = line("'web' stdout output:", level=level) + line("exited: web (exit status 0; expected)")

    assert log.take(text) == []
    assert log.is_loud
    assert log.take(text + line("exited: web (exit status 0; expected)", at=9)) == []
