"""The program's entry: the agents' door is taken before anything heavy is imported."""

from __future__ import annotations

import gc
import os
import sys

from stophooks.errors import last_resort

# What an agent understands as "go on" (see agents/base.py).
BLOCK = 2


def main() -> None:
    """Run the command line and exit with its code."""
    name, *rest = sys.argv[1:] or [""]  # noqa: TID251 -- floor 4: the command line is read here
    if name == "hook" and not {"--help", "-h"} & set(rest):
        _leave(_answer(rest))
    from stophooks.cli import main as cli  # noqa: PLC0415 -- the agents' door does not need it

    sys.exit(cli())


def _answer(argv: list[str]) -> int:
    """The answer to an agent, on purpose, whatever happens: it takes a crash for a pass."""
    # Looking for garbage among what is only being imported takes milliseconds.
    gc.disable()
    try:
        from stophooks import bundle  # noqa: PLC0415 -- only the agents' door is in such a hurry

        bundle.use()
        from stophooks.hook import main as hook  # noqa: PLC0415 -- a stop hook runs at every turn, without the command line's imports

        return hook(argv)
    except BaseException as err:  # noqa: BLE001 -- the last door: nothing may become a silent pass
        reason = last_resort(err)
        _write(1, f'{{"decision": "block", "reason": "{reason}"}}\n')
        _write(2, reason + "\n")
        return BLOCK


def _write(descriptor: int, text: str) -> None:
    try:
        os.write(descriptor, text.encode("ascii", "replace"))
    except OSError:
        # The agent has gone; the exit code is all that is left to say.
        return


def _leave(code: int) -> None:
    """End at once: on the long way out a signal, or a thread that hangs, would change the code."""
    os._exit(code)


if __name__ == "__main__":
    main()
