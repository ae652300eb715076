"""What is asked of an engine: the calls of its HTTP API that this program makes.

How a request travels is a transport's business: a Unix socket is spoken to directly
(`stophooks.executors.docker.direct`), everything else through docker-py
(`stophooks.executors.docker.dockerpy`), which also does what only it can do on any engine.
"""

from __future__ import annotations

from stophooks.executors.docker import codes
from stophooks.executors.docker.answers import malformed, refused
from stophooks.jsonvalues import dumps, loads
from stophooks.typed import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import docker


# What every part of a URL may have as it is.
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


class Reply(Protocol):
    """An engine's answer, of which only the head has been read."""

    status: int

    def pieces(self) -> Iterator[bytes]:
        """Its body as it comes.

        Raises:
            OSError: The connection ended before it did.
        """

    def content(self) -> bytes:
        """All of its body; raises what `pieces` raises."""

    def field(self, name: str) -> str:
        """A field of its head, by lower-case name; empty where there is none."""

    def is_stream(self) -> bool:
        """Whether the connection goes on behind the head."""

    def readinto(self, view: memoryview) -> int:
        """What has come of a stream, and how much that is; 0 at its end."""

    def send(self, data: bytes) -> None:
        """Give all of this to whom the connection leads to."""

    def close(self) -> None:
        """Let go of it; from the thread that reads it, or after that has ended."""


class Client:
    """Calls to one engine; a transport says how they travel.

    Args:
        api_version: Of the API, as the engine says it; empty before that is known.
    """

    def __init__(self, api_version: str) -> None:
        self._prefix = f"/v{api_version}" if api_version else ""

    def send(self, method: str, target: str, body: bytes | None, *, endless: bool) -> Reply:
        """Make one request; an ``endless`` one is answered, in part, as late as may be."""
        raise NotImplementedError

    @property
    def docker(self) -> docker.APIClient:
        """A docker-py client for the same engine, on connections that end with this one."""
        raise NotImplementedError

    def understood(self, error: BaseException) -> BaseException:
        """An error of a call in terms of `answers`, where it came from docker-py."""
        raise NotImplementedError

    def reply(
        self,
        method: str,
        path: str,
        params: Mapping[str, object] | None = None,
        body: object = None,
        *,
        endless: bool = False,
        prefix: str | None = None,
    ) -> Reply:
        """The engine's answer, which is a yes.

        Raises:
            EngineRefusedError: It is a no.
            OSError: There is none.
        """
        pairs = [f"{key}={quoted(str(one))}" for key, one in (params or {}).items()]
        query = f"?{'&'.join(pairs)}" if pairs else ""
        target = (self._prefix if prefix is None else prefix) + quoted(path, plain="/:@") + query
        data = None if body is None else dumps(body).encode()
        reply = self.send(method, target, data, endless=endless)
        if reply.status >= codes.BAD_REQUEST:
            raise refused(reply.status, _explanation(reply.content()))
        return reply

    def ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, object] | None = None,
        body: object = None,
    ) -> Any:
        """The value that the engine answers with; raises what `reply` raises, and ValueError."""
        return value(self.reply(method, path, params, body))

    def do(self, method: str, path: str, **params: object) -> None:
        """Make a call that is answered without content, and believe no other answer.

        Raises:
            EngineRefusedError: The answer is another: a web server has friendly ones too.
        """
        reply = self.reply(method, path, params)
        reply.content()
        if reply.status not in {codes.NO_CONTENT, codes.NOT_MODIFIED}:
            raise malformed(f"{method} {path}")

    def version(self, api_version: bool = True) -> Any:  # noqa: FBT001, FBT002 -- as docker-py
        """``/version``; without a version of the API, which it is asked for."""
        return value(self.reply("GET", "/version", prefix=None if api_version else ""))

    def info(self) -> Any:
        """``/info``."""
        return self.ask("GET", "/info")

    def about(self) -> dict[str, Any]:
        """``/info`` without a version of the API, and what the head of every answer says.

        Raises:
            EngineRefusedError: That is no answer, or none of an engine.
        """
        reply = self.reply("GET", "/info", prefix="")
        info = value(reply)
        if not isinstance(info, dict):
            raise malformed("info")
        names = ("api-version", "server", "libpod-api-version")
        return {"info": info, **{name: reply.field(name) for name in names}}

    def images(self) -> Any:
        """The images that there are."""
        return self.ask("GET", "/images/json")

    def inspect_image(self, name: str) -> Any:
        """One image."""
        return self.ask("GET", f"/images/{name}/json")

    def containers(self, **filters: str | list[str]) -> Any:
        """The containers that match, running or not."""
        return self.ask("GET", "/containers/json", {"all": 1, "filters": _filters(filters)})

    def create_container(
        self, config: Mapping[str, Any], name: str, platform: str | None = None
    ) -> Any:
        """Make a container."""
        params = {"name": name, **({"platform": platform} if platform else {})}
        return self.ask("POST", "/containers/create", params, config)

    def inspect_container(self, name: str) -> Any:
        """One container."""
        return self.ask("GET", f"/containers/{name}/json")

    def remove_container(self, name: str) -> None:
        """Remove a container by force, with its anonymous volumes."""
        self.do("DELETE", f"/containers/{name}", force=1, v=1)

    def archive(self, name: str, path: str) -> Iterator[bytes]:
        """A file of a container, as a tar archive in pieces."""
        return self.reply("GET", f"/containers/{name}/archive", {"path": path}).pieces()

    def volumes(self, **filters: str) -> Any:
        """The volumes that match."""
        return self.ask("GET", "/volumes", {"filters": _filters(filters)})

    def inspect_volume(self, name: str) -> Any:
        """One volume."""
        return self.ask("GET", f"/volumes/{name}")

    def create_volume(self, name: str) -> Any:
        """Make a volume."""
        return self.ask("POST", "/volumes/create", body={"Name": name})


def value(reply: Reply) -> Any:
    """The JSON value of an answer.

    Raises:
        ValueError: It is none.
        OSError: The connection ended before it did.
    """
    return loads(reply.content().decode())


def quoted(text: str, *, plain: str = "") -> str:
    """A text as it stands in a URL (RFC 3986, section 2); `urllib.parse` takes milliseconds."""
    kept = _PLAIN + plain.encode()
    data = text.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if byte in kept else f"%{byte:02X}" for byte in data)


def _filters(filters: Mapping[str, str | list[str]]) -> str:
    lists = {key: [one] if isinstance(one, str) else one for key, one in filters.items()}
    return dumps(lists)


def _explanation(content: bytes) -> object:
    """What the engine says: its message, or all that is there when it is no JSON.

    Raises:
        LookupError: It is JSON of another shape.
    """
    try:
        said = loads(content.decode())
    except ValueError:
        return content.decode("utf-8", "replace")
    return said["message"]
