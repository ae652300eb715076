"""Probes of how commands end: exit codes, start failures, signals, children, several at once."""

from __future__ import annotations

from pathlib import Path

from stophooks.executors.docker.probe import (
    Judgement,
    Probe,
    Question,
    asking,
    ended,
    fails,
    kept,
    quoted,
    unknown,
)
from stophooks.models import Status, human_duration
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.executors.docker.probe import Bench, Seen

THEME = "endings"
CODES = (0, 1, 125, 126, 127, 255)
KILLED = 137
POLITE = 9
SHORT_S = 0.5
# Time for a container to start on a busy machine, the timeout, the grace and one second; seconds.
END_BOUND_S = 8.0
# A command that ends at once is over so soon, whatever it leaves behind; seconds.
PROMPT_S = 10.0
AT_ONCE = 4
# What engines put in as the first process (moby's docker-init, podman's catatonit).
REAPERS = ("docker-init", "tini", "catatonit", "podman-init", "dumb-init")


def code(seen: Seen) -> Judgement:
    """The exit code is the command's own."""
    wanted = CODES[seen.bench.copy]
    status = Status.FAILED if wanted else Status.PASSED
    told = (seen.outcome.status, seen.outcome.exit_code)
    seen_codes = ", ".join(map(str, CODES))
    return kept(told == (status, wanted), seen_codes, f"exit {wanted} is told as {told[1]}")


def start_failure(wanted: str) -> Callable[[Seen], Judgement]:
    """A judge for a program that cannot be started, which has this fault's name."""

    def judge(seen: Seen) -> Judgement:
        outcome = seen.outcome
        told = outcome.status is Status.UNAVAILABLE and outcome.fault == wanted
        return kept(told, wanted, ended(outcome))

    return judge


def killed(seen: Seen) -> Judgement:
    """SIGKILL came, in time."""
    return _timed_out(seen, KILLED)


def polite(seen: Seen) -> Judgement:
    """SIGTERM was heard, and what was said then is kept."""
    if b"bye" not in seen.stdout:
        return fails(f"it heard no SIGTERM, and said {quoted(seen.stdout)}")
    return _timed_out(seen, POLITE)


def _timed_out(seen: Seen, wanted: int) -> Judgement:
    outcome = seen.outcome
    if outcome.status is Status.UNAVAILABLE:
        return unknown(outcome.reason or "it could not run")
    if outcome.status is not Status.TIMED_OUT or outcome.exit_code != wanted:
        return fails(ended(outcome))
    took = human_duration(outcome.duration_s)
    return kept(outcome.duration_s <= END_BOUND_S, f"after {took}", f"only after {took}")


def prompt(seen: Seen) -> Judgement:
    """The background child did not delay the result."""
    took = human_duration(seen.outcome.duration_s)
    if seen.text != "done\n":
        return fails(f"said {quoted(seen.stdout)}")
    return kept(seen.outcome.duration_s < PROMPT_S, f"after {took}", f"only after {took}")


def reaped(seen: Seen) -> Judgement:
    """An orphan that ended is no zombie."""
    first, _, table = seen.text.partition("\n")
    zombies = [row for row in table.splitlines() if row.rpartition(")")[2].split()[:1] == ["Z"]]
    if zombies:
        return fails(f"a zombie is left: {zombies[0].partition(')')[0]})")
    return kept(first in REAPERS, first, f"the first process is {first}, no reaper")


def own_words(seen: Seen) -> Judgement:
    """Each of several has its own output."""
    wanted = f"{seen.bench.copy}\n"
    return kept(seen.text == wanted, f"{AT_ONCE} at once", f"said {quoted(seen.stdout)}")


def _ask_plain(bench: Bench) -> Question:
    Path(bench.project, "plain").write_text("#!/bin/sh\n", encoding="utf-8")
    return Question(argv=("/workspace/plain",))


def _ask_interpreter(bench: Bench) -> Question:
    path = Path(bench.project, "script")
    path.write_text("#!/no/such/interpreter\n", encoding="utf-8")
    path.chmod(0o755)
    return Question(argv=("/workspace/script",))


PROBES = (
    Probe(
        theme=THEME,
        name="exit codes",
        expects="0, 1, 125, 126, 127 and 255 are told as they are",
        ask=lambda bench: Question(run=f"exit {CODES[bench.copy]}"),
        judge=code,
        copies=len(CODES),
    ),
    Probe(
        theme=THEME,
        name="not found",
        expects="a program that is not there is told as such, not as a failed check",
        ask=lambda _bench: Question(argv=("/no/such/program",)),
        judge=start_failure("command-not-found"),
        wants_outcome=True,
    ),
    Probe(
        theme=THEME,
        name="not executable",
        expects="a file that may not be executed is told as such",
        ask=_ask_plain,
        judge=start_failure("not-executable"),
        wants_outcome=True,
    ),
    Probe(
        theme=THEME,
        name="no interpreter",
        expects="a script whose interpreter is not there is told as such",
        ask=_ask_interpreter,
        judge=start_failure("command-not-found"),
        wants_outcome=True,
    ),
    Probe(
        theme=THEME,
        name="timeout kills",
        expects="a command that ignores SIGTERM is killed at its timeout",
        ask=lambda _bench: Question(
            run="trap '' TERM; while :; do sleep 1; done", timeout_s=SHORT_S
        ),
        judge=killed,
        wants_outcome=True,
    ),
    Probe(
        theme=THEME,
        name="timeout is polite",
        expects="a command hears SIGTERM, and what it says then is kept",
        ask=lambda _bench: Question(
            run=f"trap 'echo bye; exit {POLITE}' TERM; sleep 30 & wait", timeout_s=SHORT_S
        ),
        judge=polite,
        wants_outcome=True,
    ),
    Probe(
        theme=THEME,
        name="background child",
        expects="a child in the background does not delay the result",
        ask=asking("sleep 30 & echo done"),
        judge=prompt,
    ),
    Probe(
        theme=THEME,
        name="reaper",
        expects="the first process takes care of orphans",
        ask=asking("(sleep 0 &); sleep 1; cat /proc/1/comm; cat /proc/[0-9]*/stat; true"),
        judge=reaped,
    ),
    Probe(
        theme=THEME,
        name="several at once",
        expects="four containers at once have each its own output",
        ask=lambda bench: Question(run=f"echo {bench.copy}"),
        judge=own_words,
        copies=AT_ONCE,
    ),
)
