"""git, asked and told as a program, never through a shell."""

from __future__ import annotations

import os

from stophooks.lifecycles.workspaces.faults import GitError
from stophooks.process import StartError
from stophooks.process.tool import KEPT_BYTES, tool
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stophooks.process import Stop
    from stophooks.process.tool import Told

# A large repository with filters that fetch its files; seconds.
DO_S = 1800.0
# For what only reads; seconds.
ASK_S = 120.0
# Of what git says, in lines and characters.
_LINES = 12
_WIDTH = 300


class Git:
    """Runs git in one repository after the other.

    Args:
        environ: Its environment; what git's own variables (``GIT_DIR`` …) say of another
            repository is taken out, as when a hook of git calls this program.
        stop: Ends what runs.
        tell: Is told each command before it runs, and what became of it.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        stop: Stop | None = None,
        tell: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._environ = without_git(environ)
        self._stop = stop
        self._tell = tell

    def unstoppable(self) -> Git:
        """The same, for what has to be done also after the stop."""
        return Git(self._environ, tell=self._tell)

    @property
    def stopped(self) -> bool:
        """Whether everything is to end."""
        return self._stop is not None and self._stop.requested

    def check(self) -> None:
        """Go on only if nobody wants an end.

        Raises:
            GitError: Everything is to end.
        """
        if self.stopped:
            raise GitError("It was to stop.")

    def ask(
        self, cwd: str, *args: str, objects: str | None = None, limit_bytes: int = KEPT_BYTES
    ) -> str | None:
        """What git prints; None where it refuses. It writes nothing.

        Args:
            cwd: Where it runs.
            args: What it is asked.
            objects: A directory of objects that it reads as well as those of the repository.
            limit_bytes: Of what it prints.

        Raises:
            GitError: It cannot be run, takes too long, or prints more.
        """
        extra = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
        if objects is not None:
            # In quotes a colon in it does not end it (git(1), read 2026-11-30).
            quoted = objects.replace("\\", "\\\\").replace('"', '\\"')
            extra["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = f'"{quoted}"'
        told = self._run(cwd, args, ASK_S, extra, limit_bytes)
        return os.fsdecode(told.stdout) if told.code == 0 else None

    def read(self, cwd: str, *args: str, limit_bytes: int = KEPT_BYTES) -> str:
        """What git prints, at most so many bytes.

        Raises:
            GitError: It refuses, cannot be run, takes too long, or prints more.
        """
        told = self._run(cwd, args, ASK_S, {"GIT_OPTIONAL_LOCKS": "0"}, limit_bytes)
        return os.fsdecode(self._passed(told, cwd, args).stdout)

    def do(self, cwd: str, *args: str) -> None:
        """Change something.

        Raises:
            GitError: It refuses, cannot be run, or takes too long.
        """
        self._passed(self._run(cwd, args, DO_S, {}), cwd, args)

    def _run(
        self,
        cwd: str,
        args: tuple[str, ...],
        timeout_s: float,
        extra: Mapping[str, str],
        limit_bytes: int = KEPT_BYTES,
    ) -> Told:
        self._tell(f"{_line(args)} in {cwd}")
        try:
            told = tool(
                ("git", *args),
                cwd=cwd,
                env={**self._environ, **extra},
                timeout_s=timeout_s,
                stop=self._stop,
                kept_bytes=limit_bytes,
            )
        except StartError as err:
            if err.in_directory:
                raise GitError(f"{cwd} cannot be entered ({err}). Is it still there?") from err
            raise GitError(f"git cannot be started ({err}). Install git.") from err
        if told.timed_out:
            raise GitError(f"`{_line(args)}` in {cwd} took longer than {timeout_s:.0f} s.")
        if len(told.stdout) >= limit_bytes:
            raise GitError(f"`{_line(args)}` in {cwd} printed more than {limit_bytes} bytes.")
        self._tell(f"  exit code {told.code}")
        return told

    def _passed(self, told: Told, cwd: str, args: tuple[str, ...]) -> Told:
        if told.code == 0:
            return told
        if told.cancelled:
            raise GitError(f"`{_line(args)}` in {cwd} was ended.")
        raise GitError(f"`{_line(args)}` in {cwd} failed (exit code {told.code}):\n{_said(told)}")


def without_git(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment that names no repository, index or setting of git."""
    return {name: value for name, value in environ.items() if not name.startswith("GIT_")}


def _line(args: tuple[str, ...]) -> str:
    return " ".join(("git", *args))


def _said(told: Told) -> str:
    """The end of what it wrote, as lines below a sentence."""
    text = (told.stderr.strip() or told.stdout.strip()).decode("utf-8", "replace")
    rows = [row.strip() for row in text.splitlines() if row.strip()]
    return "\n".join(f"  {row[:_WIDTH]}" for row in rows[-_LINES:]) or "  It wrote nothing."
