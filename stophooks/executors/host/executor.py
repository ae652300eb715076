"""Commands on this machine, with the caller's rights or another user's, in the project."""

from __future__ import annotations

import os

from stophooks import process
from stophooks.executors.base import GRACE_S
from stophooks.executors.host import shell
from stophooks.executors.output import Output
from stophooks.models import SIGNAL_BASE, Outcome, Status, Stream, human_duration, signal_of
from stophooks.secrets.vault import Vault, variable
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.executors.base import Cancellation, Sink
    from stophooks.executors.host.account import Account
    from stophooks.models import Command

# What a command keeps of the environment with `inherit_env: false`: enough for a program to be
# found, to know whose it is and how that person reads.
KEPT_VARIABLES = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TERM",
    "TMPDIR",
    "TZ",
    # Tells a stophooks that a command starts in its own project not to wait for that command.
    "STOPHOOKS_RUNNING",
)


class HostExecutor:
    """Runs commands as processes of this machine.

    Args:
        environ: The environment that commands inherit; what belongs to the agent is not in it.
        guard: Ends what commands started if this process dies; None for nobody.
        vault: The secrets of the commands, and the mask for what they say; None for no secrets.
        beside: Whether commands run at the same time, in several threads.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        guard: process.Guard | None = None,
        vault: Vault | None = None,
        beside: bool = False,
    ) -> None:
        if beside:
            # Only the main thread can, and another one may be the first to start a command.
            process.keep_exit_codes()
        self._beside = beside
        self._environ = dict(environ)
        self._vault = vault or Vault({})
        self._guard = guard
        self._shells: dict[str | None, str] = {}

    def run(
        self, command: Command, *, timeout_s: float | None, sink: Sink, cancel: Cancellation
    ) -> Outcome:
        """Run one command to its end and return what happened.

        Args:
            command: Fully resolved, without a container.
            timeout_s: Seconds from the start of the process to its SIGTERM; None for no limit.
            sink: Receives output as it is produced, in the calling thread.
            cancel: Ends the command early when requested.

        Returns:
            The outcome. A program that cannot be started is ``unavailable``; one that a script
            cannot start is that script's own failure (127, 126).

        Raises:
            ExecutorUnavailableError: There is no shell or no such user on this machine, or a
                secret is missing.
        """
        if cancel.requested:
            return Outcome(status=Status.CANCELLED, reason=cancel.reason or "cancelled")
        user = _account(command)
        argv = command.argv if command.argv is not None else self._script(command)
        env = self._environment(command, user)
        output = Output(sink, self._vault.mask)
        try:
            ended = process.run(
                argv,
                cwd=command.working_dir or command.project_dir,
                env=env,
                timeout_s=timeout_s,
                grace_s=GRACE_S,
                stop=cancel,
                output=output.write,
                keep_children=command.keep_children,
                guard=self._guard,
                user=user.identity if user else None,
                beside=self._beside,
            )
        except process.StartError as err:
            from stophooks.executors.host import faults  # noqa: PLC0415 -- most programs start

            return faults.not_started(command, argv, err)
        return _outcome(ended, output, timeout_s, cancel)

    def close(self) -> None:
        """Nothing is left to finish: each run ends all that it started."""

    def _script(self, command: Command) -> tuple[str, ...]:
        if command.shell not in self._shells:
            path = self._environ.get("PATH", os.defpath)
            self._shells[command.shell] = shell.find_shell(path, command.shell)
        return shell.arguments(self._shells[command.shell], command.run or "")

    def _environment(self, command: Command, user: Account | None) -> dict[str, str]:
        if command.inherit_env:
            environment = dict(self._environ)
        else:
            kept = (name for name in KEPT_VARIABLES if name in self._environ)
            environment = {name: self._environ[name] for name in kept}
        if user is not None:
            for name in user.callers_own:
                environment.pop(name, None)
            environment.update(user.variables())
        environment.setdefault("PATH", os.defpath)
        # Programs trust it over getcwd(); inherited, it names the runner's directory.
        environment["PWD"] = command.working_dir or command.project_dir
        environment.update(command.env)
        values = self._vault.values(command)
        environment.update({name: variable(name, value) for name, value in values.items()})
        return environment


def _account(command: Command) -> Account | None:
    """Whom the command runs as; None for the caller.

    Raises:
        ExecutorUnavailableError: There is no such user on this machine.
    """
    if command.user is None:
        return None
    from stophooks.executors.host import account  # noqa: PLC0415 -- few commands name a user

    return account.find(command.user, command.source)


def _outcome(
    ended: process.Ended,
    output: Output,
    timeout_s: float | None,
    cancel: Cancellation,
) -> Outcome:
    code = ended.code
    exit_code = SIGNAL_BASE - code if code is not None and code < 0 else code
    status, reason = _verdict(ended, timeout_s, cancel)
    lost = status is Status.UNAVAILABLE
    return Outcome(
        status=status,
        reason=reason,
        fault="exit-code-lost" if lost else None,
        remedy="Start the agent with SIGCHLD at its default, then run this again."
        if lost
        else None,
        exit_code=exit_code,
        signal=signal_of(exit_code),
        stdout=output.result(Stream.STDOUT),
        stderr=output.result(Stream.STDERR),
        duration_s=ended.duration_s,
        notes=tuple(_notes(ended)),
    )


def _verdict(
    ended: process.Ended, timeout_s: float | None, cancel: Cancellation
) -> tuple[Status, str | None]:
    if ended.cause is process.Cause.TIMED_OUT:
        return Status.TIMED_OUT, f"timed out after {human_duration(timeout_s or 0)}"
    if ended.cause is process.Cause.CANCELLED:
        return Status.CANCELLED, cancel.reason or "cancelled"
    if ended.code is None:
        return Status.UNAVAILABLE, "The command has ended, and its exit code was lost."
    return (Status.PASSED if ended.code == 0 else Status.FAILED), None


def _notes(ended: process.Ended) -> list[str]:
    notes = []
    if ended.left:
        count = _count(len(ended.left))
        notes.append(f"ended {count} that the command left running: {_names(ended.left)}")
    if ended.survivors:
        notes.append(f"could not end {_count(len(ended.survivors))}: {_names(ended.survivors)}")
    return notes


def _count(number: int) -> str:
    return "1 process" if number == 1 else f"{number} processes"


def _names(entries: tuple[object, ...], most: int = 5) -> str:
    more = f" and {len(entries) - most} more" if len(entries) > most else ""
    return ", ".join(str(entry) for entry in entries[:most]) + more
