"""Compose's command line: ``docker compose``, or ``docker-compose`` where that is installed."""

from __future__ import annotations

import os
import shutil

from stophooks.composefile import NAME_VARIABLE, PROGRAMS
from stophooks.lifecycles.services.base import ServiceActionError, ServicesUnavailableError
from stophooks.process import StartError
from stophooks.process.tool import tool
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stophooks.process import Stop
    from stophooks.process.tool import Told

# How long each question may take. Seconds.
ASK_S = 60.0
# How much of what it says is told; characters.
_TEXT_LIMIT = 600


class Compose:
    """One project's command line.

    Args:
        files: The Compose files, absolute; the first one's directory is the project's.
        project: The project's name; None until it is known.
        environ: The caller's environment.

    Raises:
        ServicesUnavailableError: Neither program is installed.
    """

    def __init__(
        self, files: Sequence[str], environ: Mapping[str, str], *, project: str | None = None
    ) -> None:
        self.directory = os.path.dirname(files[0])
        self._environ = _plain(environ)
        self._program = self._find()
        self._options = [part for path in files for part in ("-f", path)]
        self.project = project

    def argv(self, *args: str) -> list[str]:
        """The whole command line for a sub-command; every file and the project are named."""
        named = ["-p", self.project] if self.project else []
        return [*self._program, *self._options, *named, *args]

    @property
    def env(self) -> dict[str, str]:
        """The environment that it is started with."""
        return self._environ

    def ask(self, *args: str) -> bytes:
        """What it answers.

        Raises:
            ServicesUnavailableError: It does not answer, or finds fault with the file.
        """
        told = self._tell(args, ASK_S, None)
        if told.code != 0:
            raise ServicesUnavailableError(
                f"{' '.join(self._program)} cannot use {self._options[1]}: {words(told)} "
                f"Try it: {self._shown(args)}"
            )
        return told.stdout

    def act(self, *args: str, timeout_s: float, cancel: Stop) -> None:
        """Have it do something.

        Raises:
            ServiceActionError: It did not.
        """
        told = self._tell(args, timeout_s, cancel)
        if told.cancelled or told.code == 0:
            return
        if told.timed_out:
            raise ServiceActionError(
                f"{self._shown(args)} did not come to an end within {timeout_s:g} s."
            )
        raise ServiceActionError(f"{self._shown(args)} failed: {words(told)}")

    def _tell(self, args: Sequence[str], timeout_s: float, cancel: Stop | None) -> Told:
        try:
            return tool(
                self.argv(*args),
                cwd=self.directory,
                env=self._environ,
                timeout_s=timeout_s,
                stop=cancel,
            )
        except StartError as err:
            raise ServicesUnavailableError(
                f"{' '.join(self._program)} cannot be started in {self.directory}: {err}."
            ) from err

    def _find(self) -> tuple[str, ...]:
        path = self._environ.get("PATH", os.defpath)
        for program in PROGRAMS:
            # Docker is there without its plugin, too; Compose 1 takes half a second to say a word.
            if shutil.which(program[0], path=path) and (len(program) == 1 or self._has(program)):
                return program
        raise ServicesUnavailableError(
            "Neither `docker compose` nor `docker-compose` is installed; the services in "
            f"{self.directory} need one of them. Install Docker's Compose plugin, or Debian's "
            "package docker-compose."
        )

    def _has(self, program: Sequence[str]) -> bool:
        try:
            told = tool(
                [*program, "version"], cwd=self.directory, env=self._environ, timeout_s=ASK_S
            )
        except StartError:
            return False
        return told.code == 0

    def _shown(self, args: Sequence[str]) -> str:
        return f"`{' '.join((*self._program, *args))}`"


def words(told: Told) -> str:
    """What it had to complain about, on one line: of a Python program's traceback the last line."""
    said = (told.stderr.strip() or told.stdout.strip()).decode("utf-8", "replace")
    if not said:
        return "it took too long." if told.timed_out else f"exit code {told.code}, without a word."
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    traceback = next((i for i, line in enumerate(lines) if line.startswith("Traceback")), None)
    kept = lines[-1:] if traceback is not None else [_ for _ in lines if not _progress(_)]
    text = " ".join(kept[-6:] or lines[-1:])
    return text[-_TEXT_LIMIT:].rstrip(".") + "."


def _progress(line: str) -> bool:
    """Whether a line only tells how far it got."""
    return line.endswith(("...", "... done")) or line.startswith(("Container ", "Network "))


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would name other files or another project."""
    others = {"COMPOSE_FILE", NAME_VARIABLE}
    kept = {name: value for name, value in environ.items() if name not in others}
    return kept | {"COMPOSE_ANSI": "never", "COMPOSE_PROGRESS": "plain", "NO_COLOR": "1"}
