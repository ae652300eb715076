"""Which image an engine has under a name, by the plainest HTTP there is: no client is imported."""

from __future__ import annotations

import time

from stophooks import jsonvalues
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.docker import endpoint, recent
from stophooks.models import MIB
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.watchdog.containers import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

# An engine answers this in a millisecond; who waits longer runs the command. Seconds.
ANSWER_S = 2.0
_MAX_ANSWER = 4 * MIB
_END_OF_HEAD = b"\r\n\r\n"


class Question:
    """Asks an engine for the image of a name when it is made, and waits for the answer later.

    HTTP/1.0, so that the answer comes in one piece and the end of the connection is its end.

    Args:
        image: As the configuration names it, which has checked its form.
        environ: Names the engine.
        home: Where Docker keeps its configuration.
    """

    def __init__(self, image: str, environ: Mapping[str, str], home: str) -> None:
        self._image = image
        self._asked = time.monotonic()
        self._connection: Any = None
        try:
            place = endpoint.resolve(environ, home)
            self._url = place.url
            self._connection = connect(place.url, place.tls_dir or "", verify=place.tls_verify)
            self._connection.settimeout(ANSWER_S)
            request = f"GET /images/{image}/json HTTP/1.0\r\nHost: stophooks\r\n\r\n"
            self._connection.sendall(request.encode())
        except (ExecutorUnavailableError, OSError, ValueError):
            self._close()

    def image_id(self) -> str | None:
        """The engine and the id of its image; None where that is not to be had now."""
        try:
            body = self._body()
            said: Any = jsonvalues.loads(body.decode()) if body is not None else None
            found = said.get("Id")
        except (OSError, ValueError, AttributeError):
            return None
        finally:
            self._close()
        if not isinstance(found, str) or not found:
            return None
        recent.note(self._url, self._image, said, at=self._asked)
        return f"{self._url} {found}"

    def _body(self) -> bytes | None:
        """The body of an answer that says yes; None for any other."""
        if self._connection is None:
            return None
        until = time.monotonic() + ANSWER_S
        answer = bytearray()
        while piece := self._connection.recv(65536):
            answer += piece
            if len(answer) > _MAX_ANSWER or time.monotonic() > until:
                return None
            self._connection.settimeout(max(0.01, until - time.monotonic()))
        head, end, body = bytes(answer).partition(_END_OF_HEAD)
        return body if end and head.split(b" ", 2)[1:2] == [b"200"] else None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
