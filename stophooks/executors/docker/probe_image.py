"""Which image the probes use: one that is on the engine, for its platform, with a shell."""

from __future__ import annotations

from itertools import islice

from stophooks.containers import Container, Pull
from stophooks.executors.docker.bench import Recorder
from stophooks.executors.docker.engine import Engine, EngineRefusedError
from stophooks.executors.docker.probe import TIMEOUT_S, ended
from stophooks.executors.docker.spec import refuse
from stophooks.models import Command, Status
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from stophooks.executors.base import Cancellation
    from stophooks.executors.docker.bench import Caller
    from stophooks.executors.docker.executor import DockerExecutor

# Images that are tried for a shell before giving up.
TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The image to probe with, or None and why the last candidate cannot be used."""

    image: str | None
    why: str = ""


def usable_image(
    engine: Engine, caller: Caller, candidates: tuple[str, ...], *, cancel: Cancellation
) -> Choice:
    """The first candidate that is on the engine, is for this platform and has a shell."""
    there = (image for image in candidates if _is_there(engine, image))
    executor = caller.executor("probe-image")
    missing = f"{candidates[0]} is not" if len(candidates) == 1 else "no image is"
    choice = Choice(image=None, why=f"{missing} on this engine")
    try:
        for image in islice(there, TRIES):
            choice = _choice(executor, image, cancel)
            if choice.image:
                break
    finally:
        executor.close()
    return choice


def _choice(executor: DockerExecutor, image: str, cancel: Cancellation) -> Choice:
    container = Container(
        image=image, pull=Pull.NEVER, network="none", workspace="none", workdir="/"
    )
    command = Command(name="shell", project_dir="/", run="exit 0", container=container)
    outcome = executor.run(command, timeout_s=TIMEOUT_S, sink=Recorder(), cancel=cancel)
    if outcome.status is Status.PASSED:
        return Choice(image=image)
    return Choice(image=None, why=f"{image}: {outcome.reason or ended(outcome)}")


def images_there(engine: Engine) -> tuple[str, ...]:
    """The tagged images of an engine, the smallest first.

    Raises:
        ExecutorUnavailableError: The engine does not say.
    """
    try:
        rows = engine.call("images", lambda client: client.images())
    except EngineRefusedError as err:
        raise refuse(
            f"The engine does not list its images: {err.text}.", "Name one with --image."
        ) from err
    sized = [(row.get("Size", 0), tag) for row in rows for tag in row.get("RepoTags") or ()]
    return tuple(tag for _, tag in sorted(sized) if "<none>" not in tag)


def environment(engine: Engine, image: str) -> tuple[str, ...]:
    """The variables that an image sets, as ``NAME=value``; none when the engine does not say."""
    try:
        data = engine.call("image inspect", lambda client: client.inspect_image(image))
    except EngineRefusedError:
        return ()
    return tuple((data.get("Config") or {}).get("Env") or ())


def _is_there(engine: Engine, image: str) -> bool:
    try:
        engine.call("image inspect", lambda client: client.inspect_image(image))
    except EngineRefusedError:
        return False
    return True
