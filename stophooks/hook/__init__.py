"""The agents' door: one event on stdin, one answer on stdout and stderr, one exit code.

Whatever happens in here, the agent gets an answer on purpose: it would take a crash for a pass.
"""

from __future__ import annotations

from stophooks import bundle
from stophooks.agents import base
from stophooks.contexts import suppress
from stophooks.errors import last_resort
from stophooks.hook.call import Call
from stophooks.hook.explain import explain
from stophooks.hook.outlet import Outlet
from stophooks.hook.watch import Watch
from stophooks.invocation import environ, hold_environ
from stophooks.store import database
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str]) -> int:
    """Answer the agent that called ``stophooks hook`` and return the answer's exit code."""
    outlet = Outlet()
    try:
        return _answer(argv, outlet)
    except BaseException as err:  # noqa: BLE001 -- the door: nothing may become a silent pass
        reason = last_resort(err)
        # By hand: what is broken may be what writes JSON.
        stdout = f'{{"decision": "block", "reason": "{reason}"}}\n'
        return outlet.send(
            base.Reply(stdout=stdout, stderr=reason + "\n", exit_code=base.BLOCK_EXIT)
        )


def _answer(argv: Sequence[str], outlet: Outlet) -> int:
    hold_environ()
    database.keep_open()
    call = Call(environ())
    watch = Watch(outlet, call)
    watch.start()
    try:
        reply = call.answer(argv, watch)
    except Exception as err:  # noqa: BLE001 -- the door: no error may become a silent pass
        reply = base.block(explain(err))
    code = outlet.send(reply)
    # The answer is given: nothing that comes after it may change its exit code.
    with suppress(Exception):
        call.tidy()
        bundle.keep()
    outlet.close()
    return code
