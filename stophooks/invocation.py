"""One call by a person or an agent: what it finds around it, and how it runs a section.

Both doors use it, so that a command has the same surroundings by hand as under an agent.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from stophooks.agents import AGENTS
from stophooks.errors import UsageError
from stophooks.store import state_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.engine import Observer
    from stophooks.executors.base import Cancellation, Executor
    from stophooks.models import Report
    from stophooks.plan import Plan, Section
    from stophooks.store.logs import RunLogs


def directory() -> str:
    """The working directory.

    Raises:
        UsageError: It was removed.
    """
    try:
        return os.getcwd()  # noqa: TID251 -- floor 4
    except FileNotFoundError as err:
        raise UsageError("The working directory no longer exists. Change to another one.") from err


def environ() -> dict[str, str]:
    """The environment, as a copy."""
    return dict(os.environ)  # noqa: TID251 -- floor 4


def public_environ() -> dict[str, str]:
    """The environment without what belongs to an agent: what configurations and commands see."""
    return {
        name: value
        for name, value in environ().items()
        if not any(agent.private(name) for agent in AGENTS.values())
    }


def home() -> str | None:
    """The home directory, or None where there is none."""
    found = os.path.expanduser("~")
    return found if os.path.isabs(found) else None


class SectionRun:
    """One run of one section, with its logs.

    Args:
        section: What to run.
        plan: Where it comes from.
    """

    def __init__(self, section: Section, plan: Plan) -> None:
        self._section = section
        self._plan = plan
        self._run_id = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.urandom(4).hex()}"
        self._logs: RunLogs | None = None

    def report(self, *, cancel: Cancellation, observer: Observer | None = None) -> Report:
        """Run it to its end; everything that it started is gone afterwards."""
        from stophooks import engine  # noqa: PLC0415 -- an agent's call without commands needs none
        from stophooks.store.logs import RunLogs  # noqa: PLC0415 -- the same

        self._logs = RunLogs(state_dir(environ()), self._run_id)
        executors = self._executors(public_environ())
        try:
            return engine.run(
                self._section,
                project_dir=self._plan.project_dir,
                executors=executors,
                cancel=cancel,
                logs=self._logs,
                observer=observer,
            )
        finally:
            for executor in executors.values():
                executor.close()
            self._logs.close()

    def tidy(self) -> None:
        """Remove the logs of old runs; nobody needs to wait for this."""
        from stophooks.store.logs import prune  # noqa: PLC0415 -- as above

        if self._logs is not None:
            prune(self._logs.state_dir, keep=self._run_id)

    def _executors(self, environ: Mapping[str, str]) -> dict[str, Executor]:
        from stophooks.executors.host import HostExecutor  # noqa: PLC0415 -- as above

        executors: dict[str, Executor] = {"host": HostExecutor(environ)}
        if any(command.container for command in self._section.commands):
            from stophooks.executors.docker import DockerExecutor  # noqa: PLC0415 -- docker-py takes several tenths of a second to import

            executors["docker"] = DockerExecutor(
                environ, os.getuid(), os.getgid(), home() or "/", self._run_id
            )
        return executors
