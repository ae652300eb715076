"""What every agent's adapter offers, and the answers that all measured agents understand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.events import Event

BLOCK_EXIT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer to an agent, whole: nothing else may reach its two streams."""

    stdout: str
    stderr: str
    exit_code: int


class Agent(Protocol):
    """One agent's protocol: its payload in, its answers out."""

    def parse(self, payload: Mapping[str, Any], environ: Mapping[str, str]) -> Event:
        """Return what happened; fields that are missing or of another type count as absent."""

    def block(self, reason: str) -> Reply:
        """Keep the agent from stopping; it reads ``reason``."""

    def allow(self, note: str | None) -> Reply:
        """Let the agent stop; the person reads ``note``, where there is one."""

    def private(self, name: str) -> bool:
        """Whether an environment variable is the agent's own business and not a command's."""


class Installable(Protocol):
    """An agent whose settings file we can write an entry into.

    ``EVENTS`` maps its names of events to ours; ``SETTINGS`` has a path for each of the scopes
    ``user`` (below the home directory), ``project`` and ``local`` (below the project's).
    """

    NAME: str
    EVENTS: dict[str, str]
    SETTINGS: dict[str, str]


def block(reason: str) -> Reply:
    """Return the one answer that keeps every measured agent from stopping.

    Of Claude Code 2.1, Codex 0.169, Gemini CLI 0.61, Qwen Code 0.24, Copilot CLI 1.0 and droid
    0.225 (measured 2026-11-21) each misses at least one of: JSON with exit 0, exit 2 alone, a key
    more than these two. The JSON, the same text on stderr and exit 2 together reach all of them.
    """
    answer = json.dumps({"decision": "block", "reason": reason}, ensure_ascii=True)
    return Reply(stdout=answer + "\n", stderr=reason + "\n", exit_code=BLOCK_EXIT)


class _Unknown:
    """Stands in for an agent that is not known: no event, and answers for everybody."""

    def parse(self, payload: Mapping[str, Any], environ: Mapping[str, str]) -> Event:
        """Refuse: without a protocol no payload can be read."""
        raise NotImplementedError(payload, environ)

    def block(self, reason: str) -> Reply:
        """Keep the agent from stopping."""
        return block(reason)

    def allow(self, note: str | None) -> Reply:
        """Let the agent stop; only stderr takes a note that no protocol has a place for."""
        return Reply(stdout="", stderr=f"{note}\n" if note else "", exit_code=0)

    def private(self, name: str) -> bool:
        """Take no variable for the agent's own."""
        del name
        return False


UNKNOWN: Agent = _Unknown()
