"""The connections of one container while it lives: its output, its exit, and its secrets."""

from __future__ import annotations

from stophooks.executors.docker import faults
from stophooks.executors.docker.answers import EngineRefusedError
from stophooks.executors.docker.feed import Feed
from stophooks.executors.docker.stream import Pump
from stophooks.executors.docker.waiter import Waiter
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stophooks.executors.base import Sink
    from stophooks.executors.docker.engine import Engine
    from stophooks.executors.docker.happenings import Happenings
    from stophooks.secrets.mask import Mask

# How long the engine may take to open one, and to let go of it; seconds.
BOUND_S = 5.0
# An engine that answers at once has the wait registered by then; seconds.
ARMED_BOUND_S = 1.0


class Links:
    """Opened before the start, so that nothing of what the container says and does is missed.

    Args:
        engine: Whose calls end when everything is to end.
        name: The container's.
        heard: Is told what is heard over them.
        sink: Takes the output.
        mask: Takes secrets out of it first.
        secrets: Are written into the container.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        heard: Happenings,
        *,
        sink: Sink,
        mask: Mask | None,
        secrets: Mapping[str, bytes] | None,
    ) -> None:
        self._engine = engine
        self._name = name
        self._attach = engine.open()
        self._feed = Feed(engine.open(), secrets) if secrets else None
        self._waiter = Waiter(engine.open(), heard.wait_ended)
        self.output = Pump(self._attach, sink, heard.output_ended, mask)

    def open(self, *, meanwhile: Callable[[], None]) -> None:
        """Open them all; ``meanwhile`` is called once while the engine does so.

        Raises:
            ExecutorUnavailableError: One cannot be opened.
        """
        # Podman says nothing to a wait until the exit, and may miss one that comes soon after.
        is_told = not self._engine.info.is_podman
        if is_told:
            self._waiter.begin(self._name)
        try:
            self._engine.call(
                "attach",
                lambda client: self.output.attach(client, self._name),
                bound_s=BOUND_S,
                on=self._attach,
                meanwhile=meanwhile,
            )
            if feed := self._feed:
                self._engine.call(
                    "attach",
                    lambda client: feed.attach(client, self._name),
                    bound_s=BOUND_S,
                    on=feed.connection,
                )
        except EngineRefusedError as err:
            raise faults.start(err) from err
        if is_told:
            self._waiter.armed(self._engine.left(ARMED_BOUND_S))

    def started(self) -> None:
        """The container was started: ask now for its exit where that was no use before."""
        if self._engine.info.is_podman:
            self._waiter.begin(self._name, condition="not-running")

    def close(self) -> None:
        """End them and let their threads end."""
        self.output.abort()
        self._waiter.abort()
        if self._feed is not None:
            self._feed.abort()
            self._feed.join(self._engine.left(BOUND_S))
        self.output.join(self._engine.left(BOUND_S))
        self._waiter.join(self._engine.left(BOUND_S))
