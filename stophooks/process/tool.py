"""A short program of this machine that is asked something: git, Compose, a supervisor's client."""

from __future__ import annotations

from stophooks.models import MIB, Stream
from stophooks.process.pump import Never
from stophooks.process.run import Cause, run
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stophooks.process.pump import Stop

# Of each stream; whatever is asked answers in less.
KEPT_BYTES = 16 * MIB
# From SIGTERM to SIGKILL. Seconds.
GRACE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What it said. ``code`` is None where it was ended, else its exit code or minus a signal.

    ``timed_out`` and ``cancelled`` say why it was ended. Each stream is its first bytes, 16 MiB
    unless more were asked for.
    """

    code: int | None
    stdout: bytes
    stderr: bytes
    timed_out: bool = False
    cancelled: bool = False

    @property
    def words(self) -> str:
        """The last line that it had to say, for a person; its exit code where it said nothing."""
        said = (self.stderr.strip() or self.stdout.strip()).decode("utf-8", "replace")
        if said:
            return said.splitlines()[-1].strip()
        return "it took too long" if self.timed_out else f"exit code {self.code}"


def tool(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    timeout_s: float | None,
    stop: Stop | None = None,
    kept_bytes: int = KEPT_BYTES,
) -> Told:
    """Run a program to its end and return what it said; it has no input and leaves nothing.

    Args:
        argv: The program, looked for on ``env``'s PATH, and its arguments.
        cwd: Absolute path of its working directory.
        env: Its whole environment.
        timeout_s: Seconds until it is ended; None for no limit.
        stop: Ends it early.
        kept_bytes: Of each stream; its first ones.

    Raises:
        StartError: It is not there or cannot be started.
    """
    kept = {Stream.STDOUT: bytearray(), Stream.STDERR: bytearray()}

    def take(stream: Stream, data: bytes) -> None:
        room = kept_bytes - len(kept[stream])
        kept[stream] += data[: max(room, 0)]

    ended = run(
        argv,
        cwd=cwd,
        env=env,
        timeout_s=timeout_s,
        grace_s=GRACE_S,
        stop=stop or Never(),
        output=take,
    )
    return Told(
        code=ended.code if ended.cause is Cause.EXITED else None,
        stdout=bytes(kept[Stream.STDOUT]),
        stderr=bytes(kept[Stream.STDERR]),
        timed_out=ended.cause is Cause.TIMED_OUT,
        cancelled=ended.cause is Cause.CANCELLED,
    )
