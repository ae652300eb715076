"""The real program, started as a person or an agent starts it, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import IO, TYPE_CHECKING

from stophooks.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# For a Python that does not look where packages are installed.
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Everything else of the caller's environment stays outside, so that no test depends on it.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "DOCKER_HOST", "DOCKER_CERT_PATH")
PASSED_ON_PREFIXES = ("COVERAGE_", "DOCKER_TLS")
# The mark by which a test finds the processes it is answerable for, wherever they went.
TOKEN = "STOPHOOKS_TEST_ID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What the program answered."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stophooks:
    """Starts ``python -m stophooks`` with a home, a state directory and nothing else of ours.

    ``home`` and ``state`` are what the program is given as ``HOME`` and ``XDG_STATE_HOME``.
    """

    home: Path
    state: Path
    token: str
    python: str = field(default=sys.executable)

    def __call__(
        self,
        *args: str,
        cwd: Path | str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Finished:
        """Run it to its end; ``timeout`` in seconds, after which the test fails."""
        return self._finish(("-m", "stophooks", *args), cwd, stdin, env, timeout)

    def python_code(
        self, code: str, *args: str, cwd: Path | str, stdin: bytes = b"", timeout: float = 60
    ) -> Finished:
        """Run Python code, which imports the program, in the program's surroundings."""
        return self._finish(("-c", code, *args), cwd, stdin, None, timeout)

    def python_options(self, *args: str, cwd: Path | str, stdin: bytes = b"") -> Finished:
        """Run Python with options of its own, in the program's surroundings."""
        return self._finish(args, cwd, stdin, {"PYTHONPATH": ROOT}, 60)

    def _finish(
        self,
        args: tuple[str, ...],
        cwd: Path | str,
        stdin: bytes,
        env: Mapping[str, str] | None,
        timeout: float,
    ) -> Finished:
        done = subprocess.run(
            [self.python, *args],
            cwd=cwd,
            env=self.environment(env),
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        return Finished(
            returncode=done.returncode,
            stdout=done.stdout.decode("utf-8"),
            stderr=done.stderr.decode("utf-8"),
        )

    def start(
        self,
        *args: str,
        cwd: Path | str,
        env: Mapping[str, str] | None = None,
        stdin: int | IO[bytes] = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        """Start it in a process group of its own and come back at once; the test ends it."""
        return subprocess.Popen(
            [self.python, "-m", "stophooks", *args],
            cwd=cwd,
            env=self.environment(env),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The whole environment the program gets."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
        }
        own = {"HOME": str(self.home), "XDG_STATE_HOME": str(self.state), TOKEN: self.token}
        return kept | own | dict(extra or {})
