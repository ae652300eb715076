"""Following what happens to services, and firing what nobody asked for: ends and health.

One thread reads the engine's events, so that a hook that takes its time makes none of them late or
lost; the hooks run one after the other, in the order of the events.
"""

from __future__ import annotations

import queue
import threading

from stophooks.errors import StophooksError
from stophooks.lifecycles.services.base import (
    Change,
    ChangeKind,
    ServiceActionError,
    ServicesUnavailableError,
)
from stophooks.lifecycles.services.occasions import reason
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.lifecycles.services.base import Engine, Service
    from stophooks.lifecycles.services.occasions import Occasions
    from stophooks.occasion import Fire
    from stophooks.process import Stop

_HEALTH = {
    ChangeKind.HEALTHY: "service.post_healthcheck_success",
    ChangeKind.UNHEALTHY: "service.post_healthcheck_fail",
}


class Watching:
    """Follows the services of one engine.

    Args:
        engine: Who runs them.
        fire: Fires their events.
        occasions: Makes them.
        cancel: Ends it.
        tell: Takes a line for people about what happened.
    """

    def __init__(
        self,
        engine: Engine,
        fire: Fire,
        occasions: Occasions,
        *,
        cancel: Stop,
        tell: Callable[[str], None],
    ) -> None:
        self._engine = engine
        self._fire = fire
        self._occasions = occasions
        self._cancel = cancel
        self._tell = tell
        self._services: dict[str, Service] = {}
        self._told: queue.SimpleQueue[Change | str | StophooksError | None] = queue.SimpleQueue()

    def follow(self) -> None:
        """Follow them until ``cancel``.

        Raises:
            ServicesUnavailableError: The engine has no events to follow.
        """
        self._services = {one.name: one for one in self._engine.services()}
        thread = threading.Thread(target=self._read, name="services", daemon=True)
        thread.start()
        while (one := self._told.get()) is not None:
            if isinstance(one, StophooksError):
                raise one
            if isinstance(one, str):
                self._tell(one)
            elif not self._cancel.requested:
                self._happened(one)
        thread.join()

    def _read(self) -> None:
        try:
            for one in self._engine.changes(self._cancel):
                self._told.put(one)
        except StophooksError as err:
            self._told.put(err)
        self._told.put(None)

    def _happened(self, change: Change) -> None:
        service = self._service(change.service)
        if service is None:
            return
        name = change.instance or change.service
        if change.kind in _HEALTH:
            self._tell(f"{name}: {change.kind}")
            self._after(_HEALTH[change.kind], service, change)
        elif change.kind is ChangeKind.EXIT:
            # Who asked for it, this program or another, runs the hooks of a stop.
            asked = " (asked for)" if change.asked else ""
            self._tell(f"{name}: {reason(change) or 'ended'}{asked}")
            if not change.asked:
                self._after("service.post_exit", service, change)
        else:
            self._tell(f"{name}: started{' again by its engine' if change.automatic else ''}")
            if change.automatic:
                self._restarted(service, change)

    def _restarted(self, service: Service, change: Change) -> None:
        """The engine did not ask before it started the service again, so it is asked now."""
        general, own = self._occasions.changed("service.pre_start", service, change)
        if self._fire(general).blocks or self._fire(own).blocks:
            if self._cancel.requested:
                return
            self._tell(f"{service.name}: pre_start did not pass; it is stopped")
            try:
                self._engine.stop((service.name,), cancel=self._cancel)
            except (ServiceActionError, ServicesUnavailableError) as err:
                self._tell(f"{service.name}: did not stop: {err}")
            return
        self._after("service.post_start", service, change)

    def _after(self, event: str, service: Service, change: Change) -> None:
        general, own = self._occasions.changed(event, service, change)
        self._fire(own)
        self._fire(general)

    def _service(self, name: str) -> Service | None:
        """The service, by what its engine says of it; None for one that is in its file no more."""
        if name not in self._services:
            try:
                self._services = {one.name: one for one in self._engine.services()}
            except ServicesUnavailableError as err:
                self._tell(str(err))
        return self._services.get(name)
