"""Images: there, pulled, or a clear reason why not; and which users an image knows."""

from __future__ import annotations

import io
import queue
import re
import tarfile
import threading
import time
import uuid
from http import HTTPStatus

import docker
import docker.errors

from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.docker import credentials
from stophooks.executors.docker.engine import (
    BROKEN,
    Engine,
    EngineRefusedError,
    Info,
    malformed,
)
from stophooks.executors.docker.faults import Fault, match
from stophooks.executors.docker.removal import removed
from stophooks.models import Container, Pull
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from stophooks.executors.base import Cancellation

# How often a pull says how far it is; seconds.
PROGRESS_S = 2.0
# No image's user table is larger than this; bytes.
PASSWD_LIMIT = 1024 * 1024
# name:password:uid:gid:… (passwd(5)).
PASSWD_LINE = re.compile(r"(?P<name>[^:]*):[^:]*:(?P<uid>[0-9]+):(?P<gid>[0-9]+):")

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image that the engine has."""

    id: str
    os: str
    architecture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One row of an image's ``/etc/passwd``."""

    name: str
    uid: int
    gid: int


def obtain(
    engine: Engine,
    container: Container,
    *,
    environ: Mapping[str, str],
    note: Callable[[str], None],
    cancel: Cancellation,
) -> Image:
    """The image a container asks for, pulled as its policy says.

    Raises:
        ExecutorUnavailableError: It cannot be had, or is for another platform.
    """
    image = None if container.pull is Pull.ALWAYS else _inspect(engine, container.image)
    if image is not None and container.platform and container.pull is Pull.MISSING:
        # The variant for this platform is what is missing.
        image = image if _is_for(container.platform, image) else None
    if image is None:
        if container.pull is Pull.NEVER:
            raise ExecutorUnavailableError(
                f"The image {container.image} is not on this engine, and `pull` is never.",
                remedy=f"Get it with `docker pull {container.image}`, or write `pull: missing`.",
                fault="image-missing",
            )
        pull(engine, container, environ=environ, note=note, cancel=cancel)
        image = _inspect(engine, container.image)
    if image is None:
        raise ExecutorUnavailableError(
            f"The image {container.image} was pulled and is not there.",
            remedy="Try `docker pull` by hand and read what it says.",
            fault="pull",
        )
    _check_platform(image, container, engine.info)
    return image


def _inspect(engine: Engine, name: str) -> Image | None:
    try:
        data = engine.ask("image inspect", lambda client: client.inspect_image(name))
        if not isinstance(data.get("Id"), str):
            raise malformed("image inspect")
    except EngineRefusedError as err:
        if err.status == HTTPStatus.NOT_FOUND:
            return None
        raise ExecutorUnavailableError(
            f"The engine could not look at the image {name}: {err.text}.",
            remedy="Look at it with `docker image inspect`.",
            fault="image-missing",
        ) from err
    variant = f"/{data['Variant']}" if data.get("Variant") else ""
    architecture = f"{data.get('Architecture', '')}{variant}"
    return Image(id=data["Id"], os=data.get("Os", ""), architecture=architecture)


def _check_platform(image: Image, container: Container, info: Info) -> None:
    """Refuse an image that this machine cannot run before it fails in an obscure way."""
    has = f"{image.os}/{image.architecture}"
    wanted = container.platform or f"{info.os}/{info.architecture}"
    if _is_for(wanted, image):
        return
    raise ExecutorUnavailableError(
        f"The image {container.image} is for {has}, and {wanted} is needed.",
        remedy=(
            f"Use an image for {wanted}"
            + ("." if container.platform else f", or write `platform: {has}` to emulate it.")
        ),
        fault="platform",
    )


def _is_for(platform: str, image: Image) -> bool:
    """Whether os and architecture agree; the variant counts only when both name one."""
    has = f"{image.os}/{image.architecture}"
    pairs = zip(platform.split("/"), has.split("/"), strict=False)
    return all(one == other for one, other in pairs)


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
            for line in _pull_lines(connection.client, container, login):
                lines.put(line)
            lines.put(None)
        except BaseException as err:  # noqa: BLE001 -- told to the waiting thread
            lines.put(err)
        finally:
            connection.close()

    threading.Thread(target=work, name=f"pull {container.image}", daemon=True).start()
    unsubscribe = cancel.subscribe(lambda: lines.put(InterruptedError(cancel.reason)))
    try:
        _follow(iter(lines.get, None), container.image, note)
    except BROKEN as err:
        if cancel.requested:
            raise ExecutorUnavailableError(
                f"Pulling {container.image} was not finished in time ({cancel.reason}).",
                remedy=f"Pull it beforehand: `docker pull {container.image}`.",
                fault="pull",
            ) from err
        raise classify(container.image, _words(engine.translate("pull", err))) from err
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


def users(engine: Engine, image: Image, labels: dict[str, str]) -> tuple[User, ...]:
    """The users that an image knows, from its ``/etc/passwd``; none when it has no such file.

    Reads the file out of a container that is created, never started, and removed.
    """
    name = f"stophooks-{uuid.uuid4().hex}"

    def read(client: docker.APIClient) -> bytes:
        config = {"Image": image.id, "Entrypoint": ["/"], "Labels": labels}
        try:
            client.create_container_from_config(config, name)
            chunks, _ = client.get_archive(name, "/etc/passwd")
            return _joined(chunks)
        except docker.errors.NotFound:
            return b""

    try:
        with removed(engine, name):
            return tuple(_parse_passwd(engine.call("read /etc/passwd", read)))
    except tarfile.TarError:
        return ()
    except EngineRefusedError as err:
        raise ExecutorUnavailableError(
            f"The image's /etc/passwd could not be read: {err.text}.",
            remedy="Write `user:` and `HOME` in `env:` to do without it.",
            fault="create",
        ) from err


def _joined(chunks: Iterator[bytes]) -> bytes:
    """All chunks together; nothing when they are too many for a user table."""
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > PASSWD_LIMIT:
            return b""
    return bytes(data)


def _parse_passwd(archive: bytes) -> Iterator[User]:
    if not archive:
        return
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = tar.next()
        content = tar.extractfile(member) if member is not None and member.isfile() else None
        lines = content.read().decode("utf-8", "replace").splitlines() if content else []
    for line in lines:
        if row := PASSWD_LINE.match(line):
            yield User(name=row["name"], uid=int(row["uid"]), gid=int(row["gid"]))
