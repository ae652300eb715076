"""Values that travel between the rooms: commands down, outcomes up, a report at the end."""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING
from stophooks.values import StrEnum, dataclass, field

if TYPE_CHECKING:
    from stophooks.containers import Container

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
# Exit codes above this stand for signals; Linux numbers those to 64 (signal(7)).
SIGNAL_BASE = 128
HIGHEST_SIGNAL = 64
# The argument of a command that stands for the files that it is given.
FILES = "{files}"


class Status(StrEnum):
    """What became of one command."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"
    UNAVAILABLE = "unavailable"
    CANCELLED = "cancelled"


class Severity(StrEnum):
    """What a command that does not pass means: a no, a word of warning, or only a record."""

    BLOCK = "block"
    WARN = "warn"
    IGNORE = "ignore"


class When(StrEnum):
    """After what a command runs: only if all before it went well, only if not, or either way."""

    SUCCESS = "success"
    FAILURE = "failure"
    ALWAYS = "always"


class Stream(StrEnum):
    """One of a command's two output streams."""

    STDOUT = "stdout"
    STDERR = "stderr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a configuration (or, as a warning, one thing that widens isolation).

    ``line`` and ``column`` count from 1; ``where`` is the place as a person writes it
    (``stop.commands[0].timeout``); ``source`` is the text of that line and ``width`` how many
    characters of it are meant.
    """

    path: str
    line: int
    column: int
    where: str
    message: str
    hint: str | None = None
    source: str | None = None
    width: int = 1
    warning: bool = False


class Expose(StrEnum):
    """How a secret reaches a container."""

    FILE = "file"
    ENV = "env"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Where a command's secret is when it runs; its value is in no plan.

    ``from_file`` is an absolute path, None for the caller's environment variable ``name``.
    ``expose`` is how a container gets it; a host command gets it as a variable.
    """

    name: str
    from_file: str | None = None
    expose: Expose = Expose.FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFile:
    """What a command writes for machines: its format, and the file, None for standard output.

    ``path`` is absolute, and in a container means what the container sees.
    """

    format: str
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing to run, fully resolved: no executor reads configuration or environment.

    ``run`` is one script for one shell, ``argv`` runs without a shell; exactly one is set.
    ``timeout_s`` None means no limit. ``env`` is the complete environment of a container and,
    on the host, what is merged over ``base_env``. Paths are absolute. ``keep_children`` lets what
    a host command leaves running be, if the command passed. ``pin`` holds an agent to the scripts
    that it starts; ``source`` is the configuration file that it stands in. ``shell`` is the program
    that ``run`` is given to, None for the place's own. ``user`` is who a host command runs as,
    None for the caller. ``when``, ``for_each`` (the kind of item, or None), ``only`` (the items'
    names, empty for all), ``stop_items`` (no further item after a failure) and ``once`` say
    whether and how often it runs. ``needs`` names the commands of its section that have to go well
    before it; ``exclusive``: nothing else of the section runs meanwhile. With ``skip_unchanged``
    it is not run again while it has the same ``inputs`` (patterns relative to the project; empty:
    every file that git does not ignore). ``files`` and ``exclude`` are patterns of the files whose
    change it runs for; empty: it runs whatever changed.
    """

    name: str
    project_dir: str
    run: str | None = None
    argv: tuple[str, ...] | None = None
    message: str | None = None
    show_command: bool = True
    show_stdout: bool = True
    show_stderr: bool = True
    max_output_lines: int | None = None
    timeout_s: float | None = 300.0
    env: tuple[tuple[str, str], ...] = ()
    inherit_env: bool = True
    keep_children: bool = False
    working_dir: str | None = None
    severity: Severity = Severity.BLOCK
    container: Container | None = None
    secrets: tuple[Secret, ...] = ()
    report: ResultFile | None = None
    pin: bool = True
    source: str | None = None
    description: str | None = None
    shell: str | None = None
    user: str | None = None
    when: When = When.ALWAYS
    for_each: str | None = None
    only: tuple[str, ...] = ()
    stop_items: bool = False
    once: bool = False
    needs: tuple[str, ...] = ()
    exclusive: bool = False
    skip_unchanged: bool = False
    inputs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """Where it runs, for people: ``host`` or the image's name."""
        return self.container.image if self.container else "host"

    @property
    def line(self) -> str:
        """The script or argument list as a person would read it."""
        return self.run if self.run is not None else " ".join(self.argv or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The head and the tail of one output stream, as bytes, in bounded memory.

    ``total_bytes`` counts everything the stream carried; when it exceeds what is kept, the gap
    lies between ``head`` and ``tail``.
    """

    head: bytes = b""
    tail: bytes = b""
    total_bytes: int = 0

    @property
    def cut_bytes(self) -> int:
        """How many bytes were not kept between head and tail."""
        return self.total_bytes - len(self.head) - len(self.tail)

    @property
    def kept_bytes(self) -> int:
        """How many bytes are kept."""
        return len(self.head) + len(self.tail)

    def shortened(self, *, head_bytes: int, tail_bytes: int) -> Tail:
        """The same output with at most so much of its beginning and its end."""
        if self.kept_bytes <= head_bytes + tail_bytes:
            return self
        # What is kept is contiguous where nothing is cut, and may then all be in the head.
        tail = self.tail if len(self.tail) >= tail_bytes else self.head + self.tail
        head = self.head if len(self.head) >= head_bytes else self.head + self.tail
        return Tail(head=head[:head_bytes], tail=tail[-tail_bytes:], total_bytes=self.total_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One failing case of a command, as its tool told it: a test, a rule that is broken.

    ``file`` is as the tool wrote it; ``line`` counts from 1; ``name`` is the test's or the rule's.
    """

    file: str | None = None
    line: int | None = None
    name: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """The first failing cases of a command, how many there were, and by which format."""

    format: str
    total: int
    first: tuple[Case, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened to one command.

    ``started`` is False for a command that was never begun. ``exit_code`` is the program's own
    code, 128 + ``signal`` when a signal ended it (as a shell and an engine say it), or None when
    it never ran. ``reason`` explains every status but passed and failed; ``remedy`` says what to
    do where the machine is at fault, and ``fault`` is that fault's class. ``notes`` are facts
    worth telling beside the result (git not usable …). ``cases`` is what the command's own
    machine-readable output says, where it has one. ``unmet``: it was skipped because something
    else did not go well.
    """

    status: Status
    started: bool = True
    exit_code: int | None = None
    signal: int | None = None
    stdout: Tail = field(default_factory=Tail)
    stderr: Tail = field(default_factory=Tail)
    duration_s: float = 0.0
    oom: bool = False
    reason: str | None = None
    remedy: str | None = None
    fault: str | None = None
    notes: tuple[str, ...] = ()
    log_path: str | None = None
    cases: Cases | None = None
    unmet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an event is about: a ``session``, ``workspace``, ``task`` or ``service``.

    ``path`` is absolute, or None where it has none.
    """

    kind: str
    id: str
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One of the things that an event's subject has several of: a ``repo``, a ``resource``.

    ``path`` is absolute, or None where it has none.
    """

    kind: str
    name: str
    path: str | None = None


def titled(command: Command, item: Item | None) -> str:
    """A command's name and, in brackets, that of the item that it runs for, if for one."""
    return f"{command.name} [{item.name}]" if item else command.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A command and what became of it; ``item`` is the one that it ran for, if for one."""

    command: Command
    outcome: Outcome
    item: Item | None = None

    @property
    def title(self) -> str:
        """What reports call it: the command's name and, in brackets, the item's."""
        return titled(self.command, self.item)

    @property
    def blocks(self) -> bool:
        """Whether this result alone keeps the agent from stopping."""
        return self.command.severity is Severity.BLOCK and not self.ok

    @property
    def ok(self) -> bool:
        """Whether there is nothing to tell: it passed, was rightly skipped, or may fail."""
        return self.ignored or self._went_well

    @property
    def ignored(self) -> bool:
        """Whether it did not pass, and that is only recorded."""
        return self.command.severity is Severity.IGNORE and not self._went_well

    @property
    def _went_well(self) -> bool:
        return self.outcome.status in {Status.PASSED, Status.SKIPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The results of one event, in the order of the configuration.

    ``run_id`` names the run that they come from, and is empty where nothing was run.
    """

    event: str
    results: tuple[Result, ...]
    duration_s: float
    project_dir: str
    subject: Subject | None = None
    run_id: str = ""

    @property
    def blocks(self) -> bool:
        """Whether the agent must go on."""
        return any(result.blocks for result in self.results)

    @property
    def passed(self) -> bool:
        """Whether every command passed or was skipped."""
        return all(result.ok for result in self.results)

    @property
    def failures(self) -> tuple[Result, ...]:
        """The results that did not pass, in order, warnings included."""
        return tuple(result for result in self.results if not result.ok)


def signal_of(exit_code: int | None) -> int | None:
    """The signal that an exit code stands for (128 + signal, as shells and engines say it)."""
    if exit_code is None or not SIGNAL_BASE < exit_code <= SIGNAL_BASE + HIGHEST_SIGNAL:
        return None
    return exit_code - SIGNAL_BASE


def human_duration(seconds: float) -> str:
    """A time span as a person writes it: ``50 ms``, ``0.4 s``, ``12.3 s``, ``5 m``, ``1 h 30 m``.

    Seconds have one decimal below a minute and none above; hours have no seconds.
    """
    if 0 < seconds < 0.0995:  # noqa: PLR2004 - what rounds to less than 0.1 s
        return f"{max(1, round(seconds * 1000))} ms"
    if round(seconds, 1) < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} m {rest} s" if rest else f"{minutes} m"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} m" if minutes else f"{hours} h"


def human_size(count: int) -> str:
    """A number of bytes as a person writes it: ``100 bytes``, ``4.9 KiB``, ``1.5 GiB``.

    One decimal, in units of 1024.
    """
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if count >= unit:
            return f"{count / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{count} {'byte' if count == 1 else 'bytes'}"
