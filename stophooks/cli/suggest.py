"""What a person probably meant by a wrong name."""

from __future__ import annotations

import difflib


def near(name: str, names: list[str]) -> str:
    """A sentence with the nearest of the names, or with all of them."""
    found = difflib.get_close_matches(name, names, n=1)
    return f'Did you mean "{found[0]}"?' if found else f"There is: {', '.join(names)}."
