"""The program's entry: the agents' door is taken before anything heavy is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    name, *rest = sys.argv[1:] or [""]  # noqa: TID251 -- floor 4: the command line is read here
    if name == "hook" and not {"--help", "-h"} & set(rest):
        # A stop hook runs at every turn: its door needs none of the command line's imports.
        from stophooks.hook import main as hook  # noqa: PLC0415

        sys.exit(hook(rest))
    from stophooks.cli import main as cli  # noqa: PLC0415 -- see above

    sys.exit(cli())


if __name__ == "__main__":
    main()
