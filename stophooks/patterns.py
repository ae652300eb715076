"""Regular expressions that are compiled when they are first used.

Importing `re` takes longer than most of a stop's own work, and what most stops read, a short plain
text, is told without it.
"""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from re import compile as compiled
else:

    class compiled:  # noqa: N801 -- it stands for the function of `re`
        """A pattern with the attributes of `re.Pattern`."""

        def __init__(self, pattern: str | bytes, flags: int = 0) -> None:
            self.pattern = pattern
            self._flags = flags

        def __getattr__(self, name: str) -> Any:
            """Compile it; from then on it is only looked up."""
            import re  # noqa: PLC0415 -- see above

            found = getattr(re.compile(self.pattern, self._flags), name)
            setattr(self, name, found)
            return found


__all__ = ["compiled"]
