"""What an engine really does with what it is asked: short commands, and a judge for each.

A probe is a question (a command in a container), what the answer has to show, and a judge that
sees nothing but the recorded answer. The themes' modules have the probes, `probes` has them all.
"""

from __future__ import annotations

from stophooks.models import Outcome, Status
from stophooks.proofs import Verdict
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# No probe does anything that takes longer, on a busy machine; seconds.
TIMEOUT_S = 20.0
# What one line of a table can take of what a program printed; characters.
QUOTED = 240
# Faults that say: this engine cannot keep it, and so nothing was run.
REFUSALS = frozenset({"refused", "apparmor", "seccomp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a probe finds on the host: the caller, a project, and a port that only loopback has.

    ``uid`` and ``gid`` own what the caller makes; ``inside`` is who that is in a container.
    ``project`` is this probe's own directory, ``engine_socket`` the engine's, where it has one.
    """

    project: str
    uid: int
    gid: int
    inside: tuple[int, int]
    port: int = 0
    engine_socket: str | None = None
    has_apparmor: bool = False
    image_env: tuple[str, ...] = ()
    copy: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One command for one container; ``options`` are those of `Container` besides the image."""

    run: str | None = None
    argv: tuple[str, ...] | None = None
    env: tuple[tuple[str, str], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float = TIMEOUT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of the project after the run."""

    uid: int
    gid: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The recorded answer: all that a judge may look at.

    ``stdout`` and ``stderr`` are complete; ``files`` are the project's by name; ``containers``
    and ``volumes`` are what the engine had afterwards, where the probe asked for it; ``visits``
    counts connections to the bench's port.
    """

    bench: Bench
    outcome: Outcome
    stdout: bytes = b""
    stderr: bytes = b""
    files: Mapping[str, File] = field(default_factory=dict)
    containers: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    visits: int = 0

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def words(self) -> list[str]:
        """Standard output, split at white space."""
        return self.text.split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether the promise holds, and what shows it in a few words."""

    verdict: Verdict
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One promise and how it is put to the test.

    ``copies`` runs of it are made at once and all must hold. ``wants_outcome`` says that the
    judge looks at the outcome itself; else only a command that ran is judged at all.
    """

    theme: str
    name: str
    expects: str
    ask: Callable[[Bench], Question]
    judge: Callable[[Seen], Judgement]
    copies: int = 1
    wants_outcome: bool = False
    wants_leftovers: bool = False


def holds(seen: str) -> Judgement:
    """The promise is kept."""
    return Judgement(verdict=Verdict.HOLDS, seen=seen)


def fails(seen: str) -> Judgement:
    """The promise is broken."""
    return Judgement(verdict=Verdict.FAILS, seen=seen)


def unknown(seen: str) -> Judgement:
    """Nothing can be said about the promise."""
    return Judgement(verdict=Verdict.UNKNOWN, seen=seen)


def kept(condition: bool, seen: str, otherwise: str) -> Judgement:  # noqa: FBT001 -- reads as a sentence
    """Holds with the first words, or fails with the second."""
    return holds(seen) if condition else fails(otherwise)


def asking(script: str, **options: Any) -> Callable[[Bench], Question]:
    """A question that is the same on every bench; without a network unless it says otherwise."""
    question = Question(run=script, options=options)
    return lambda _bench: question


def judged(probe: Probe, seen: Seen) -> Judgement:
    """What one recorded answer says about a probe's promise."""
    outcome = seen.outcome
    if outcome.status is Status.CANCELLED:
        return unknown(f"it was not finished: {outcome.reason}")
    if probe.wants_outcome:
        return _cut(probe.judge(seen))
    if outcome.status is Status.UNAVAILABLE:
        said = outcome.reason or "it could not run"
        if outcome.fault in REFUSALS:
            return _cut(Judgement(verdict=Verdict.REFUSED, seen=said))
        return _cut(unknown(said))
    if outcome.status is Status.TIMED_OUT:
        return unknown(f"it did not end by itself: {outcome.reason}")
    return _cut(probe.judge(seen))


def _cut(judgement: Judgement) -> Judgement:
    text = " ".join(judgement.seen.split())
    return replace(judgement, seen=text if len(text) <= QUOTED else f"{text[: QUOTED - 3]}...")


def quoted(data: bytes) -> str:
    """Some output in quotes, short enough for a table."""
    return repr(data[:60].decode("utf-8", "replace")) + ("..." if len(data) > 60 else "")  # noqa: PLR2004 -- half a line


def ended(outcome: Outcome) -> str:
    """How a command ended, in a few words."""
    parts = [str(outcome.status).replace("_", " ")]
    if outcome.exit_code is not None:
        parts.append(f"exit code {outcome.exit_code}")
    if outcome.fault:
        parts.append(outcome.fault)
    return ", ".join(parts)


def fields(text: str) -> dict[str, str]:
    """The fields of ``/proc/<pid>/status`` (proc_pid_status(5))."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {key: value.strip() for key, value in pairs}


def mount_options(text: str, target: str) -> set[str]:
    """The options of the last mount at a path in ``/proc/mounts`` (fstab(5)); empty without one."""
    rows = [line.split(" ") for line in text.splitlines() if line.count(" ") >= 3]  # noqa: PLR2004 -- source, target, type, options
    options = [row[3] for row in rows if row[1] == target]
    return set(options[-1].split(",")) if options else set()
