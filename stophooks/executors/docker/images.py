"""Images: there, pulled, or a clear reason why not; and which users an image knows."""

from __future__ import annotations

from stophooks.containers import Container, Pull
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.docker import codes, recent
from stophooks.executors.docker.answers import EngineRefusedError, malformed
from stophooks.executors.docker.flights import Flights
from stophooks.executors.docker.removal import new_name, removed
from stophooks.executors.docker.usertables import User
from stophooks.patterns import compiled
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from stophooks.executors.base import Cancellation
    from stophooks.executors.docker.about import Info
    from stophooks.executors.docker.client import Client
    from stophooks.executors.docker.engine import Engine

__all__ = ["Image", "Pulls", "User", "obtain", "unfinished", "users"]

# No image's user table is larger than this; bytes.
PASSWD_LIMIT = 1024 * 1024
# name:password:uid:gid:… (passwd(5)).
PASSWD_LINE = compiled(r"(?P<name>[^:]*):[^:]*:(?P<uid>[0-9]+):(?P<gid>[0-9]+):")


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image that the engine has."""

    id: str
    os: str
    architecture: str


class Pulls:
    """The pulls of one run; several commands that need the same image wait for one pull.

    Args:
        environ: The caller's, for the helpers that know credentials.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        # What is missing may go missing again; "always" means once in a run.
        self._missing: Flights[None] = Flights(keeps=False)
        self._always: Flights[None] = Flights(keeps=True)

    def get(
        self,
        engine: Engine,
        container: Container,
        *,
        note: Callable[[str], None],
        cancel: Cancellation,
    ) -> None:
        """Have the image fetched, here or by who was first; the progress is told there.

        Raises:
            ExecutorUnavailableError: It cannot be had, or ``cancel`` was requested.
        """

        def fetch() -> None:
            is_always = container.pull is Pull.ALWAYS
            # Somebody may have fetched it since it was missed.
            if not is_always and _there(engine, container) is not None:
                return
            from stophooks.executors.docker.pulling import pull  # noqa: PLC0415 -- imports docker-py, and most images are there

            pull(engine, container, environ=self._environ, note=note, cancel=cancel)

        def late() -> ExecutorUnavailableError:
            return unfinished(container.image, cancel)

        flights = self._always if container.pull is Pull.ALWAYS else self._missing
        key = (container.image, container.platform)
        flights.get(key, fetch, cancel=cancel, late=late)


def unfinished(image: str, cancel: Cancellation) -> ExecutorUnavailableError:
    """The error for a pull that ended because everything is to end."""
    return ExecutorUnavailableError(
        f"Pulling {image} was not finished in time ({cancel.reason}).",
        remedy=f"Pull it beforehand: `docker pull {image}`.",
        fault="pull",
    )


def obtain(
    engine: Engine,
    container: Container,
    pulls: Pulls,
    *,
    note: Callable[[str], None],
    cancel: Cancellation,
) -> Image:
    """The image a container asks for, pulled as its policy says.

    Raises:
        ExecutorUnavailableError: It cannot be had, or is for another platform.
    """
    image = None if container.pull is Pull.ALWAYS else _there(engine, container)
    if image is None:
        if container.pull is Pull.NEVER:
            raise ExecutorUnavailableError(
                f"The image {container.image} is not on this engine, and `pull` is never.",
                remedy=f"Get it with `docker pull {container.image}`, or write `pull: missing`.",
                fault="image-missing",
            )
        pulls.get(engine, container, note=note, cancel=cancel)
        recent.forget(engine.endpoint.url, container.image)
        image = _inspect(engine, container.image)
    if image is None:
        raise ExecutorUnavailableError(
            f"The image {container.image} was pulled and is not there.",
            remedy="Try `docker pull` by hand and read what it says.",
            fault="pull",
        )
    _check_platform(image, container, engine.info)
    return image


def _there(engine: Engine, container: Container) -> Image | None:
    """The image, if the engine has it for the platform that the command wants."""
    image = _inspect(engine, container.image)
    if image is not None and container.platform and container.pull is Pull.MISSING:
        # The variant for this platform is what is missing.
        return image if _is_for(container.platform, image) else None
    return image


def _inspect(engine: Engine, name: str) -> Image | None:
    try:
        data = recent.known(engine.endpoint.url, name) or engine.ask(
            "image inspect", lambda client: client.inspect_image(name)
        )
        if not isinstance(data.get("Id"), str):
            raise malformed("image inspect")
    except EngineRefusedError as err:
        if err.status == codes.NOT_FOUND:
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


def users(engine: Engine, image: Image, labels: dict[str, str]) -> tuple[User, ...]:
    """The users that an image knows, from its ``/etc/passwd``; none when it has no such file.

    Reads the file out of a container that is created, never started, and removed.
    """
    name = new_name()

    def read(client: Client) -> bytes:
        config = {"Image": image.id, "Entrypoint": ["/"], "Labels": labels}
        try:
            client.create_container(config, name)
            return _joined(client.archive(name, "/etc/passwd"))
        except EngineRefusedError as err:
            if err.status != codes.NOT_FOUND:
                raise
            return b""

    try:
        with removed(engine, name):
            return tuple(_parse_passwd(engine.call("read /etc/passwd", read)))
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
    for line in _only_file(archive).decode("utf-8", "replace").splitlines():
        if row := PASSWD_LINE.match(line):
            yield User(name=row["name"], uid=int(row["uid"]), gid=int(row["gid"]))


def _only_file(archive: bytes) -> bytes:
    """The content of the file in an archive; nothing when that is none."""
    # Both take milliseconds, and are needed once for an image.
    import io  # noqa: PLC0415
    import tarfile  # noqa: PLC0415

    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            member = tar.next()
            content = tar.extractfile(member) if member is not None and member.isfile() else None
            return content.read() if content else b""
    except tarfile.TarError:
        return b""
