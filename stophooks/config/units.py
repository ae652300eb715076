"""Durations and sizes as people write them, as numbers, and the right form for a wrong one."""

from __future__ import annotations

import re
from decimal import Decimal

from stophooks.models import KIB
from stophooks.typed import Any

# The agents' own limits for a hook are minutes; a day is more than anybody waits for a check.
MAX_DURATION_S = 24 * 3600.0
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smh])")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgt]?)(?:i?b)?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
# Spellings of units that people bring along; the seconds of each.
_LOOSE_UNITS = {
    "ms": Decimal("0.001"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), Decimal(1)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), Decimal(60)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), Decimal(3600)),
    **dict.fromkeys(("d", "day", "days"), Decimal(86400)),
}
_LOOSE = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([a-z]{1,7})", re.IGNORECASE)
# K, M and G with whatever people write behind them (`512Mi` is Kubernetes'), and other words.
_LOOSE_SIZE = re.compile(r"\s*([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([kmgt])[a-z]*\s*", re.IGNORECASE)
# Parts of CPUs as other tools write them: thousandths, per cent; and how many make one.
_LOOSE_CPUS = re.compile(r"\s*([0-9]{1,6}(?:\.[0-9]{1,9})?)\s*(m|%|cpus?|cores?)\s*", re.IGNORECASE)
_PER_CPU = {"m": 1000, "%": 100}
_NO_LIMIT = {"unlimited", "infinity", "none", "max", "no"}
LEAST = "it must be more than zero"
# Longer texts, in characters, are no durations by any spelling.
_MAX_LOOSE = 40
_NUMBER = re.compile(r"\s*([-+]?[0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([a-z]*)\s*", re.IGNORECASE)


def seconds(text: str) -> float:
    """A duration such as ``30s``, ``5m`` or ``1.5h`` in seconds.

    Raises:
        ValueError: It is not a number with one unit.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return float(Decimal(match[1]) * _SECONDS[match[2]])


def size_bytes(value: str | float) -> int:
    """A size such as ``512m`` or ``1.5GiB`` (units of 1024), or a number of bytes, in bytes.

    Raises:
        ValueError: It is not a number with at most one unit.
    """
    match = _SIZE.fullmatch(str(value) if isinstance(value, str) else format(value, "f"))
    if match is None:
        raise ValueError(value)
    return int(Decimal(match[1]) * KIB ** _POWERS[match[2].lower()])


def duration_hint(value: Any, *, nullable: bool) -> str | None:
    """How to write what was probably meant by a wrong duration, or None."""
    scalar = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    if not scalar or len(str(value)) > _MAX_LOOSE:
        return None
    number = _NUMBER.fullmatch(str(value))
    amount = Decimal(number[1]) if number else None
    if amount is not None and amount <= 0:
        return LEAST + ("; for no limit write null" if nullable else "")
    if amount is not None and number and not number[2]:
        return f'write "{_plain(amount)}s"'
    total = _loose_seconds(str(value))
    if total is None:
        return None
    if len(_LOOSE.findall(str(value))) == 1:
        return f'write "{_short(total)}"'
    minutes = total / 60
    exact = minutes == minutes.quantize(Decimal("0.01"))
    return (
        f'write "{_plain(minutes)}m" or "{_plain(total)}s"'
        if exact
        else f'write "{_plain(total)}s"'
    )


def amount_hint(value: Any, *, kind: str, nullable: bool) -> str | None:
    """How to write what was probably meant by a wrong size or number of CPUs (``kind``)."""
    scalar = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    if not scalar or len(str(value)) > _MAX_LOOSE:
        return None
    none = "; for no limit write null" if nullable else ""
    number = _NUMBER.fullmatch(str(value))
    if number and Decimal(number[1]) <= 0:
        return LEAST + none
    if nullable and str(value).strip().lower() in _NO_LIMIT:
        return "for no limit write null"
    if kind == "cpus":
        part = _LOOSE_CPUS.fullmatch(str(value))
        meant = part and _plain(Decimal(part[1]) / _PER_CPU.get(part[2].lower(), 1))
        return f"write {meant}" if meant else "write a number without a unit" + none
    size = _LOOSE_SIZE.fullmatch(str(value))
    if size:
        return f'write "{_plain(Decimal(size[1]))}{size[2].lower()}"'
    return "write a number with one of the units k, m, g and t" + none


def _loose_seconds(text: str) -> Decimal | None:
    """The time in a text of one or more numbers with any usual unit."""
    if not re.fullmatch(f"(?:{_LOOSE.pattern})+\\s*", text, re.IGNORECASE):
        return None
    parts = _LOOSE.findall(text)
    if any(unit.lower() not in _LOOSE_UNITS for _, unit in parts):
        return None
    total = sum((Decimal(amount) * _LOOSE_UNITS[unit.lower()] for amount, unit in parts), Decimal())
    return total or None


def _short(total: Decimal) -> str:
    for unit, size in (("h", 3600), ("m", 60)):
        if total % size == 0:
            return f"{_plain(total / size)}{unit}"
    return f"{_plain(total)}s"


def _plain(amount: Decimal) -> str:
    return (
        format(amount, "f").rstrip("0").rstrip(".") if "." in format(amount, "f") else str(amount)
    )
