"""Starting supervisord itself."""

from __future__ import annotations

import time

from stophooks.lifecycles.services.base import ServiceActionError, ServicesUnavailableError
from stophooks.lifecycles.services.waiting import pause
from stophooks.models import KIB
from stophooks.process import Cause, StartError, run
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stophooks.lifecycles.services.supervisordfile import Described
    from stophooks.models import Stream
    from stophooks.process import Stop

# It goes to the background as soon as it listens. Seconds.
LAUNCH_S = 30.0
_GRACE_S = 2.0
_LOOK_S = 0.05
_KEPT_BYTES = 16 * KIB


def launch(
    described: Described,
    *,
    environ: Mapping[str, str],
    answers: Callable[[], bool],
    cancel: Stop,
) -> None:
    """Start supervisord with this file; it goes to the background by itself and stays.

    Its working directory is the file's, where it puts its log and the file with its number unless
    the file says otherwise.

    Args:
        described: The file.
        environ: Its environment, which its programs inherit.
        answers: Whether somebody answers at its address.
        cancel: Ends the attempt.

    Raises:
        ServicesUnavailableError: It is not installed, or the file keeps it in the foreground.
        ServiceActionError: It does not come up; the text has its own words.
    """
    if described.nodaemon:
        raise ServicesUnavailableError(
            f"supervisord does not run, and {described.path} keeps it in the foreground "
            "(nodaemon), so somebody else has to start it. Start it, or remove nodaemon."
        )
    said = bytearray()

    def take(_: Stream, data: bytes) -> None:
        said.extend(data[: _KEPT_BYTES - len(said)])

    try:
        ended = run(
            ["supervisord", "-c", described.path],
            cwd=described.directory,
            env=environ,
            timeout_s=LAUNCH_S,
            grace_s=_GRACE_S,
            stop=cancel,
            output=take,
            keep_children=True,
        )
    except StartError as err:
        raise ServicesUnavailableError(
            f"supervisord does not run at {described.address} and cannot be started: {err}. "
            "Install it (Debian's package supervisor), or correct service.engine."
        ) from err
    until = time.monotonic() + LAUNCH_S
    while ended.cause is Cause.EXITED and time.monotonic() < until and not cancel.requested:
        # One that somebody else has started at the same moment will do as well.
        if answers():
            return
        if ended.code != 0:
            break
        pause(_LOOK_S, cancel)
    if not cancel.requested:
        words = said.decode("utf-8", "replace").split("For help")[0].strip().splitlines()
        why = " ".join(line.strip() for line in words[-3:]) or f"exit code {ended.code}"
        raise ServiceActionError(f"supervisord -c {described.path} did not come up: {why}")
