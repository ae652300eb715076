"""The content of a project, where it can be told; and what is done while git tells it."""

from __future__ import annotations

import sys
import threading

from stophooks.errors import StophooksError
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from stophooks.inputs import Tree


def look(
    project_dir: str,
    environ: Mapping[str, str],
    *,
    state_dir: str,
    deadline_s: float | None = None,
) -> Tree | None:
    """What the project's files hold now; None where it cannot be told.

    Args:
        project_dir: The project; absolute.
        environ: What the program that reads it gets.
        state_dir: Where what makes the next look fast is kept.
        deadline_s: Seconds that it may take; None for the usual time.
    """
    try:
        from stophooks import inputs  # noqa: PLC0415 -- a skipped stop needs none

        limit_s = inputs.DEADLINE_S if deadline_s is None else deadline_s
        return inputs.look(project_dir, environ=environ, state_dir=state_dir, deadline_s=limit_s)
    except (StophooksError, OSError, ImportError, MemoryError):
        # Not known is not unchanged: the checks run.
        return None


# How long a thread calculates while another one waits for its turn; a fiftieth of Python's own
# choice. Seconds.
SWITCH_S = 0.0001


class Looking:
    """A look in a thread of its own: git is mostly waited for.

    Args:
        look: Gives the tree, or None where that cannot be told.
    """

    def __init__(self, look: Callable[[], Tree | None]) -> None:
        self._look = look
        self._tree: Tree | None = None
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = threading.Thread(target=self._work, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the system gives no more threads
            self._thread = None
            self._work()

    def meanwhile(self, modules: Iterable[str]) -> None:
        """Wait for the end of the look, and import what is needed next meanwhile."""
        usual_s = sys.getswitchinterval()
        # The thread has little to do between one answer of the system and the next question; it is
        # not to wait each time for as long as Python lets another one calculate.
        sys.setswitchinterval(SWITCH_S)
        try:
            for name in modules:
                if self._thread is None or not self._thread.is_alive():
                    return
                __import__(name)
            if self._thread is not None:
                self._thread.join()
        finally:
            sys.setswitchinterval(usual_s)

    def tree(self) -> Tree | None:
        """What it saw.

        Raises:
            BaseException: What the look raised.
        """
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._tree

    def _work(self) -> None:
        try:
            self._tree = self._look()
        except BaseException as err:  # noqa: BLE001 -- raised where the tree is asked for
            self._error = err
