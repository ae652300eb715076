"""Output that is hard to take: ``python noise.py KIND BYTES`` prints it, `blocks` gives it.

Needs nothing but the standard library, and runs in a container too.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_BYTES = 65536
# Every byte there is, in an order without a pattern.
RANDOM = bytes((index * 167 + (index >> 8) * 59) % 256 for index in range(BLOCK_BYTES))
KINDS = {
    # Each block begins with its number, so that no other one can take its place.
    "one line": b"x",
    "random": RANDOM,
    # 3 and 4 bytes a character: pipes, frames and pieces cut them everywhere.
    "utf-8": "€😀".encode(),
    "ansi": b"\x1b[31m\x1b[2J\x1b]0;title",
    "endless escape": b"\x1b[" + b"9;" * 500 + b"\x1b]8;;",
    "lines": b"a line\n",
}


def blocks(kind: str, total_bytes: int) -> Iterator[bytes]:
    """The output in blocks of 64 KiB, the last one cut."""
    unit = KINDS[kind]
    body = unit * (BLOCK_BYTES // len(unit) + 1)
    for number in range(-(-total_bytes // BLOCK_BYTES)):
        left = total_bytes - number * BLOCK_BYTES
        yield (b"%010d" % number + body)[: min(BLOCK_BYTES, left)]


def main() -> None:
    """Print and fail."""
    for block in blocks(sys.argv[1], int(sys.argv[2])):
        rest = memoryview(block)
        while rest:
            rest = rest[os.write(1, rest) :]
    sys.exit(1)


if __name__ == "__main__":
    main()
