"""Which image an engine has under a name, by the plainest HTTP there is: no client is imported."""

from __future__ import annotations

import time

from stophooks import jsonvalues
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.docker import endpoint
from stophooks.models import MIB
from stophooks.typed import TYPE_CHECKING
from stophooks.watchdog.containers import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

# An engine answers this in a millisecond; who waits longer runs the command. Seconds.
ANSWER_S = 2.0
_MAX_ANSWER = 4 * MIB
_END_OF_HEAD = b"\r\n\r\n"


def image_id(image: str, environ: Mapping[str, str], home: str) -> str | None:
    """The engine and the id of its image of this name; None where that is not to be had now.

    Args:
        image: As the configuration names it, which has checked its form.
        environ: Names the engine.
        home: Where Docker keeps its configuration.
    """
    try:
        place = endpoint.resolve(environ, home)
        body = _get(place, f"/images/{image}/json")
        found = jsonvalues.loads(body.decode()).get("Id") if body is not None else None
    except (ExecutorUnavailableError, OSError, ValueError, AttributeError):
        return None
    return f"{place.url} {found}" if isinstance(found, str) and found else None


def _get(place: endpoint.Endpoint, path: str) -> bytes | None:
    """The body of an answer that says yes; None for any other.

    HTTP/1.0, so that the answer comes in one piece and the end of the connection is its end.
    """
    until = time.monotonic() + ANSWER_S
    connection = connect(place.url, place.tls_dir or "", verify=place.tls_verify)
    answer = bytearray()
    try:
        connection.settimeout(ANSWER_S)
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: stophooks\r\n\r\n".encode())
        while piece := connection.recv(65536):
            answer += piece
            if len(answer) > _MAX_ANSWER or time.monotonic() > until:
                return None
            connection.settimeout(max(0.01, until - time.monotonic()))
    finally:
        connection.close()
    head, end, body = bytes(answer).partition(_END_OF_HEAD)
    return body if end and head.split(b" ", 2)[1:2] == [b"200"] else None
