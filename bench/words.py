"""Figures as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.values import Figure, Goal

MIB = 1024 * 1024
MB = 1_000_000
_SMALL = 10
_LARGE = 100
GB = 1_000_000_000
# How a number of each kind is divided, and what stands behind it.
_KINDS = {
    "mib": (MIB, " MiB"),
    "ratio": (1.0, " ×"),
    "rate": (MB, " MB/s"),
    "count": (1.0, ""),
}


def number(value: float, kind: str) -> str:
    """A value with its unit; three digits or so, and whole counts."""
    divisor, unit = _unit(value, kind)
    return _digits(value / divisor, kind) + unit


def spread(figure: Figure, kind: str) -> str:
    """The median with its unit, and from least to most in brackets where they differ."""
    divisor, _name = _unit(figure.median, kind)
    least, most = (_digits(value / divisor, kind) for value in (figure.least, figure.most))
    told = number(figure.median, kind)
    return told if least == most else f"{told} ({least}–{most})"


def bound(goal: Goal) -> str:
    """A goal's target and its stretch."""
    sign = "≥" if goal.at_least else "≤"
    target = f"{sign} {number(goal.target, goal.kind)}"
    if goal.stretch == goal.target:
        return target
    return f"{target} (stretch {number(goal.stretch, goal.kind)})"


def verdict(goal: Goal) -> str:
    """Whether a goal is met, in a word."""
    if goal.met is None:
        return "not measured"
    if not goal.met:
        return "**not met**"
    return "met, and the stretch" if goal.stretched and goal.stretch != goal.target else "met"


def _unit(value: float, kind: str) -> tuple[float, str]:
    """By what a number is divided, and what stands behind it; short times and sizes have less."""
    if kind == "s":
        return (1.0, " s") if value >= 1 else (0.001, " ms")
    if kind == "size":
        return (GB, " GB") if value >= GB else (MB, " MB")
    return _KINDS[kind]


def _digits(value: float, kind: str) -> str:
    if kind in {"count", "size"}:
        return f"{value:,.0f}"
    if value >= _LARGE:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= _SMALL or kind == "mib" else f"{value:.2f}"


def scale(kind: str) -> float:
    """How much of a kind is written as one, on an axis."""
    return _KINDS.get(kind, (1.0, ""))[0]


def tick(value: float, kind: str) -> str:
    """A value on an axis, without the zeros behind its point."""
    digits, _, unit = number(value, kind).partition(" ")
    return f"{digits.rstrip('0').rstrip('.') if '.' in digits else digits} {unit}".strip()
