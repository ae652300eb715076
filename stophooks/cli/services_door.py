"""From a working directory to the engine of its services, and to what is kept about them."""

from __future__ import annotations

import os

from stophooks import config as configs
from stophooks import invocation
from stophooks.cli import project, services_record
from stophooks.contexts import suppress
from stophooks.errors import StoreError
from stophooks.lifecycles.services import found
from stophooks.lifecycles.services.compose import ComposeEngine
from stophooks.lifecycles.services.occasions import Occasions
from stophooks.lifecycles.services.supervisord import SupervisordEngine
from stophooks.plan import Plan
from stophooks.store import state_dir
from stophooks.store.facts import Facts
from stophooks.store.hooklog import HookLog
from stophooks.store.lock import FileLock
from stophooks.store.memory import key
from stophooks.store.place import PRIVATE_DIR, writable_dir
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from stophooks.executors.docker.observed import Observed
    from stophooks.lifecycles.services.base import Engine

# The kind of fact that the last action on a set of services is.
ACTION = "services.action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The services of a project: their engine, their occasions, and what is kept about them."""

    plan: Plan
    engine: Engine
    occasions: Occasions
    key: str

    @property
    def directory(self) -> str:
        """Where their log and their locks are; it need not exist."""
        return os.path.join(writable_dir(state_dir(invocation.environ())), "services", self.key)

    @property
    def log(self) -> HookLog:
        """What their hooks have said."""
        return HookLog(self.directory)

    def lock(self, name: str) -> FileLock:
        """A lock of theirs, not taken yet: ``action`` or ``watch``.

        Raises:
            StoreError: There is no place for it.
        """
        path = os.path.join(self.directory, f"{name}.lock")
        try:
            os.makedirs(self.directory, mode=PRIVATE_DIR, exist_ok=True)
            return FileLock(path)
        except OSError as err:
            raise StoreError(f"no lock can be made: {path}: {err.strerror}.") from err

    def remember(self, action: dict[str, Any]) -> None:
        """Keep what the last action is, or was; one that cannot be kept is done all the same."""
        with suppress(StoreError), Facts(state_dir(invocation.environ())) as facts:
            facts.put(ACTION, self.key, action)

    def last(self) -> dict[str, Any] | None:
        """The last action, where one is known."""
        with Facts(state_dir(invocation.environ())) as facts:
            known = facts.get(ACTION, self.key)
        return services_record.told(known) if isinstance(known, dict) else None


def opened(path: Path | None) -> Door:
    """The services of a configuration, or of a project without one.

    Raises:
        ServicesUnavailableError: There are none, or nobody who runs them can be asked.
        ConfigInvalidError: The configuration has problems.
    """
    plan = _plan(path)
    chosen = found.find(plan.service, plan.project_dir)
    engine = _engine(chosen, plan)
    file = os.path.realpath(engine.file)
    return Door(
        plan=plan,
        engine=engine,
        occasions=Occasions(engine=engine, settings=plan.services),
        key=key(engine.name, engine.project, file)[:32],
    )


def _plan(path: Path | None) -> Plan:
    place = project.locate()
    if path is None and place.project_path is None and place.user_path is None:
        return Plan(config_path="", project_dir=place.project_dir)
    return project.plan(path)


def _engine(chosen: found.Found, plan: Plan) -> Engine:
    environ = invocation.public_environ()
    if chosen.engine == found.SUPERVISORD:
        return SupervisordEngine(
            chosen.files[0], environ=environ, state_dir=state_dir(invocation.environ())
        )
    return ComposeEngine(
        chosen.files,
        project_name=plan.service.project_name,
        environ=environ,
        read=configs.plain_yaml,
        observe=_observe,
    )


def _observe(name: str) -> Observed:
    from stophooks.executors.docker.observed import Observed  # noqa: PLC0415 -- docker-py takes several tenths of a second to import

    return Observed(name, invocation.public_environ(), invocation.home() or "/")
