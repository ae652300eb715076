"""Start a command, keep its output flowing, and end everything that it started.

The only place that starts and signals processes. `table` reads what runs on this machine,
`family` finds and ends what a command started, `company` and `tag` tell whose it is, `child` is the
program itself, `pump` takes its output, `run` is the one sequence, `identity` is whom the program
runs as. `orphan` starts a process that is to outlive this one, `tool` asks a short program
something.
"""

from stophooks.process.child import Guard, StartError, Streams, keep_exit_codes
from stophooks.process.pump import Never, Stop
from stophooks.process.run import Cause, Ended, run

__all__ = [
    "Cause",
    "Ended",
    "Guard",
    "Never",
    "StartError",
    "Stop",
    "Streams",
    "keep_exit_codes",
    "run",
]
