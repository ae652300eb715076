"""The executor for commands with an image: each in a container of its own."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import unavailable
from stophooks.executors.docker import endpoint, images, spec, volumes
from stophooks.executors.docker.engine import Engine
from stophooks.executors.docker.identity import Identities
from stophooks.executors.docker.run import ContainerRun
from stophooks.executors.docker.workspace import check_workdir, make_mount_points, workspace
from stophooks.models import Command, Mount, Outcome, Status
from stophooks.mounts import user_sockets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.executors.base import Cancellation, Sink


class DockerExecutor:
    """Runs each command in a container of its own, as the caller, and always removes it.

    Args:
        environ: Names the engine (DOCKER_HOST, DOCKER_CONTEXT …); nothing of it reaches commands.
        uid: The caller, who owns what the container writes into the project.
        gid: The caller's group.
        home: The caller's home directory, where Docker keeps its configuration.
        run_id: Marks everything that is made, as the label ``stophooks.run``.
    """

    def __init__(
        self, environ: Mapping[str, str], uid: int, gid: int, home: str, run_id: str = "manual"
    ) -> None:
        self._environ = environ
        self._home = home
        self._user_sockets = user_sockets(uid, home)
        self._labels = {"stophooks.run": run_id}
        self._identities = Identities(uid, gid, self._labels)
        self._lock = threading.Lock()
        self._refusal: ExecutorUnavailableError | None = None

    def run(
        self, command: Command, *, timeout_s: float | None, sink: Sink, cancel: Cancellation
    ) -> Outcome:
        """Run one command in a container; see `stophooks.executors.base.Executor`."""
        if cancel.requested:
            return Outcome(status=Status.CANCELLED, reason=cancel.reason)
        try:
            return self._run(command, timeout_s, sink, cancel)
        except ExecutorUnavailableError as err:
            return unavailable(err)

    def close(self) -> None:
        """Nothing is left in the background: every run removes its own container."""

    def _run(
        self, command: Command, timeout_s: float | None, sink: Sink, cancel: Cancellation
    ) -> Outcome:
        container = command.container
        if container is None:
            raise TypeError("a command without a container runs on the host")
        engine = self._connect(cancel)
        spec.check(command, container, engine.info)
        image = images.obtain(engine, container, note=sink.note, cancel=cancel)
        identity = self._identities.find(engine, command, container, image)
        project = workspace(container, command.project_dir)
        mounts = self._mounts(engine, (*project.mounts, *container.mounts))
        if project.mounts:
            make_mount_points(command.project_dir, container.mounts)
            check_workdir(container, command.project_dir)
        volumes.prepare(engine, mounts, identity=identity, image_id=image.id, labels=self._labels)
        config = spec.container_config(
            command,
            container,
            image_id=image.id,
            identity=identity,
            mounts=mounts,
            info=engine.info,
            labels=self._labels,
        )
        run = ContainerRun(engine, config, platform=container.platform, sink=sink)
        outcome = run.run(timeout_s=timeout_s, cancel=cancel)
        return replace(outcome, notes=(*outcome.notes, *project.notes))

    @cached_property
    def _engine(self) -> Engine:
        return Engine(endpoint.resolve(self._environ, self._home))

    def _connect(self, cancel: Cancellation) -> Engine:
        """Ask once what the engine is; an engine that is away is not asked again.

        Raises:
            ExecutorUnavailableError: It is away.
        """
        with self._lock:
            if self._refusal is not None:
                raise self._refusal
            try:
                engine = self._engine.until(cancel)
                _ = engine.info
            except ExecutorUnavailableError as err:
                self._refusal = err
                raise
        return engine

    def _mounts(self, engine: Engine, mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
        socket = engine.endpoint.socket
        sockets = self._user_sockets + ((socket,) if socket else ())
        return spec.resolved(mounts, sockets=sockets, engine_dir=engine.info.root_dir)
