"""A proxy in front of a real engine that breaks chosen calls in chosen ways."""

from __future__ import annotations

import contextlib
import os
import re
import select
import socket
import threading
from enum import Enum, auto
from typing import TYPE_CHECKING

from stophooks.values import dataclass, field
from tests.integration.faults.server import Peer, Request, Server

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_URL = "unix:///var/run/docker.sock"


class Action(Enum):
    """What becomes of a call."""

    FREEZE = auto()  # never reaches the engine, never answered
    FREEZE_ANSWER = auto()  # carried out, never answered
    CUT = auto()  # never reaches the engine, connection closed
    CUT_ANSWER = auto()  # carried out, connection closed
    CUT_AFTER = auto()  # closed after `size` bytes of the answer, or of its body
    DELAY = auto()  # reaches the engine `seconds` later, whatever the client does
    DRIP = auto()  # carried out, answered one byte per half second
    ANSWER = auto()  # never reaches the engine, answered with `answer`
    LIE = auto()  # carried out, answered with `answer`
    COALESCE = auto()  # head and first bytes of the body in one packet
    PASS = auto()  # as without a rule, after `before`


@dataclass(kw_only=True)
class Rule:
    """One way to break the calls that match ``what``: not the first ``skip``, then ``count``."""

    action: Action
    what: str = ""
    skip: int = 0
    count: int | None = None
    size: int = 0
    in_head: bool = False
    seconds: float = 0.0
    answer: bytes = b""
    before: Callable[[], object] | None = None
    hit: threading.Event = field(default_factory=threading.Event)

    def takes(self, request: Request) -> bool:
        """Whether it is for this call; uses up one of ``count``."""
        if self.count == 0 or not re.fullmatch(self.what, request.what):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.count is not None:
            self.count -= 1
        return True


class Proxy(Server):
    """Passes every call on to the engine, but for those that a rule is for.

    Every call gets a connection of its own to the engine, which is told to close it: so the end
    of an answer is the end of that connection.
    """

    def __init__(self, *rules: Rule, upstream: str | None = None) -> None:
        super().__init__()
        self.rules = list(rules)
        url = upstream or os.environ.get("DOCKER_HOST") or DEFAULT_URL
        self._upstream = url.removeprefix("unix://")
        self._rules_lock = threading.Lock()

    def serve(self, peer: Peer, request: Request) -> bool:
        """Pass the call on, or break it."""
        with self._rules_lock:
            rule = next((rule for rule in self.rules if rule.takes(request)), None)
        if rule is None:
            rule = Rule(what="", action=Action.PASS)
        rule.hit.set()
        if rule.before is not None:
            rule.before()
        self._apply(rule, peer, request)
        return False

    def _apply(self, rule: Rule, peer: Peer, request: Request) -> None:
        match rule.action:
            case Action.FREEZE:
                peer.stays_silent()
            case Action.CUT:
                pass
            case Action.ANSWER:
                peer.send(rule.answer)
            case Action.DELAY:
                self.closing.wait(rule.seconds)
                self._pass(rule, peer, request)
            case _:
                self._pass(rule, peer, request)

    def _pass(self, rule: Rule, peer: Peer, request: Request) -> None:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(self._upstream)
            engine = self.peer(sock)
            engine.send(_closing(request))
            self._relay(rule, peer, engine)
        except OSError:
            return
        finally:
            sock.close()

    def _relay(self, rule: Rule, peer: Peer, engine: Peer) -> None:
        match rule.action:
            case Action.FREEZE_ANSWER:
                _all(engine)
                peer.stays_silent()
            case Action.CUT_ANSWER:
                _all(engine)
            case Action.DRIP:
                peer.drip(_all(engine))
            case Action.LIE:
                _all(engine)
                peer.send(rule.answer)
            case Action.CUT_AFTER:
                _some(peer, engine, rule)
            case Action.COALESCE:
                head, body = _head(engine)
                peer.send(head + (body or engine.receive()))
                _both(peer, engine)
            case _:
                _both(peer, engine)


def _closing(request: Request) -> bytes:
    """The request, asking the engine to close the connection after its answer."""
    lines = request.head.split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([kept[0], b"Connection: close", *kept[1:]]) + request.body


def _all(engine: Peer) -> bytes:
    data = b""
    while more := engine.receive():
        data += more
    return data


def _head(engine: Peer) -> tuple[bytes, bytes]:
    """The head of an answer, and what came with it of the body."""
    data = b""
    while b"\r\n\r\n" not in data and (more := engine.receive()):
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", body


def _some(peer: Peer, engine: Peer, rule: Rule) -> None:
    """Send no more than so many bytes."""
    head, body = _head(engine)
    if rule.in_head:
        peer.send(head[: rule.size])
        return
    peer.send(head)
    left = rule.size
    while left > 0 and (body := body or engine.receive()):
        peer.send(body[:left])
        left -= len(body[:left])
        body = b""


def _both(peer: Peer, engine: Peer) -> None:
    """Carry bytes both ways until one side has ended."""
    other = {peer.sock: engine, engine.sock: peer}
    with contextlib.suppress(OSError, ValueError):
        while True:
            for sock in select.select(list(other), [], [])[0]:
                data = sock.recv(65536)
                if not data or not other[sock].send(data):
                    return
