"""Put every probe to an engine, several at a time, in a directory that is gone afterwards."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

from stophooks import threads
from stophooks.containers import Container, Pull
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.docker import (
    probes_endings,
    probes_files,
    probes_limits,
    probes_network,
    probes_output,
    probes_rights,
)
from stophooks.executors.docker.bench import BOUND_S, Listener, Recorder, files_in, temporary
from stophooks.executors.docker.engine import Engine, EngineRefusedError
from stophooks.executors.docker.probe import (
    Bench,
    Judgement,
    Probe,
    Seen,
    judged,
    unknown,
)
from stophooks.executors.docker.probe_image import environment
from stophooks.models import Command, Stream
from stophooks.proofs import Proof, Verdict
from stophooks.typed import TYPE_CHECKING
from stophooks.values import replace

if TYPE_CHECKING:
    from stophooks.executors.base import Cancellation
    from stophooks.executors.docker.bench import Caller
    from stophooks.models import Outcome

PROBES: tuple[Probe, ...] = (
    *probes_limits.PROBES,
    *probes_network.PROBES,
    *probes_rights.PROBES,
    *probes_files.PROBES,
    *probes_endings.PROBES,
    *probes_output.PROBES,
)
# More at once only wait for the engine.
AT_ONCE = 4


class Probing:
    """All probes for one engine and one image.

    Args:
        engine: Where it is asked what it has.
        caller: Who runs commands.
        image: The image of every container; it must be on the engine and have ``/bin/sh``.
        cancel: Ends everything early.
        run_id: Marks the containers.
    """

    def __init__(
        self, engine: Engine, caller: Caller, image: str, *, cancel: Cancellation, run_id: str
    ) -> None:
        self._engine = engine
        self._caller = caller
        self._image = image
        self._cancel = cancel
        self._run_id = run_id
        self._executor = caller.executor(run_id)

    def run(self, probes: tuple[Probe, ...] = PROBES) -> tuple[Proof, ...]:
        """Put every probe to the engine; results in the order of the probes.

        Raises:
            ExecutorUnavailableError: The engine cannot be asked at all.
        """
        timer = threads.Timer(BOUND_S, self._cancel.request, ("the time for all probes is up",))
        timer.daemon = True
        timer.start()
        try:
            with temporary() as directory, Listener() as listener:
                bench = self._bench(directory, listener)
                # The slow ones first, so that none of them is waited for alone.
                slow_first = sorted(probes, key=lambda probe: -probe.copies)
                with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="probe") as pool:
                    asked = {
                        probe.name: pool.submit(self._prove, probe, bench, listener)
                        for probe in slow_first
                    }
                return tuple(asked[probe.name].result() for probe in probes)
        finally:
            timer.cancel()
            self._executor.close()

    def _bench(self, directory: str, listener: Listener) -> Bench:
        info = self._engine.info
        return Bench(
            project=directory,
            uid=self._caller.uid,
            gid=self._caller.gid,
            inside=(0, 0) if info.is_rootless else (self._caller.uid, self._caller.gid),
            port=listener.port,
            engine_socket=self._engine.endpoint.socket,
            image_env=environment(self._engine, self._image),
        )

    def _prove(self, probe: Probe, bench: Bench, listener: Listener) -> Proof:
        began = time.monotonic()
        try:
            judgement = self._judgement(probe, bench, listener)
        except (ExecutorUnavailableError, EngineRefusedError, OSError) as err:
            judgement = unknown(str(err))
        return Proof(
            theme=probe.theme,
            name=probe.name,
            expects=probe.expects,
            verdict=judgement.verdict,
            seen=judgement.seen,
            duration_s=time.monotonic() - began,
        )

    def _judgement(self, probe: Probe, bench: Bench, listener: Listener) -> Judgement:
        """The first copy that does not hold, or the first one."""
        copies = [self._at(bench, probe, copy) for copy in range(probe.copies)]
        if probe.copies == 1:
            seen = [self._seen(probe, copies[0], listener)]
        else:
            with ThreadPoolExecutor(probe.copies, thread_name_prefix="copy") as pool:
                seen = list(pool.map(lambda one: self._seen(probe, one, listener), copies))
        judgements = [judged(probe, one) for one in seen]
        others = (one for one in judgements if one.verdict is not Verdict.HOLDS)
        return next(others, judgements[0])

    def _at(self, bench: Bench, probe: Probe, copy: int) -> Bench:
        project = os.path.join(bench.project, f"{probe.name}-{copy}")
        os.mkdir(project)
        return replace(bench, project=project, copy=copy)

    def _seen(self, probe: Probe, bench: Bench, listener: Listener) -> Seen:
        recorder = Recorder()
        outcome = self._outcome(probe, bench, recorder)
        seen = Seen(
            bench=bench,
            outcome=outcome,
            stdout=bytes(recorder.data[Stream.STDOUT]),
            stderr=bytes(recorder.data[Stream.STDERR]),
            files=files_in(bench.project),
            visits=listener.visits,
        )
        if not probe.wants_leftovers:
            return seen
        containers, volumes = _left(self._engine, f"{self._run_id}-alone")
        return replace(seen, containers=containers, volumes=volumes)

    def _outcome(self, probe: Probe, bench: Bench, recorder: Recorder) -> Outcome:
        question = probe.ask(bench)
        options = {"network": "none"} | dict(question.options)
        command = Command(
            name=probe.name,
            project_dir=bench.project,
            run=question.run,
            argv=question.argv,
            env=question.env,
            timeout_s=question.timeout_s,
            container=Container(image=self._image, pull=Pull.NEVER, **options),
        )
        alone = self._caller.executor(f"{self._run_id}-alone") if probe.wants_leftovers else None
        try:
            return (alone or self._executor).run(
                command, timeout_s=question.timeout_s, sink=recorder, cancel=self._cancel
            )
        finally:
            if alone is not None:
                alone.close()


def _left(engine: Engine, run_id: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The containers of a run and every volume that the engine has."""
    marked = {"label": f"stophooks.run={run_id}"}
    containers = engine.call("list", lambda client: client.containers(**marked))
    volumes = engine.call("volumes", lambda client: client.volumes())
    return (
        tuple(name for one in containers for name in one.get("Names") or (one["Id"],)),
        tuple(one["Name"] for one in volumes.get("Volumes") or ()),
    )
