"""The containers of a section's run: the engine is asked early, and they are removed late."""

from __future__ import annotations

import os

from stophooks import threads
from stophooks.contexts import suppress
from stophooks.errors import StoreError
from stophooks.invocation import environ, home, public_environ
from stophooks.store import state_dir
from stophooks.store.place import writable_dir
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stophooks.executors.base import Executor
    from stophooks.executors.docker.preflight import Preflight
    from stophooks.executors.docker.removal import Removals
    from stophooks.executors.later import LaterExecutor
    from stophooks.plan import Section
    from stophooks.secrets.vault import Vault
    from stophooks.watchdog.guard import Guard

_LEFT = (
    "LEAK: the container {0} of an earlier run could not be removed. The next run that uses its "
    "engine tries again; or remove it with `docker rm -f {0}`."
)


class Boxes:
    """What one run of a section does about its containers beside running them.

    Args:
        section: What is run.
        run_id: Names the run.
        session: The agent's session, where there is one.
        answers_first: Whether the report comes before the containers of commands that ended by
            themselves are gone; `close` sees to them.
        preflight: What `preflight_for` gave for this section, if that was asked already.
    """

    def __init__(
        self,
        section: Section,
        run_id: str,
        *,
        session: str | None,
        answers_first: bool,
        preflight: Callable[[], Preflight] | None,
    ) -> None:
        self._section = section
        self._run_id = run_id
        self._session = session
        self._answers_first = answers_first
        self._preflight = preflight
        self._removals: Removals | None = None

    @property
    def are_left(self) -> bool:
        """Whether some may still be there."""
        return self._removals is not None

    def executor(
        self, guard: Guard, inherited: Mapping[str, str], vault: Callable[[], Vault]
    ) -> LaterExecutor[Preflight] | None:
        """The executor for containers, if any command needs one; it is made beside all else.

        Args:
            guard: Removes what is left if this process dies.
            inherited: What commands inherit, and what names the engine.
            vault: The secrets, once they are needed.
        """
        preflight = self._preflight or preflight_for(self._section)
        if preflight is None:
            return None
        from stophooks.executors.later import LaterExecutor  # noqa: PLC0415 -- few runs need it

        def begin() -> Preflight:
            begun = preflight()
            begun.guard = guard
            # While the engine answers.
            __import__("stophooks.executors.docker.executor")
            return begun

        def finish(preflight: Preflight) -> Executor:
            from stophooks.executors.docker import DockerExecutor  # noqa: PLC0415 -- the same
            from stophooks.executors.docker.removal import Removals  # noqa: PLC0415 -- the same

            self._removals = Removals() if self._answers_first else None
            return DockerExecutor(
                inherited,
                os.getuid(),
                os.getgid(),
                home() or "/",
                self._run_id,
                guard=guard,
                lock_dir=os.path.join(state_dir(inherited), "locks"),
                memory_dir=os.path.join(state_dir(inherited), "images"),
                deadline_s=self._section.deadline_s,
                vault=vault(),
                session=self._session,
                preflight=preflight,
                removals=self._removals,
            )

        return LaterExecutor(begin, finish)

    def close(self, guard: Guard) -> None:
        """Come back when all are gone, or a watchdog has those that are not."""
        if self._removals is not None and not guard.holds():
            for name in self._removals.wait():
                from stophooks.watchdog import leaks  # noqa: PLC0415 -- hardly ever needed

                leaks.keep(leaks_dir(state_dir(environ())), name)


def left_behind() -> tuple[str, ...]:
    """What there is to say of containers that no watchdog could remove; it is said once."""
    folder = leaks_dir(state_dir(environ()))
    if not os.path.exists(folder):
        return ()
    from stophooks.watchdog import leaks  # noqa: PLC0415 -- hardly ever is there anything

    return tuple(map(_LEFT.format, leaks.take(folder)))


def leaks_dir(wanted: str) -> str:
    """Where it is kept that a container could not be removed; empty where nothing can be kept."""
    with suppress(StoreError):
        return os.path.join(writable_dir(wanted), "leaks")
    return ""


def preflight_for(section: Section) -> Callable[[], Preflight] | None:
    """Begin to ask the engine what it is, beside everything else; returns the way to the answer.

    None where no command of the section has a container.
    """
    if not any(command.container for command in section.commands):
        return None
    # What the main thread asks it needs, too; two threads that import from one package at once may
    # wait for each other.
    from stophooks.memo import image  # noqa: F401, PLC0415 -- as above

    begun: list[Preflight] = []

    def begin() -> None:
        # What goes wrong here goes wrong again where somebody can say so.
        with suppress(Exception):
            begun.append(_preflight())

    thread = threads.Thread(target=begin, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the system gives no more threads
        return _preflight

    def get() -> Preflight:
        # Imports end, and nothing else is waited for in that thread.
        thread.join()
        return begun[0] if begun else _preflight()

    return get


def _preflight() -> Preflight:
    from stophooks.executors.docker.preflight import Preflight  # noqa: PLC0415 -- few runs need it

    preflight = Preflight(public_environ(), home() or "/", None)
    preflight.begin()
    return preflight
