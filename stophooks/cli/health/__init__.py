"""What `stophooks doctor` looks at, one module per matter; each gives findings, in order."""

from __future__ import annotations

from stophooks.proofs import Finding, Level


def ok(about: str, text: str, *, where: str | None = None) -> Finding:
    """Something is as it should be."""
    return Finding(level=Level.OK, about=about, text=text, where=where)


def warn(about: str, text: str, remedy: str, *, where: str | None = None) -> Finding:
    """Something may not be what a person expects."""
    return Finding(level=Level.WARN, about=about, text=text, where=where, remedy=remedy)


def problem(about: str, text: str, remedy: str, *, where: str | None = None) -> Finding:
    """Something keeps checks from running or from counting."""
    return Finding(level=Level.PROBLEM, about=about, text=text, where=where, remedy=remedy)
