"""``stophooks doctor``."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING, Annotated

import typer

from stophooks import __version__, invocation
from stophooks.cli import COULD_NOT_RUN, console
from stophooks.cli.formats import ConfigOption, Format, FormatOption
from stophooks.cli.health import agents, engine, program, project, state
from stophooks.cli.interrupt import cancelling
from stophooks.errors import ExecutorUnavailableError, UsageError
from stophooks.executors.base import Cancellation
from stophooks.proofs import Level, Verdict
from stophooks.reports import doctor as report
from stophooks.store import state_dir

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stophooks.executors.docker.bench import Caller
    from stophooks.executors.docker.engine import Engine
    from stophooks.models import Command
    from stophooks.proofs import Finding, Proof

DOES_NOT_HOLD = 1
# What a shell reports for a program that signal n ended.
SIGNALLED = 128

ProbeOption = Annotated[
    bool, typer.Option("--probe", help="Run short containers and show what really holds.")
]
ImageOption = Annotated[
    str | None,
    typer.Option("--image", metavar="REF", help="Probe with this image; it is never pulled."),
]


def doctor(
    *,
    config: ConfigOption = None,
    probe: ProbeOption = False,
    image: ImageOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Look at everything that the checks need, and change nothing."""
    if image is not None and not probe:
        raise UsageError("--image says what to probe with. Add --probe.")
    cancel = Cancellation()
    with cancelling(cancel) as received:
        found, commands, docker = _findings(str(config) if config else None, cancel, probing=probe)
        probed = None
        if probe and docker is not None:
            probed = _probed(docker, commands, image, cancel)
    if format_ is Format.JSON:
        console.out(report.json(found, probed, version=__version__))
    else:
        console.out(report.text(found, probed, width=shutil.get_terminal_size().columns))
    if received.number is not None:
        raise typer.Exit(SIGNALLED + received.number)
    raise typer.Exit(exit_code(found, probed.proofs if probed else (), wanted=probe))


def exit_code(findings: Iterable[Finding], proofs: Iterable[Proof], *, wanted: bool) -> int:
    """1 when a probe does not hold, 3 for a problem or what could not be told, else 0.

    ``wanted`` says that probes were asked for: without any, nothing could be told.
    """
    verdicts = {one.verdict for one in proofs}
    if Verdict.FAILS in verdicts:
        return DOES_NOT_HOLD
    has_problem = any(one.level is Level.PROBLEM for one in findings)
    is_open = Verdict.UNKNOWN in verdicts or (wanted and not verdicts)
    return COULD_NOT_RUN if has_problem or is_open else 0


def _findings(
    path: str | None, cancel: Cancellation, *, probing: bool
) -> tuple[list[Finding], Sequence[Command], Engine | None]:
    """Everything that was looked at, the commands, and the engine if it answers."""
    environ, directory, home = (
        invocation.public_environ(),
        invocation.directory(),
        invocation.home(),
    )
    path = os.path.join(directory, path) if path else None
    found = project.look(path, directory=directory, home=home, environ=environ)
    on_host = any(command.container is None for command in found.commands)
    docker, about_engine = _engine(found.commands, cancel, probing=probing)
    return (
        [
            *program.findings(environ, needs_shell=on_host),
            *found.findings,
            *agents.findings(found.plan, directory=directory, environ=environ),
            *state.findings(state_dir(invocation.environ())),
            *about_engine,
        ],
        found.commands,
        docker,
    )


def _engine(
    commands: Sequence[Command], cancel: Cancellation, *, probing: bool
) -> tuple[Engine | None, list[Finding]]:
    # docker-py takes several tenths of a second to import.
    from stophooks.executors.docker import survey  # noqa: PLC0415

    needed = probing or any(command.container for command in commands)
    try:
        docker = survey.find(invocation.public_environ(), invocation.home() or "/")
        return docker, list(
            engine.findings(survey.survey(docker, commands, cancel=cancel), commands)
        )
    except ExecutorUnavailableError as err:
        return None, [engine.absent(err, needed=needed)]


def _probed(
    docker: Engine, commands: Sequence[Command], image: str | None, cancel: Cancellation
) -> report.Probed | None:
    from stophooks.executors.docker import bench, probing  # noqa: PLC0415 -- as above
    from stophooks.watchdog.guard import Guard  # noqa: PLC0415 -- as above

    environ = invocation.environ()
    with Guard(environ) as guard:
        caller = bench.Caller(
            environ=invocation.public_environ(),
            uid=os.getuid(),
            gid=os.getgid(),
            home=invocation.home() or "/",
            guard=guard,
            lock_dir=os.path.join(state_dir(environ), "locks"),
        )
        chosen = _image(docker, caller, commands, image, cancel)
        if chosen is None:
            return None
        count = len(probing.PROBES)
        console.err(f"Probing with {chosen}: {count} probes, a second or two each ...")
        began = time.monotonic()
        run_id = f"probe-{os.getpid()}-{os.urandom(4).hex()}"
        proofs = probing.Probing(docker, caller, chosen, cancel=cancel, run_id=run_id).run()
    return report.Probed(image=chosen, duration_s=time.monotonic() - began, proofs=proofs)


def _image(
    docker: Engine,
    caller: Caller,
    commands: Sequence[Command],
    image: str | None,
    cancel: Cancellation,
) -> str | None:
    """The image to probe with; None when everything was to end first.

    Raises:
        UsageError: There is none.
    """
    from stophooks.executors.docker import probe_image  # noqa: PLC0415 -- as above

    named = tuple(command.container.image for command in commands if command.container)
    candidates = (image,) if image else (*named, *probe_image.images_there(docker))
    unique = tuple(dict.fromkeys(candidates))
    choice = probe_image.usable_image(docker, caller, unique, cancel=cancel)
    if choice.image is not None:
        return choice.image
    if cancel.requested:
        return None
    why = choice.why.rstrip(".")
    raise UsageError(
        f"Nothing to probe with: {why}. Get an image with a /bin/sh that runs here "
        f"(`docker pull {image or 'busybox'}`), and name it with --image."
    )
