"""What probes stand on: who asks, a directory, a port of the host, and a sink that keeps all."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

from stophooks import threads
from stophooks.contexts import contextmanager
from stophooks.executors.docker.executor import DockerExecutor
from stophooks.executors.docker.probe import File
from stophooks.executors.docker.probes_output import CANARY
from stophooks.models import Stream
from stophooks.typed import TYPE_CHECKING, Self
from stophooks.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stophooks.watchdog.guard import Guard

# What a probe may print; a megabyte is asked for.
OUTPUT_LIMIT = 4 * 1024 * 1024
# All probes together; what is not done then is told as unknown. Seconds.
BOUND_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose engine is asked: the same values as `DockerExecutor` takes."""

    environ: Mapping[str, str]
    uid: int
    gid: int
    home: str
    guard: Guard | None = None
    lock_dir: str | None = None

    def executor(self, run_id: str) -> DockerExecutor:
        """A new executor whose containers are marked with ``run_id``."""
        environ = {**self.environ, CANARY: "1"}
        return DockerExecutor(
            environ,
            self.uid,
            self.gid,
            self.home,
            run_id,
            guard=self.guard,
            lock_dir=self.lock_dir,
            deadline_s=BOUND_S,
        )


@dataclass(slots=True)
class Recorder:
    """A sink that keeps everything."""

    data: dict[Stream, bytearray] = field(
        default_factory=lambda: {Stream.STDOUT: bytearray(), Stream.STDERR: bytearray()}
    )

    def write(self, stream: Stream, data: bytes) -> None:
        """Keep output, up to a limit that no probe is meant to reach."""
        if len(self.data[stream]) < OUTPUT_LIMIT:
            self.data[stream] += data

    def note(self, text: str) -> None:
        """Leave progress alone: nothing is pulled."""


def files_in(project: str) -> dict[str, File]:
    """The files directly in a project; what cannot be read has no content."""
    found = {}
    for entry in os.scandir(project):
        status = entry.stat(follow_symlinks=False)
        readable = entry.is_file(follow_symlinks=False) and os.access(entry.path, os.R_OK)
        data = Path(entry.path).read_bytes()[:OUTPUT_LIMIT] if readable else b""
        found[entry.name] = File(uid=status.st_uid, gid=status.st_gid, data=data)
    return found


@contextmanager
def temporary() -> Iterator[str]:
    """A new directory, whose links are followed, gone afterwards."""
    directory = os.path.realpath(tempfile.mkdtemp(prefix="stophooks-probe-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class Listener:
    """A port of the host's loopback that counts who comes, as ``visits``."""

    def __enter__(self) -> Self:
        """Listen until the end of the block."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.visits = 0
        threads.Thread(target=self._serve, name="listener", daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the port."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            visitor.close()
