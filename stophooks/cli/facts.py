"""What another program knows of an event, from a file."""

from __future__ import annotations

import json

from stophooks.cli.suggest import near
from stophooks.errors import UsageError
from stophooks.models import KIB
from stophooks.occasion import Prior
from stophooks.typed import Any

# What the file may have, and the types of the values.
FACTS: dict[str, type] = {
    "branch": str,
    "exit_code": int,
    "signal": int,
    "reason": str,
    "cleanup_level": str,
    "prior_status": str,
    "session": str,
}
MAX_BYTES = 64 * KIB
_TYPES = {str: "a text without NUL characters", int: "a whole number"}
LEVELS = ("stop", "purge")


def facts(name: str) -> dict[str, Any]:
    """The facts in a file, or in standard input for ``-``, by their names in an `Occasion`.

    Raises:
        UsageError: It cannot be read, or has something else in it.
    """
    found = {key: value for key, value in _object(name).items() if value is not None}
    for key, value in found.items():
        if key not in FACTS:
            raise UsageError(f'--data: unknown fact "{key}". {near(key, list(FACTS))}')
        wanted = FACTS[key]
        if not isinstance(value, wanted) or isinstance(value, bool) or "\0" in str(value):
            raise UsageError(f"--data: the value of {key} is to be {_TYPES[wanted]}.")
    level = found.get("cleanup_level")
    if level not in {None, *LEVELS}:
        raise UsageError(f'--data: cleanup_level is stop or purge, not "{level}".')
    prior = found.pop("prior_status", None)
    if prior is None:
        return found
    if prior not in set(Prior):
        raise UsageError(f'--data: prior_status is success or failure, not "{prior}".')
    return found | {"prior": Prior(prior)}


def _object(name: str) -> dict[str, Any]:
    is_stdin = name == "-"
    try:
        with open(0 if is_stdin else name, "rb", closefd=not is_stdin) as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as err:
        raise UsageError(f"--data: {name} cannot be read: {err.strerror}.") from err
    try:
        found = json.loads(text) if len(text) <= MAX_BYTES else None
    except (ValueError, RecursionError) as err:
        raise UsageError(f"--data: {name} is not JSON: {err}.") from err
    if not isinstance(found, dict):
        raise UsageError(
            f"--data: {name} is not a JSON object of at most 64 KiB with {', '.join(FACTS)}."
        )
    return found
