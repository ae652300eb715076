"""Commands in throwaway containers; imports docker-py, so import this only when one is needed."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import unavailable
from stophooks.executors.docker import endpoint, images, spec, volumes
from stophooks.executors.docker.engine import Engine
from stophooks.executors.docker.run import ContainerRun
from stophooks.executors.docker.workspace import make_mount_points, workspace
from stophooks.models import Command, Container, Mount, Outcome, Status
from stophooks.mounts import user_sockets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.executors.base import Cancellation, Sink
    from stophooks.executors.docker.images import Image, User


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
        self._uid = uid
        self._gid = gid
        self._home = home
        self._labels = {"stophooks.run": run_id}
        self._lock = threading.Lock()
        self._users: dict[str, tuple[User, ...]] = {}
        self._refusal: ExecutorUnavailableError | None = None

    def run(
        self, command: Command, *, timeout_s: float | None, sink: Sink, cancel: Cancellation
    ) -> Outcome:
        """Run one command in a container; see `stophooks.executors.base.Executor`."""
        try:
            self._connect()
            return self._run(command, timeout_s, sink, cancel)
        except ExecutorUnavailableError as err:
            return unavailable(err)

    def close(self) -> None:
        """Nothing is left in the background: every run removes its own container."""

    @cached_property
    def _engine(self) -> Engine:
        return Engine(endpoint.resolve(self._environ, self._home))

    def _connect(self) -> None:
        """Ask once what the engine is; an engine that is away is not asked again."""
        with self._lock:
            if self._refusal is not None:
                raise self._refusal
            try:
                _ = self._engine.info
            except ExecutorUnavailableError as err:
                self._refusal = err
                raise

    def _run(
        self, command: Command, timeout_s: float | None, sink: Sink, cancel: Cancellation
    ) -> Outcome:
        container = command.container
        if container is None:
            raise TypeError("a command without a container runs on the host")
        spec.check(command, container, self._engine.info)
        if cancel.requested:
            return Outcome(status=Status.CANCELLED, reason=cancel.reason)
        image = images.obtain(self._engine, container, note=sink.note, cancel=cancel)
        identity = self._identity(command, container, image)
        project = workspace(container, command.project_dir)
        mounts = self._mounts((*project.mounts, *container.mounts))
        if project.mounts:
            make_mount_points(command.project_dir, container.mounts)
        for mount in mounts:
            if mount.type == "volume":
                volumes.prepare(
                    self._engine,
                    mount,
                    identity=identity,
                    image_id=image.id,
                    labels=self._labels,
                )
        config = spec.container_config(
            command,
            container,
            image_id=image.id,
            identity=identity,
            mounts=mounts,
            info=self._engine.info,
            labels=self._labels,
        )
        run = ContainerRun(self._engine, config, platform=container.platform, sink=sink)
        outcome = run.run(timeout_s=timeout_s, cancel=cancel)
        return replace(outcome, notes=(*outcome.notes, *project.notes))

    def _mounts(self, mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
        socket = self._engine.endpoint.socket
        sockets = user_sockets(self._uid, self._home) + ((socket,) if socket else ())
        return spec.resolved(mounts, sockets=sockets, engine_dir=self._engine.info.root_dir)

    def _identity(self, command: Command, container: Container, image: Image) -> spec.Identity:
        """Who runs: the configured user, else the caller (in a rootless engine: root)."""
        if container.user is None:
            rootless = self._engine.info.is_rootless
            uid, gid = (0, 0) if rootless else (self._uid, self._gid)
            return self._with_home(
                spec.Identity(user=f"{uid}:{gid}", uid=uid, gid=gid), command, image
            )
        name, _, group = container.user.partition(":")
        if name.isdecimal():
            uid = int(name)
            gid = int(group) if group.isdecimal() else self._group(uid, image)
            return self._with_home(
                spec.Identity(user=container.user, uid=uid, gid=gid), command, image
            )
        known = next((user for user in self._known(image) if user.name == name), None)
        if known is None:
            return spec.Identity(user=container.user)
        return spec.Identity(user=container.user, uid=known.uid, gid=known.gid)

    def _group(self, uid: int, image: Image) -> int:
        """The group that the engine gives a user without one: the image's, else root's."""
        return next((user.gid for user in self._known(image) if user.uid == uid), 0)

    def _with_home(self, identity: spec.Identity, command: Command, image: Image) -> spec.Identity:
        if identity.uid == 0 or any(name == "HOME" for name, _ in command.env):
            return identity
        if any(user.uid == identity.uid for user in self._known(image)):
            return identity
        return replace(identity, home=spec.HOME)

    def _known(self, image: Image) -> tuple[User, ...]:
        with self._lock:
            if image.id not in self._users:
                self._users[image.id] = images.users(self._engine, image, self._labels)
            return self._users[image.id]
