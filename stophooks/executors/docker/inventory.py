"""What an engine has that bears a label: containers and volumes, to look at and to remove."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import endpoint
from stophooks.executors.docker.engine import Engine, EngineRefusedError
from stophooks.executors.docker.reap import PARALLEL
from stophooks.executors.docker.removal import remove
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stophooks.executors.docker.client import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A container as an engine lists it."""

    id: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


class Inventory:
    """What the engine that an environment means has; nothing is asked before it is needed.

    Args:
        environ: Names the engine, as for `stophooks.executors.docker.DockerExecutor`.
        home: The caller's home directory.
    """

    def __init__(self, environ: Mapping[str, str], home: str) -> None:
        self._environ = environ
        self._home = home

    def containers(self, label: str) -> list[Listed]:
        """The containers with a label, ``NAME`` or ``NAME=VALUE``, running or not.

        Raises:
            ExecutorUnavailableError: The engine cannot be reached, or will not say what it has.
        """

        def ask(client: Client) -> list[Listed]:
            rows = client.containers(label=label)
            return [_listed(row) for row in rows]

        found: list[Listed] = self._ask(ask)
        return found

    def volumes(self, label: str) -> list[str]:
        """The names of the volumes with a label.

        Raises:
            ExecutorUnavailableError: As above.
        """

        def ask(client: Client) -> list[str]:
            found = client.volumes(label=label)
            return [str(one["Name"]) for one in found.get("Volumes") or ()]

        found: list[str] = self._ask(ask)
        return found

    def remove(self, names: Sequence[str]) -> dict[str, str]:
        """Remove containers with their anonymous volumes; why each that is still there is, by name.

        One that runs is killed.
        """

        def one(name: str) -> str | None:
            return remove(self._engine, name, cancel=Cancellation())

        with ThreadPoolExecutor(PARALLEL) as pool:
            problems = list(pool.map(one, names))
        return {name: why for name, why in zip(names, problems, strict=True) if why}

    @cached_property
    def _engine(self) -> Engine:
        engine = Engine(endpoint.resolve(self._environ, self._home))
        # It says which version of its API it speaks.
        _ = engine.info
        return engine

    def _ask(self, ask: Callable[[Client], Any]) -> Any:
        try:
            return self._engine.call("list", ask)
        except EngineRefusedError as err:
            raise ExecutorUnavailableError(
                f"The engine at {self._engine.endpoint.url} does not say what it has: {err.text}.",
                remedy="Look at it with `docker ps --all`.",
                fault="daemon-unreachable",
            ) from err


def _listed(row: Mapping[str, Any]) -> Listed:
    names = row.get("Names") or [row["Id"]]
    return Listed(
        id=str(row["Id"]), name=names[0].removeprefix("/"), labels=dict(row.get("Labels") or {})
    )
