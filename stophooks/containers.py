"""What a container is asked to be, resolved."""

from __future__ import annotations

from stophooks.values import StrEnum, dataclass


class Pull(StrEnum):
    """When an image is fetched from its registry."""

    MISSING = "missing"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One mount of a container, besides the project itself.

    ``source`` is an absolute host path for a bind, a volume's name (or None for an anonymous
    one) for a volume, and None for a tmpfs. ``options`` are the engine's own mount options.
    """

    type: str
    source: str | None
    target: str
    readonly: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ulimit:
    """One resource limit of the container's processes; -1 means unlimited."""

    name: str
    soft: int
    hard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """Everything the engine is asked for, resolved; None means the engine's default.

    ``user`` None means the caller's uid:gid. ``seccomp`` is None for the engine's profile,
    ``"unconfined"``, or the profile's JSON text. ``workspace`` is ``rw``, ``ro`` or ``none``.
    """

    image: str
    pull: Pull = Pull.MISSING
    workdir: str = "/workspace"
    workspace: str = "rw"
    mounts: tuple[Mount, ...] = ()
    network: str = "bridge"
    memory_bytes: int | None = None
    nano_cpus: int | None = None
    pids_limit: int | None = None
    shm_size_bytes: int | None = None
    user: str | None = None
    seccomp: str | None = None
    apparmor: str | None = None
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ("ALL",)
    read_only: bool = False
    tmpfs: tuple[tuple[str, str], ...] = ()
    init: bool = True
    no_new_privileges: bool = True
    ulimits: tuple[Ulimit, ...] = ()
    platform: str | None = None
