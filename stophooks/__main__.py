"""The program's entry: the agents' door is taken before anything heavy is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:2] == ["hook"]:  # noqa: TID251 -- floor 4: this is where the command line is read
        # A stop hook runs at every turn: its door needs none of the command line's imports.
        from stophooks.hook import main as hook  # noqa: PLC0415

        sys.exit(hook(sys.argv[2:]))  # noqa: TID251
    from stophooks.cli import main as cli  # noqa: PLC0415 -- see above

    sys.exit(cli())


if __name__ == "__main__":
    main()
