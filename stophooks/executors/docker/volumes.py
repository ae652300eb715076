"""Named volumes that their user can write to.

The engine makes a new volume owned by root, which is of no use to anybody else. So a volume that
this program makes is given, once, to the user of the command that asked for it.
"""

from __future__ import annotations

import io
import posixpath

from stophooks.executors.docker import codes
from stophooks.executors.docker.engine import Engine, EngineRefusedError
from stophooks.executors.docker.removal import new_name, removed
from stophooks.executors.docker.spec import refuse
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.containers import Mount
    from stophooks.executors.docker.client import Client
    from stophooks.executors.docker.identity import Identity


def prepare(
    engine: Engine,
    mounts: tuple[Mount, ...],
    *,
    identity: Identity,
    image_id: str,
    labels: Mapping[str, str],
) -> None:
    """Make the named volumes that there are not yet, owned by the user who will write to them.

    Raises:
        ExecutorUnavailableError: The engine refuses.
    """
    for mount in mounts:
        if mount.type != "volume" or not mount.source:
            continue
        try:
            _prepare(engine, mount, identity, image_id, dict(labels))
        except EngineRefusedError as err:
            raise refuse(
                f"The volume {mount.source} could not be made: {err.text}.",
                f"Make it by hand: `docker volume create {mount.source}`.",
                "mount",
            ) from err


def _prepare(
    engine: Engine, mount: Mount, identity: Identity, image_id: str, labels: dict[str, str]
) -> None:
    name = mount.source or ""
    try:
        _check(engine.call("volume inspect", lambda client: client.inspect_volume(name)), name)
    except EngineRefusedError as err:
        if err.status != codes.NOT_FOUND:
            raise
        engine.call("volume create", lambda client: client.create_volume(name))
        if identity.uid:
            _give(engine, mount, identity, image_id, labels)


def _check(volume: dict[str, Any], name: str) -> None:
    """Refuse a volume that is a folder of the host under another name."""
    options = volume.get("Options") or {}
    if "bind" in str(options.get("o", "")).split(","):
        raise refuse(
            f"The volume {name} is never mounted: it is {options.get('device')} of this machine "
            "under another name.",
            "Write that folder as a mount of the type bind.",
            "mount",
        )


def _give(
    engine: Engine, mount: Mount, identity: Identity, image_id: str, labels: dict[str, str]
) -> None:
    """Change the owner of a fresh volume by unpacking one directory entry over its mount point.

    The container is created and never started, so nothing of the image runs as root.
    """
    container = new_name()
    target = "/stophooks-volume"
    host_config = {"Mounts": [{"Type": "volume", "Source": mount.source, "Target": target}]}
    config = {
        "Image": image_id,
        "Entrypoint": ["/"],
        "Labels": labels,
        "HostConfig": host_config,
    }
    archive = _directory_entry(posixpath.basename(target), identity)

    def work(client: Client) -> None:
        client.create_container(config, container)
        client.docker.put_archive(container, "/", archive)

    with removed(engine, container):
        engine.call("volume owner", work)


def _directory_entry(name: str, identity: Identity) -> bytes:
    import tarfile  # noqa: PLC0415 -- takes milliseconds, and few runs make a volume

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(name + "/")
        entry.type = tarfile.DIRTYPE
        entry.mode = 0o755
        entry.uid, entry.gid = identity.uid or 0, identity.gid or 0
        tar.addfile(entry)
    return buffer.getvalue()
