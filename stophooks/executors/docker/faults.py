"""What went wrong around a container, told apart from a command that failed."""

from __future__ import annotations

from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import unavailable
from stophooks.models import Outcome, Status
from stophooks.patterns import compiled
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stophooks.executors.base import Cancellation
    from stophooks.executors.docker.answers import EngineRefusedError
    from stophooks.models import Tail

# What docker-init says when it cannot start the program (tini 0.19, src/tini.c), with its codes.
INIT_FAILURE = compiled(rb"\[FATAL tini \(\d+\)\] exec (.+) failed: (.+)\n?\Z")
# Podman's init says it without the program's name, and exits 1 (catatonit 0.1.7, catatonit.c).
CATATONIT_FAILURE = compiled(rb"ERROR \(catatonit:\d+\): failed to exec (pid1): (.+)\n?\Z")
INIT_CODES = frozenset({1, 126, 127})
# What runc 1.1 says instead when there is no docker-init; it starts, and exits 1.
RUNC_FAILURE = compiled(
    rb"exec (.+): (exec format error|no such file or directory|permission denied)\n?\Z"
)
_TRY = "Try the same with `docker run` and read its answer."
# The fault of an engine that did not answer in time.
DAEMON_TIMEOUT = "daemon-timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One class of fault: the words an engine has for it, its name, and what a person does."""

    name: str
    pattern: str
    remedy: str


_START_FAULTS = (
    Fault(
        name="init",
        pattern=r"container-init binary|catatonit|docker-init",
        remedy="Install it on the engine's machine (Podman: the package catatonit), or write "
        "`init: false`.",
    ),
    Fault(
        # Podman says "permission denied" as well.
        name="ulimits",
        pattern=r"setrlimit|RLIMIT_|setting rlimit",
        remedy="Ask for less under `ulimits`, or give the engine the right to set as much.",
    ),
    Fault(
        name="command-not-found",
        pattern=r"no such file|executable file not found|not found in \$PATH",
        remedy="Check the name, or use an image that has it.",
    ),
    Fault(
        name="not-executable",
        pattern=r"permission denied|is a directory",
        remedy="Make it executable (`chmod +x`), or name its interpreter.",
    ),
    Fault(
        name="exec-format",
        pattern=r"exec format error",
        remedy="Give a script a `#!` line, and a program the image's platform.",
    ),
    Fault(
        name="user",
        pattern=r"unable to find user|no matching entries in passwd|unable to find group",
        remedy="Write a user that the image has, or numbers: `user: 1000:1000`.",
    ),
    Fault(
        name="seccomp",
        pattern=r"seccomp",
        remedy="Write a profile that this engine accepts, or `seccomp: default`.",
    ),
    Fault(
        name="argument-too-long",
        pattern=r"argument list too long",
        remedy="Put the script into a file of the project.",
    ),
    Fault(
        name="apparmor",
        pattern=r"apparmor",
        remedy="Load the profile on the engine's machine, or remove `apparmor`.",
    ),
    Fault(
        name="network",
        pattern=r"network .*not found|No such container|not running",
        remedy="Make it first (`docker network create`), or start the container that it names.",
    ),
    Fault(
        name="disk-full",
        pattern=r"no space left",
        remedy="Free disk space, for instance with `docker system prune`.",
    ),
    Fault(
        name="platform",
        pattern=r"does not match the specified platform",
        remedy="Use an image that exists for this platform.",
    ),
    Fault(
        name="mount",
        pattern=r"bind source path|mount",
        remedy="Check the mounts of this command.",
    ),
)


def match(text: str, faults: Iterable[Fault]) -> Fault | None:
    """The first fault whose words are in what the engine said."""
    import re  # noqa: PLC0415 -- takes milliseconds, and most runs meet no fault

    found = (fault for fault in faults if re.search(fault.pattern, text, re.IGNORECASE))
    return next(found, None)


def _unavailable(what: str, text: str, fault: str, remedy: str) -> ExecutorUnavailableError:
    return ExecutorUnavailableError(
        f"{what}: {text.strip().rstrip('.')}.", remedy=remedy, fault=fault
    )


def _classified(what: str, text: str, otherwise: str) -> ExecutorUnavailableError:
    fault = match(text, _START_FAULTS)
    if fault is None:
        return _unavailable(what, text, otherwise, _TRY)
    return _unavailable(what, text, fault.name, fault.remedy)


def create(error: EngineRefusedError) -> ExecutorUnavailableError:
    """The engine would not create the container."""
    return _classified("The engine could not create the container", error.text, "create")


def start(error: EngineRefusedError) -> ExecutorUnavailableError:
    """The engine created the container and could not start it."""
    return _classified("The container could not be started", error.text, "start")


def unanswered_start(error: ExecutorUnavailableError) -> ExecutorUnavailableError:
    """Whether the container was started is not known; it is not started again."""
    return ExecutorUnavailableError(
        f"{error.reason} The container may have been started, so the command may have run.",
        remedy=error.remedy,
        fault=error.fault,
    )


def garbled_start(error: EngineRefusedError) -> ExecutorUnavailableError:
    """The engine's answer to the start is none; the container is not started again."""
    return unanswered_start(
        _unavailable("The container's start is not sure", error.text, "start", _TRY)
    )


def outcome(
    error: ExecutorUnavailableError, cancel: Cancellation, *, duration_s: float = 0.0
) -> Outcome:
    """The outcome of a run that the engine's fault, or the end of everything, has ended.

    An engine that has no more time to answer, because all is to end, is not at fault alone.
    """
    if cancel.requested and error.fault == DAEMON_TIMEOUT:
        return Outcome(
            status=Status.CANCELLED,
            reason=cancel.reason,
            notes=(error.reason,),
            duration_s=duration_s,
        )
    return unavailable(error, duration_s=duration_s)


def lost(why: str) -> ExecutorUnavailableError:
    """The engine cannot say any more what became of the container."""
    return _unavailable(
        "The container was lost",
        why,
        "lost",
        "Look whether the engine was restarted; the command may have run.",
    )


def output_cut(why: str = "the connection ended inside it") -> ExecutorUnavailableError:
    """Part of the container's output did not arrive, so nothing can be said for the command."""
    return _unavailable(
        "The container's output was cut",
        why,
        "output-cut",
        "Look whether the engine was restarted, and run it again.",
    )


def start_failure(code: int, stderr: Tail, argv: list[str]) -> ExecutorUnavailableError | None:
    """The reason why the program never ran, when docker-init or runc says so; else None."""
    if code not in INIT_CODES or stderr.cut_bytes:
        return None
    said = stderr.head + stderr.tail
    patterns = (INIT_FAILURE, RUNC_FAILURE, CATATONIT_FAILURE)
    found = next((match for one in patterns if (match := one.fullmatch(said))), None)
    if found is None:
        return None
    program = (
        found[1].decode("utf-8", "replace")
        if found.re.pattern != CATATONIT_FAILURE.pattern
        else argv[0]
    )
    cause = found[2].decode("utf-8", "replace").lower()
    if program == argv[0] == "/bin/sh":
        return _unavailable(
            "The image has no /bin/sh that runs",
            cause,
            "command-not-found",
            "Use `command: [program, argument …]`, which needs no shell.",
        )
    return _classified(f"{program} could not be started in the image", cause, "start")


def check_kept(asked: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    """Refuse a container for which the engine dropped a limit or a protection in silence.

    Raises:
        ExecutorUnavailableError: Naming what was dropped.
    """
    keys = ("Memory", "NanoCpus", "PidsLimit", "ReadonlyRootfs", "CapDrop", "CapAdd")
    for key in keys:
        wanted = asked.get(key)
        if wanted and _plain(kept.get(key)) != _plain(wanted):
            raise _unavailable(
                "The engine did not keep what was asked",
                f"{key} should be {wanted} and is {kept.get(key)}",
                "refused",
                "Use an engine that can enforce it, or leave it out.",
            )
    options = kept.get("SecurityOpt")
    wanted_options = set(asked.get("SecurityOpt") or ())
    if dropped := wanted_options - set(options if isinstance(options, list) else ()):
        name = min(dropped).split("=", 1)[0]
        raise _unavailable(
            "The engine did not keep what was asked",
            f"the security option {name} is missing",
            "refused",
            "Use an engine that can enforce it, or leave it out.",
        )


def _plain(value: Any) -> Any:
    """Capability lists as engines write them: with or without ``CAP_``, in any order."""
    if isinstance(value, list):
        return sorted(str(item).upper().removeprefix("CAP_") for item in value)
    return value
