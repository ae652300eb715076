"""Medians and spreads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.values import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence


def figure(values: Sequence[float]) -> Figure:
    """The median, the least and the most of at least one value."""
    return Figure(median=median(values), least=min(values), most=max(values))


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the middle two."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def ratios(values: Sequence[float], references: Sequence[float]) -> Figure:
    """How many times the reference each value is, both taken in the same round."""
    return figure([value / other for value, other in zip(values, references, strict=True)])
