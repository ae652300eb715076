"""The executor for commands with an image: each in a container of its own."""

from __future__ import annotations

import time

from stophooks import threads
from stophooks.contexts import suppress
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.docker import faults, images, owner, podman, spec, volumes
from stophooks.executors.docker.identity import Identities
from stophooks.executors.docker.images import Pulls
from stophooks.executors.docker.lock import Lock
from stophooks.executors.docker.preflight import Preflight
from stophooks.executors.docker.run import ContainerRun
from stophooks.executors.docker.workspace import check_workdir, make_mount_points, workspace
from stophooks.models import Command, Expose, Outcome, Status
from stophooks.mounts import user_sockets
from stophooks.secrets.vault import Vault, variable
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.containers import Mount
    from stophooks.executors.base import Cancellation, Sink
    from stophooks.executors.docker.engine import Engine
    from stophooks.executors.docker.removal import Removals
    from stophooks.executors.docker.sweep import Sweep
    from stophooks.watchdog.guard import Guard


# For an image without one, whose command has secrets.
NO_SHELL = (
    "The secrets of a command are written by a shell of its image: use an image that has one, or "
    "write `expose: env` where the engine may show the secret."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Presence:
    """What there is while a run uses an engine."""

    lock: Lock
    labels: dict[str, str]
    identities: Identities


class DockerExecutor:
    """Runs each command in a container of its own, as the caller, and always removes it.

    Args:
        environ: Names the engine (DOCKER_HOST, DOCKER_CONTEXT …); nothing of it reaches commands.
        uid: The caller, who owns what the container writes into the project.
        gid: The caller's group.
        home: The caller's home directory, where Docker keeps its configuration.
        run_id: Marks everything that is made, as the label ``stophooks.run``.
        guard: Removes the containers if this process dies; None for nobody.
        lock_dir: Where the run keeps a lock that tells others that it is alive; None for none.
        deadline_s: So many seconds after its first command the whole run is over; None: unknown.
        vault: The secrets of the commands, and the mask for what they say; None for no secrets.
        session: Marks everything as this session's, as the label ``stophooks.session``.
        preflight: Of the same engine, begun already.
        memory_dir: Where what is known of images is kept; None for nowhere.
        removals: Remove the containers of commands that ended by themselves, beside what comes
            then; None: their outcomes wait for it.
    """

    def __init__(  # noqa: PLR0913 -- each is one fact about the caller
        self,
        environ: Mapping[str, str],
        uid: int,
        gid: int,
        home: str,
        run_id: str = "manual",
        *,
        guard: Guard | None = None,
        lock_dir: str | None = None,
        deadline_s: float | None = None,
        vault: Vault | None = None,
        session: str | None = None,
        preflight: Preflight | None = None,
        memory_dir: str | None = None,
        removals: Removals | None = None,
    ) -> None:
        self._removals = removals
        self._memory_dir = memory_dir
        self._session = session
        self._user_sockets = user_sockets(uid, home)
        self._uid, self._gid = uid, gid
        self._run_id = run_id
        self._lock_dir = lock_dir
        self._deadline_s = deadline_s
        self._vault = vault or Vault({})
        self._preflight = preflight or Preflight(environ, home, guard)
        self._pulls = Pulls(environ)
        self._presence: _Presence | None = None
        self._sweep: Sweep | None = None
        self._cancel: Cancellation | None = None
        self._lock = threads.Lock()
        self._volumes_lock = threads.Lock()

    def run(
        self, command: Command, *, timeout_s: float | None, sink: Sink, cancel: Cancellation
    ) -> Outcome:
        """Run one command in a container; see `stophooks.executors.base.Executor`."""
        if cancel.requested:
            return Outcome(status=Status.CANCELLED, reason=cancel.reason)
        self._cancel = cancel
        try:
            return self._run(command, timeout_s, sink, cancel)
        except ExecutorUnavailableError as err:
            return faults.outcome(err, cancel)

    def close(self) -> None:
        """Let go of the run's lock, and leave what dead runs left to the next one."""
        with self._lock:
            presence, self._presence = self._presence, None
            sweep, self._sweep = self._sweep, None
        if sweep is not None:
            # Who asked for the end of everything is not kept waiting.
            is_cancelled = self._cancel is not None and self._cancel.requested
            sweep.close(wait=not is_cancelled)
        if presence is not None:
            presence.lock.close()
        self._preflight.close()

    def _run(
        self, command: Command, timeout_s: float | None, sink: Sink, cancel: Cancellation
    ) -> Outcome:
        container = command.container
        if container is None:
            raise TypeError("a command without a container runs on the host")
        values = self._vault.values(command)
        files = {one.name: values[one.name] for one in command.secrets if one.expose is Expose.FILE}
        shown = [(name, variable(name, values[name])) for name in values if name not in files]
        command = replace(command, env=(*command.env, *shown))
        engine = self._connect(cancel)
        presence = self._appear(engine)
        spec.check(command, container, engine.info)
        image = images.obtain(engine, container, self._pulls, note=sink.note, cancel=cancel)
        identity = presence.identities.find(engine, command, container, image)
        project = workspace(container, command.project_dir)
        mounts = self._mounts(engine, (*project.mounts, *container.mounts))
        if project.mounts:
            make_mount_points(command.project_dir, container.mounts)
            check_workdir(container, command.project_dir)
        with self._volumes_lock:
            volumes.prepare(
                engine, mounts, identity=identity, image_id=image.id, labels=presence.labels
            )
        config = spec.container_config(
            command,
            container,
            image_id=image.id,
            identity=identity,
            mounts=mounts,
            info=engine.info,
            labels=presence.labels,
            secrets=files,
        )
        with podman.request(config, engine) as body:
            run = ContainerRun(
                engine,
                body,
                platform=container.platform,
                sink=sink,
                mask=self._vault.mask,
                secrets=files,
                removals=self._removals,
                beside=lambda: self._clear_up(engine),
            )
            outcome = run.run(timeout_s=timeout_s, cancel=cancel)
        if files and outcome.fault == "command-not-found":
            outcome = replace(outcome, remedy=NO_SHELL)
        return replace(outcome, notes=(*outcome.notes, *project.notes))

    def _connect(self, cancel: Cancellation) -> Engine:
        """The engine, once it has said what it is; one that is away is not asked again.

        Raises:
            ExecutorUnavailableError: It is away.
        """
        return self._preflight.engine(cancel)

    def _appear(self, engine: Engine) -> _Presence:
        """Tell other runs, once, that this one is there."""
        with self._lock:
            if self._presence is None:
                lock = Lock(self._lock_dir, self._run_id)
                now = time.time() + engine.info.clock_ahead_s
                expires = owner.expires(now, self._deadline_s)
                myself = owner.myself(lock.path)
                labels = owner.labels(self._run_id, myself, expires, session=self._session)
                self._presence = _Presence(
                    lock=lock,
                    labels=labels,
                    identities=Identities(self._uid, self._gid, labels, self._memory_dir),
                )
            return self._presence

    def _clear_up(self, engine: Engine) -> None:
        """Clear up, once, behind the runs that are not there any more."""
        with self._lock:
            if self._sweep is None:
                from stophooks.executors.docker.sweep import Sweep  # noqa: PLC0415 -- time: it is imported while the engine starts a container

                # Without another thread it is left to the next run.
                with suppress(RuntimeError):
                    self._sweep = Sweep(engine, self._lock_dir)

    def _mounts(self, engine: Engine, mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
        socket = engine.endpoint.socket
        sockets = self._user_sockets + ((socket,) if socket else ())
        return spec.resolved(mounts, sockets=sockets, engine_dir=engine.info.root_dir)
