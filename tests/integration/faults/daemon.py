"""A daemon that is none: it answers from a script, or not at all."""

from __future__ import annotations

import json
import re
import socket
from typing import TYPE_CHECKING, Any

from tests.integration.faults.server import Peer, Request, Server, answer

if TYPE_CHECKING:
    from collections.abc import Mapping

# As Engine 20.10 answers, as far as anybody looks.
VERSION = {"ApiVersion": "1.41", "Os": "linux", "Arch": "amd64", "Components": [{"Name": "Engine"}]}
INFO = {
    "OSType": "linux",
    "SecurityOptions": ["name=seccomp,profile=default"],
    "MemoryLimit": True,
    "CpuCfsQuota": True,
    "PidsLimit": True,
    "MemTotal": 8 * 1024**3,
    "NCPU": 2,
    "DockerRootDir": "/var/lib/docker",
}


class FakeDaemon(Server):
    """Answers each kind of call with the bytes, or the object, that the script has for it.

    Without any it hangs up; None means that it stays silent.
    """

    def __init__(self, script: Mapping[str, Any]) -> None:
        super().__init__()
        self._script = script

    def serve(self, peer: Peer, request: Request) -> bool:
        """Answer from the script."""
        for pattern, said in self._script.items():
            if not re.fullmatch(pattern, request.what):
                continue
            if said is None:
                peer.stays_silent()
                return False
            peer.send(said if isinstance(said, bytes) else answer(200, json.dumps(said).encode()))
            return False
        return False


class FullDaemon(Server):
    """A daemon whose queue of connections is full until it is relieved."""

    def __init__(self) -> None:
        super().__init__(backlog=0)

    def started(self) -> None:
        """Accept nobody; one connection fills the queue."""
        self._filler = socket.socket(socket.AF_UNIX)
        self._filler.connect(self.path)

    def relieve(self) -> None:
        """Begin to accept."""
        self._filler.close()
        super().started()

    def __exit__(self, *exc: object) -> None:
        self._filler.close()
        super().__exit__(*exc)

    def serve(self, peer: Peer, request: Request) -> bool:
        """Say what it is and hang up on everything else."""
        said = {"GET /version": VERSION, "GET /info": INFO}.get(request.what)
        if said is not None:
            peer.send(answer(200, json.dumps(said).encode()))
        return said is not None
