"""Who runs in a container: the configured user, else the caller."""

from __future__ import annotations

from stophooks import threads
from stophooks.executors.docker import images
from stophooks.executors.docker.usertables import UserTables
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.containers import Container
    from stophooks.executors.docker.engine import Engine
    from stophooks.executors.docker.images import Image, User
    from stophooks.models import Command

# Where a user that the image does not know finds a home.
HOME = "/home/stophooks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who runs in the container: the engine's ``User``, numeric where known, and the home.

    ``home`` is the path of a tmpfs to make, or None when the image has one for this user.
    """

    user: str
    uid: int | None = None
    gid: int | None = None
    home: str | None = None


class Identities:
    """Finds out who runs, for one caller; an image's users are read once.

    Args:
        uid: The caller.
        gid: The caller's group.
        labels: For the container out of which an image's users are read.
        memory_dir: Where they are kept for later runs; None for nowhere.
    """

    def __init__(
        self, uid: int, gid: int, labels: Mapping[str, str], memory_dir: str | None = None
    ) -> None:
        self._uid = uid
        self._gid = gid
        self._labels = dict(labels)
        self._lock = threads.Lock()
        self._reading: dict[str, threads.Lock] = {}
        self._users: dict[str, tuple[User, ...]] = {}
        self._tables = UserTables(memory_dir)

    def find(
        self, engine: Engine, command: Command, container: Container, image: Image
    ) -> Identity:
        """Who runs this command in this image.

        Raises:
            ExecutorUnavailableError: The image's users cannot be read.
        """
        identity = self._identity(engine, container, image)
        has_home = any(name == "HOME" for name, _ in command.env)
        if not identity.uid or has_home:
            return identity
        if any(user.uid == identity.uid for user in self._known(engine, image)):
            return identity
        return replace(identity, home=HOME)

    def _identity(self, engine: Engine, container: Container, image: Image) -> Identity:
        if container.user is None:
            # In a rootless engine, root inside is the caller outside, and nobody else is.
            uid, gid = (0, 0) if engine.info.is_rootless else (self._uid, self._gid)
            return Identity(user=f"{uid}:{gid}", uid=uid, gid=gid)
        name, _, group = container.user.partition(":")
        if name.isdecimal() and (int(name) == 0 or group.isdecimal()):
            gid = int(group) if group.isdecimal() else 0
            return Identity(user=container.user, uid=int(name), gid=gid)
        users = self._known(engine, image)
        known = next((user for user in users if name in {user.name, str(user.uid)}), None)
        own_gid = known.gid if known else 0
        return Identity(
            user=container.user,
            uid=int(name) if name.isdecimal() else known.uid if known else None,
            gid=int(group) if group.isdecimal() else own_gid,
        )

    def _known(self, engine: Engine, image: Image) -> tuple[User, ...]:
        with self._lock:
            reading = self._reading.setdefault(image.id, threads.Lock())
        # Who needs another image does not wait for this one's.
        with reading:
            if image.id not in self._users:
                self._users[image.id] = self._read(engine, image)
            return self._users[image.id]

    def _read(self, engine: Engine, image: Image) -> tuple[User, ...]:
        users = self._tables.get(image.id)
        if users is None:
            users = images.users(engine, image, self._labels)
            self._tables.put(image.id, users)
        return users
