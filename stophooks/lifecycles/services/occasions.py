"""What the hooks of a service are told and what they inherit."""

from __future__ import annotations

import os

from stophooks.lifecycles.services.base import ChangeKind
from stophooks.occasion import Occasion, Prior, Subject
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stophooks.lifecycles.services.base import Change, Engine, Service
    from stophooks.plan import ServiceSettings

# The services that an action is about, for general hooks, which run once for all of them.
SERVICES = "STOPHOOKS_SERVICES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasions:
    """Makes the occasions of one set of services.

    ``settings`` are the services' own as the configuration has them.
    """

    engine: Engine
    settings: Sequence[ServiceSettings] = ()

    def general(self, event: str, names: Sequence[str]) -> Occasion:
        """An event of an action as a whole: its hooks inherit nothing of the services."""
        return Occasion(
            event=event,
            subject=Subject(kind="service", id=self.engine.project, path=self._directory),
            env=((SERVICES, " ".join(names)),),
        )

    def own(self, event: str, service: Service) -> Occasion:
        """An event of one service: its hooks are where it is, as who it is, with what it has.

        What the configuration says of it goes before what the engine's own file says.
        """
        said = next((one for one in self.settings if one.name == service.name), None)
        env = {**dict(service.env), **(dict(said.env) if said else {}), SERVICES: service.name}
        return Occasion(
            event=event,
            of=service.name,
            subject=Subject(kind="service", id=service.name, path=self._directory),
            env=tuple(env.items()),
            user=(said and said.user) or service.user,
            working_dir=(said and said.working_dir) or service.working_dir,
        )

    def changed(self, event: str, service: Service, change: Change) -> tuple[Occasion, Occasion]:
        """An event of one service that nobody asked for: the general occasion and its own."""
        general, own = self.general(event, (service.name,)), self.own(event, service)
        subject, why = own.subject, reason(change)
        failed = change.exit_code not in {0, None} or change.kind is ChangeKind.UNHEALTHY
        prior = Prior.FAILURE if failed else Prior.SUCCESS
        code, number = change.exit_code, change.signal
        return (
            replace(
                general, subject=subject, prior=prior, exit_code=code, signal=number, reason=why
            ),
            replace(own, prior=prior, exit_code=code, signal=number, reason=why),
        )

    @property
    def _directory(self) -> str:
        return os.path.dirname(self.engine.file)


def reason(change: Change) -> str | None:
    """Why it happened, in words."""
    if change.reason is not None:
        return change.reason
    if change.signal is not None:
        return f"ended by signal {change.signal}"
    return None if change.exit_code is None else f"exited with code {change.exit_code}"
