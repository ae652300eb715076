"""Runs that meet a broken engine, and nothing left of them."""

from __future__ import annotations

import os
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from stophooks import threads
from stophooks.containers import Container
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import DockerExecutor, engine, removal, run
from stophooks.models import Command, Outcome, Stream
from stophooks.values import dataclass, field, replace
from tests.integration.docker.conftest import BUSYBOX, STRANGER, Case, case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

__all__ = ["case"]

# What is left of a run's threads ends within this; seconds.
SETTLE_S = 15.0
SPEAKS = "echo out; exit 3"


@dataclass(kw_only=True)
class Taken:
    """A sink that counts what it is given."""

    notes: list[str] = field(default_factory=list)
    taken_bytes: int = 0

    def write(self, stream: Stream, data: bytes) -> None:
        """Count."""
        del stream
        self.taken_bytes += len(data)

    def note(self, text: str) -> None:
        """Keep progress."""
        self.notes.append(text)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """An outcome and how long it took, in seconds."""

    outcome: Outcome
    seconds: float
    sink: Taken

    @property
    def short(self) -> tuple[str, str | None, int | None]:
        """What it comes down to."""
        return self.outcome.status.value, self.outcome.fault, self.outcome.exit_code

    @property
    def stdout(self) -> str:
        """What the command printed."""
        return (self.outcome.stdout.head + self.outcome.stdout.tail).decode()


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Runs commands on an engine that a test chooses; knows what is left of them."""

    case: Case
    run_id: str

    def executor(self, url: str | None, **environ: str) -> DockerExecutor:
        """An executor for the engine at ``url``, or for the real one."""
        named = {"DOCKER_HOST": url} if url else self.case.environ
        return DockerExecutor(
            {**named, **environ}, STRANGER, STRANGER, str(self.case.home), self.run_id
        )

    def command(self, script: str | None, argv: tuple[str, ...] | None, **options: Any) -> Command:
        """A command in a container."""
        # With both, nobody has to look into the image for its users.
        plain = {"image": BUSYBOX, "network": "none", "user": f"{STRANGER}:{STRANGER}"}
        container = Container(**(plain | options))
        return Command(
            name="case",
            project_dir=str(self.case.project),
            run=script,
            argv=argv,
            env=(("HOME", "/tmp"), ("PATH", "/bin:/usr/bin:/usr/local/bin")),
            container=container,
        )

    def run(
        self,
        url: str | None,
        script: str | None = SPEAKS,
        *,
        argv: tuple[str, ...] | None = None,
        timeout_s: float | None = 30,
        cancel: Cancellation | None = None,
        sink: Taken | None = None,
        environ: Mapping[str, str] | None = None,
        **container: Any,
    ) -> Ran:
        """Run one command on the engine at ``url``."""
        executor = self.executor(url, **(environ or {}))
        sink = sink or Taken()
        command = self.command(None if argv else script, argv, **container)
        began = time.monotonic()
        outcome = executor.run(
            command, timeout_s=timeout_s, sink=sink, cancel=cancel or Cancellation()
        )
        seconds = time.monotonic() - began
        executor.close()
        return Ran(outcome=outcome, seconds=seconds, sink=sink)

    def left(self) -> list[str]:
        """The containers of this test that the real engine has, as names."""
        found = self.case.client.api.containers(
            all=True, filters={"label": f"stophooks.run={self.run_id}"}
        )
        return [one["Names"][0].removeprefix("/") for one in found]

    def clear(self) -> None:
        """Remove what a test leaves on purpose."""
        for name in self.left():
            self.case.client.api.remove_container(name, force=True, v=True)

    def during(self, script: str, act: Callable[[str], object], **options: Any) -> Ran:
        """Run a command and do something to its container, by name, once it runs."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(self.run, None, script, **options)
            until(self.running)
            act(self.running()[0])
            return future.result(60)

    def running(self) -> list[str]:
        """The names of this test's containers that run."""
        found = self.case.client.api.containers(
            filters={"label": f"stophooks.run={self.run_id}", "status": "running"}
        )
        return [one["Names"][0].removeprefix("/") for one in found]


def until(condition: Callable[[], object], *, seconds: float = 15) -> None:
    """Poll a condition, and fail when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not true within {seconds} s")
        time.sleep(0.02)


def together(work: Callable[[Any], Any], cases: list[Any], *, threads: int = 8) -> dict[Any, Any]:
    """Each case's result, several at a time."""
    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(cases, pool.map(work, cases), strict=True))


def _threads() -> set[threading.Thread]:
    return {*threading.enumerate(), *threads.enumerate()}


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def bench(case: Case) -> Iterator[Bench]:
    """A bench that no container, thread or file descriptor is left on."""
    bench = Bench(case=replace(case), run_id=f"fault-{uuid.uuid4().hex}")
    bench.left()
    before, descriptors = _threads(), _descriptors()
    yield bench
    # The test's own client may have opened one connection per thread of the test.
    case.client.api.close()
    case.client.ping()
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline and (_threads() - before or _descriptors() > descriptors):
        time.sleep(0.02)
    left = bench.left()
    bench.clear()
    assert not left
    assert not _threads() - before
    assert _descriptors() <= descriptors


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a test can wait for; what it looks at is what happens at a bound."""
    monkeypatch.setattr(engine, "CALL_BOUND_S", 2.5)
    monkeypatch.setattr(removal, "CALL_BOUND_S", 2.5)
    monkeypatch.setattr(removal, "REMOVE_BOUND_S", 5.0)
    for name in ("CREATE_BOUND_S", "KILL_BOUND_S", "INSPECT_BOUND_S"):
        monkeypatch.setattr(run, name, 2.5)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds for whom killing does not work, and nothing else."""
    monkeypatch.setattr(run, "KILL_BOUND_S", 2.5)


@pytest.fixture
def shared(bench: Bench) -> Path:
    """The project, as the container sees it at /workspace."""
    return bench.case.project
