"""Globs with ``{a,b}`` as several without."""

from __future__ import annotations

import re
from itertools import product

from stophooks.importing.base import ForeignFileError

_BRACES = re.compile(r"\{([^{}]*)\}")
# More of them, characters of them, or braces in braces, than any glob that somebody wrote.
_MOST, _MOST_CHARACTERS, _MOST_LEVELS = 100, 16_384, 4


def expanded(glob: str) -> list[str]:
    """Every glob that is meant, each once.

    Raises:
        ForeignFileError: They are too many.
    """
    found = [glob]
    for _ in range(_MOST_LEVELS):
        found = list(dict.fromkeys(other for one in found for other in _once(one)))
        if len(found) > _MOST or sum(map(len, found)) > _MOST_CHARACTERS:
            raise ForeignFileError(f"the glob {glob[:40]}… stands for too many others")
    return found


def _once(glob: str) -> list[str]:
    pieces, end, count = [], 0, 1
    for match in _BRACES.finditer(glob):
        # Without a comma they are braces of the name itself.
        choices = match[1].split(",") if "," in match[1] else [match[0]]
        pieces += [[glob[end : match.start()]], choices]
        end, count = match.end(), count * len(choices)
        if count > _MOST:
            raise ForeignFileError(f"the glob {glob[:40]}… stands for too many others")
    pieces.append([glob[end:]])
    return ["".join(parts) for parts in product(*pieces)]
