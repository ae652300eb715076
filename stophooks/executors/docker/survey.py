"""What an engine is and has, asked without starting or changing anything."""

from __future__ import annotations

from stophooks import threads
from stophooks.contexts import contextmanager
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import codes, endpoint, spec, sweep
from stophooks.executors.docker.answers import NOT_UNDERSTOOD, EngineRefusedError
from stophooks.executors.docker.engine import Engine
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stophooks.executors.docker.about import Info
    from stophooks.executors.docker.endpoint import Endpoint
    from stophooks.executors.docker.sweep import Leftover
    from stophooks.models import Command

# Everything that is asked here together; a mute engine is given up on two seconds later. Seconds.
BOUND_S = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What one command asks for and the engine cannot keep."""

    command: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """One engine; ``images`` maps each name that was asked for to whether it is there."""

    endpoint: Endpoint
    info: Info
    version: str
    cgroup_version: str
    images: Mapping[str, bool]
    leftovers: tuple[Leftover, ...]
    refusals: tuple[Refusal, ...]


def find(environ: Mapping[str, str], home: str) -> Engine:
    """The engine that a run would use; nothing is asked yet.

    Raises:
        ExecutorUnavailableError: The context does not exist, or the address cannot be used.
    """
    return Engine(endpoint.resolve(environ, home))


def survey(engine: Engine, commands: Sequence[Command], *, cancel: Cancellation) -> Survey:
    """What an engine is and has, as far as these commands need it; ends early when asked to.

    Raises:
        ExecutorUnavailableError: It cannot be reached, or did not answer in time.
    """
    with _bounded(engine, cancel) as bound:
        info = bound.info
        try:
            said = bound.ask("info", lambda client: client.info())
            images = {name: _has(bound, name) for name in _images(commands)}
            leftovers = tuple(sweep.find(bound))
        except (EngineRefusedError, *NOT_UNDERSTOOD) as err:
            raise ExecutorUnavailableError(
                f"The engine at {engine.endpoint.url} does not say what it has: {err}.",
                remedy="Look at it with `docker info`.",
                fault="daemon-unreachable",
            ) from err
    return Survey(
        endpoint=engine.endpoint,
        info=info,
        version=str(said.get("ServerVersion") or "of an unknown version"),
        cgroup_version=str(said.get("CgroupVersion") or ""),
        images=images,
        leftovers=leftovers,
        refusals=tuple(_refusals(commands, info)),
    )


@contextmanager
def _bounded(engine: Engine, cancel: Cancellation) -> Iterator[Engine]:
    """The engine, whose calls all end soon after the bound, or when everything is to end."""
    end = Cancellation()
    unsubscribe = cancel.subscribe(lambda: end.request(cancel.reason))
    timer = threads.Timer(BOUND_S, end.request, ("it took too long",))
    timer.daemon = True
    timer.start()
    try:
        yield engine.until(end)
    finally:
        timer.cancel()
        unsubscribe()


def _images(commands: Sequence[Command]) -> list[str]:
    return list(dict.fromkeys(one.container.image for one in commands if one.container))


def _has(engine: Engine, image: str) -> bool:
    try:
        engine.call("image inspect", lambda client: client.inspect_image(image))
    except EngineRefusedError as err:
        if err.status != codes.NOT_FOUND:
            raise
        return False
    return True


def _refusals(commands: Sequence[Command], info: Info) -> Iterator[Refusal]:
    for command in commands:
        if command.container is None:
            continue
        try:
            spec.check(command, command.container, info)
        except ExecutorUnavailableError as err:
            yield Refusal(command=command.name, reason=err.reason, remedy=err.remedy)
