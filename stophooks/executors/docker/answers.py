"""Answers of an engine that are a no, or are none."""

from __future__ import annotations

from stophooks.executors.docker import codes

# How much of what an engine says is told; characters.
TEXT_LIMIT = 500
# What code that reads an answer runs into when it has another shape than promised.
NOT_UNDERSTOOD = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


class EngineRefusedError(Exception):
    """The engine answered, and the answer is no; ``status`` is the HTTP status."""

    def __init__(self, what: str, status: int, text: str) -> None:
        super().__init__(f"{what}: {text} (HTTP {status})")
        self.what = what
        self.status = status
        self.text = text


class UnusableError(OSError):
    """An address, or the files that it needs, cannot be used."""


def refused(status: int, said: object) -> EngineRefusedError:
    """The error for what an engine said, on one line; who asked knows what for."""
    words = " ".join(str(said or "").split())
    return EngineRefusedError("", status, words[:TEXT_LIMIT] or "no reason given")


def malformed(what: str) -> EngineRefusedError:
    """The error for an answer that has not the shape which the API promises."""
    return EngineRefusedError(what, codes.OK, "the answer is not what the API promises")
