"""An action on services that nobody waits for, in a process of its own (``-d``)."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

from stophooks.cli import console, services_act, services_door
from stophooks.cli.services_act import Options
from stophooks.lifecycles.services.order import Verb, Wanted


def main() -> None:
    """Do what standard input asks for; what became of it is told by `services status`."""
    # Ignored signals are handed down to commands, which could then not be ended politely.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    console.prepare()
    order = json.load(sys.stdin)
    config = order["config"]
    options = Options(
        config=None if config is None else Path(config), no_hooks=order["no_hooks"], quiet=True
    )
    wanted = Wanted(verb=Verb(order["verb"]), names=tuple(order["names"]), clean=order["clean"])
    services_act.run(services_door.opened(options.config), wanted, options)
