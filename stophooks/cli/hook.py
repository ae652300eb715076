"""``stophooks hook``: its entry in the help; a real call never comes this far (see __main__)."""

from __future__ import annotations

from stophooks.errors import UsageError


def hook() -> None:
    """Refuse: the agents' door is taken only where ``hook`` is the first argument."""
    raise UsageError("hook must be the first argument, as in: stophooks hook --agent claude")
