"""What Podman's compatible socket wants in other words than Docker (measured with 4.3.1).

Its image names, its start errors at the attach and its late answer to a wait are taken care of
where they arise; here is what a request has to say differently.
"""

from __future__ import annotations

import os

from stophooks.contexts import contextmanager
from stophooks.executors.docker.spec import refuse
from stophooks.patterns import compiled
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stophooks.executors.docker.engine import Engine

_PROFILE = "seccomp="
# A tmpfs belongs to whom Docker's options say; Podman has one word for the container's user.
_TMPFS_OWNER = compiled(r"uid=\d+,gid=\d+")


@contextmanager
def request(config: Mapping[str, Any], engine: Engine) -> Iterator[dict[str, Any]]:
    """The body of a create in this engine's words; what it refers to is there in the block.

    Raises:
        ExecutorUnavailableError: It cannot be said to this engine.
    """
    if not engine.info.is_podman:
        yield dict(config)
        return
    host: Mapping[str, Any] = config["HostConfig"]
    import tempfile  # noqa: PLC0415 -- takes milliseconds, and few engines are Podman

    with tempfile.TemporaryDirectory(prefix="stophooks-") as directory:
        options = [_option(option, engine, directory) for option in host["SecurityOpt"]]
        tmpfs = {path: _TMPFS_OWNER.sub("U", text) for path, text in host["Tmpfs"].items()}
        yield {**config, "HostConfig": {**host, "SecurityOpt": options, "Tmpfs": tmpfs}}


def _option(option: str, engine: Engine, directory: str) -> str:
    """One security option as Podman writes it; a seccomp profile is a file for it."""
    if option == "no-new-privileges:true":
        return "no-new-privileges"
    if not option.startswith(_PROFILE + "{"):
        return option
    if engine.endpoint.socket is None:
        raise refuse(
            "`seccomp` cannot be had: this engine is Podman on another machine, which reads "
            "profiles from its own files only.",
            "Name a profile as that machine's default, or use an engine on this machine.",
        )
    path = os.path.join(directory, "seccomp.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(option.removeprefix(_PROFILE))
    return f"{_PROFILE}{path}"


def kept(asked: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """What Podman says that it kept, in the words in which it was asked.

    It writes capabilities as the difference from its own default.
    """
    dropped, added = _names(found.get("CapDrop")), _names(found.get("CapAdd"))
    wanted, unwanted = _names(asked.get("CapAdd")), _names(asked.get("CapDrop"))
    is_kept = added <= wanted and not dropped & wanted
    is_kept = is_kept and bool(dropped) if "ALL" in unwanted else is_kept and dropped <= unwanted
    if not is_kept:
        return dict(found)
    return {**found, "CapDrop": asked.get("CapDrop"), "CapAdd": asked.get("CapAdd")}


def _names(capabilities: Any) -> set[str]:
    return {str(one).upper().removeprefix("CAP_") for one in capabilities or ()}
