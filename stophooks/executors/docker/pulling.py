"""Images fetched from their registries, through docker-py, or a clear reason why not."""

from __future__ import annotations

import queue
import re
import time

from stophooks import threads
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.docker import credentials
from stophooks.executors.docker.answers import EngineRefusedError
from stophooks.executors.docker.dockerpy import BROKEN, understood
from stophooks.executors.docker.faults import Fault, match
from stophooks.executors.docker.images import unfinished
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import docker

    from stophooks.containers import Container
    from stophooks.executors.base import Cancellation
    from stophooks.executors.docker.engine import Engine

# How often a pull says how far it is; seconds.
PROGRESS_S = 2.0

# What engines and registries say, by fault: Docker answers 500 for most of them, so only the
# text tells them apart (observed with Engine 20.10 and docker-registry 2.8).
_FAULTS = (
    Fault(
        name="auth",
        pattern=r"no basic auth|unauthorized|authentication required|incorrect username"
        r"|credential|denied: requested access",
        remedy="Log in with `docker login{registry}`, as the user that runs the hook.",
    ),
    Fault(
        name="platform",
        pattern=r"no matching manifest|does not match the specified platform"
        r"|does not provide .*platform",
        remedy="Use an image for this platform, or write the one it has as `platform:`.",
    ),
    Fault(
        name="registry-down",
        pattern=r"connection refused|no such host|timeout|network is unreachable"
        r"|connection reset|server misbehaving|bad gateway|service unavailable|TLS|x509|EOF",
        remedy="Check the network and the registry, or pull the image beforehand and write "
        "`pull: never`.",
    ),
    Fault(
        name="disk-full",
        pattern=r"no space left",
        remedy="Free disk space, for instance with `docker system prune`.",
    ),
    Fault(
        name="image-missing",
        pattern=r"not found|manifest unknown|pull access denied|repository name"
        r"|invalid reference",
        remedy="Check the name and tag; for a private image, `docker login{registry}` first.",
    ),
)
_OTHER = Fault(name="pull", pattern="", remedy="Try `docker pull` by hand and read what it says.")


def pull(
    engine: Engine,
    container: Container,
    *,
    environ: Mapping[str, str],
    note: Callable[[str], None],
    cancel: Cancellation,
) -> None:
    """Fetch an image from its registry; ends early when ``cancel`` is requested.

    Raises:
        ExecutorUnavailableError: With the class of the fault and what to do about it.
    """
    note(f"pulling {container.image}")
    login = credentials.find(
        container.image, config_dir=engine.endpoint.config_dir, environ=environ, cancel=cancel
    )
    connection = engine.open()
    lines: queue.SimpleQueue[dict[str, Any] | BaseException | None] = queue.SimpleQueue()

    def work() -> None:
        try:
            for line in _pull_lines(connection.client.docker, container, login):
                lines.put(line)
            lines.put(None)
        except BaseException as err:  # noqa: BLE001 -- raised again by the waiting thread
            lines.put(err)
        finally:
            connection.close()

    threads.Thread(target=work, name=f"pull {container.image}", daemon=True).start()
    unsubscribe = cancel.subscribe(lambda: lines.put(InterruptedError(cancel.reason)))
    try:
        _follow(iter(lines.get, None), container.image, note)
    except BROKEN as err:
        if cancel.requested:
            raise unfinished(container.image, cancel) from err
        raise classify(container.image, _words(engine.translate("pull", understood(err)))) from err
    finally:
        unsubscribe()
        connection.abort()


def _pull_lines(
    client: docker.APIClient, container: Container, login: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    repository, separator, reference = container.image.partition("@")
    if not separator:
        head, _, reference = container.image.rpartition(":")
        repository = head or container.image
    yield from client.pull(
        repository,
        tag=reference or None,
        stream=True,
        decode=True,
        platform=container.platform,
        # Even when empty: else docker-py looks for credentials in its own environment.
        auth_config=login,
    )


def _follow(
    lines: Iterator[dict[str, Any] | BaseException], image: str, note: Callable[[str], None]
) -> None:
    """Tell how far a pull is; an error after the first byte comes as a line, not as a status."""
    layers: dict[str, str] = {}
    told = time.monotonic()
    for line in lines:
        if isinstance(line, BaseException):
            raise line
        if not isinstance(line, dict):
            raise ValueError("no progress")  # noqa: TRY004 -- an answer of another shape
        if "error" in line:
            raise classify(image, str(line["error"]))
        if line.get("id") and "progressDetail" in line:
            layers[line["id"]] = line.get("status", "")
        if layers and time.monotonic() - told >= PROGRESS_S:
            told = time.monotonic()
            ready = sum(state in {"Pull complete", "Already exists"} for state in layers.values())
            note(f"pulling {image}: {ready} of {len(layers)} layers")


def _words(error: BaseException) -> str:
    said = error.text if isinstance(error, EngineRefusedError) else str(error)
    return " ".join(said.split())


def classify(image: str, text: str) -> ExecutorUnavailableError:
    """The reason why an image cannot be had, by what the engine said."""
    first = image.split("/", maxsplit=1)[0]
    registry = f" {first}" if "/" in image and re.search(r"[.:]|^localhost$", first) else ""
    fault = match(text, _FAULTS) or _OTHER
    return ExecutorUnavailableError(
        f"The image {image} could not be pulled: {text.strip().rstrip('.')}.",
        remedy=fault.remedy.format(registry=registry),
        fault=fault.name,
    )
