"""Secrets on their way into a container: through its standard input into files in memory.

So they are in no configuration that the engine shows, in no file of this machine, and gone with the
container, whoever dies first. The container's first process writes them and becomes the command.
"""

from __future__ import annotations

from stophooks import threads
from stophooks.containers import Mount
from stophooks.contexts import suppress
from stophooks.executors.docker.answers import malformed
from stophooks.models import MIB
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.executors.docker.client import Client, Reply
    from stophooks.executors.docker.connection import Connection
    from stophooks.executors.docker.identity import Identity

DIRECTORY = "/run/secrets"
# The last thing that is sent: only who has read everything else finds it where it belongs.
_END = b"stophooks"
# A file of mode 0400 each; `dd` with single bytes takes no more from the input than it should.
_SCRIPT = """
while [ "$1" != -- ]; do
  (umask 377 && dd bs=1 count="$2" of="/run/secrets/$1") 2>/dev/null || break
  shift 2
done
read -r stophooks_end
if [ "$1" != -- ] || [ "$stophooks_end" != stophooks ]; then
  echo "stophooks: the secrets could not be written: is there a dd in the image?" >&2
  exit 125
fi
unset stophooks_end
shift
exec "$@" < /dev/null
"""


def entrypoint(arguments: list[str], secrets: Mapping[str, bytes]) -> list[str]:
    """The arguments that take the secrets from standard input, then run the command's own."""
    sizes = [part for name, value in secrets.items() for part in (name, str(len(value)))]
    return ["/bin/sh", "-c", _SCRIPT, "stophooks", *sizes, "--", *arguments]


def secret_mounts(identity: Identity, secrets: Mapping[str, bytes] | None) -> tuple[Mount, ...]:
    """The directory in memory that the secrets are written into, open to the command's user."""
    if not secrets:
        return ()
    is_known = identity.uid is not None and identity.gid is not None
    owner = (f"uid={identity.uid},gid={identity.gid}", "mode=0700") if is_known else ("mode=1777",)
    size = f"size={sum(map(len, secrets.values())) // MIB + 1}m"
    return (Mount(type="tmpfs", source=None, target=DIRECTORY, options=(*owner, size)),)


class Feed:
    """Hands the secrets over, in a thread of its own, on a connection of its own."""

    def __init__(self, connection: Connection, secrets: Mapping[str, bytes]) -> None:
        self.connection = connection
        self._data = b"".join(secrets.values()) + _END + b"\n"
        self._thread: threads.Thread | None = None

    def attach(self, client: Client, container: str) -> None:
        """Open the connection before the container is started, and begin to send.

        Raises:
            EngineRefusedError: What answers is no stream.
        """
        reply = client.reply(
            "POST", f"/containers/{container}/attach", {"stream": 1, "stdin": 1}, endless=True
        )
        if not reply.is_stream():
            raise malformed("attach")
        self._thread = threads.Thread(target=self._send, args=(reply,), name="feed", daemon=True)
        self._thread.start()

    def _send(self, reply: Reply) -> None:
        # A container that ends before it has read everything says so by its exit code. The
        # connection, and with it the container's input, stays open until `join`.
        with suppress(OSError):
            reply.send(self._data)

    def abort(self) -> None:
        """End the connection."""
        self.connection.abort()

    def join(self, timeout_s: float) -> None:
        """Free the connection, once nothing is being sent any more."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        if self._thread is None or not self._thread.is_alive():
            self.connection.close()
