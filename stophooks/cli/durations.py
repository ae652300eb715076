"""Durations on the command line, as the configuration writes them."""

from __future__ import annotations

from stophooks.config.units import duration_hint, seconds
from stophooks.errors import UsageError


def duration(option: str, given: str | None) -> float | None:
    """The seconds that an option was given, or None where it was not given.

    Raises:
        UsageError: They are no duration.
    """
    if given is None:
        return None
    try:
        found = seconds(given)
    except ValueError as err:
        raise _wrong(option, given) from err
    if found <= 0:
        raise _wrong(option, given)
    return found


def _wrong(option: str, given: str) -> UsageError:
    hint = duration_hint(given, nullable=False)
    more = f"; {hint}" if hint else ""
    return UsageError(f'{option}: expected a duration such as 30s, 5m or 2h; got "{given}"{more}.')
