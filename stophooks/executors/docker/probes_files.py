"""Probes of what a container sees of the machine's files, and what it may write."""

from __future__ import annotations

import os
import re
from pathlib import Path

from stophooks.containers import Mount
from stophooks.executors.docker.probe import (
    Judgement,
    Probe,
    Question,
    asking,
    fails,
    kept,
    mount_options,
    quoted,
    unknown,
)
from stophooks.models import Status
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.executors.docker.probe import Bench, Seen

THEME = "files"
# Everything that a shell, an engine or a mount table takes for more than a letter.
ODD_NAME = "a b:c,d'e\"f\\g $h"
CONTENT = "found"
# An anonymous volume's name, as it stands in its own path.
VOLUME = re.compile(r"/volumes/([0-9a-f]{64})/")


def refused_writing(seen: Seen) -> Judgement:
    """Reading works, writing does not."""
    if b"readable" not in seen.stdout:
        return unknown(f"it cannot even be read: {quoted(seen.stderr)}")
    return kept(b"written" not in seen.stdout, "writing is refused", "a file could be written")


def writable(seen: Seen) -> Judgement:
    """Writing works."""
    return kept(
        b"written" in seen.stdout, "could be written", f"not written: {quoted(seen.stderr)}"
    )


def not_executable(seen: Seen) -> Judgement:
    """A script could be written there and was not run."""
    if b"written" not in seen.stdout:
        return unknown(f"nothing could be written: {quoted(seen.stderr)}")
    options = mount_options(seen.stdout.decode("utf-8", "replace"), "/scratch")
    some = sorted({"noexec", "nosuid", "nodev"} - options)
    if b"executed" in seen.stdout:
        return fails("a program in it could be run")
    return kept(not some, "noexec, nosuid, nodev", f"it is mounted without {', '.join(some)}")


def on_host(seen: Seen) -> Judgement:
    """What was written inside is what the host has."""
    file = seen.files.get("made")
    if file is None:
        return fails("the file is not on the host")
    return kept(
        file.data == b"inside\n", "written, and on the host", f"the host has {quoted(file.data)}"
    )


def nothing_of_project(seen: Seen) -> Judgement:
    """The project's file is not there."""
    return kept("here" not in seen.words, "not there", "the project's files are there")


def read_back(seen: Seen) -> Judgement:
    """The file in the mount has what the host wrote."""
    return kept(
        seen.text == CONTENT, "mounted and read", f"read {quoted(seen.stdout or seen.stderr)}"
    )


def refused_mount(seen: Seen) -> Judgement:
    """Nothing was run, and nothing was made on the host."""
    outcome = seen.outcome
    if outcome.status is not Status.UNAVAILABLE:
        return fails(f"it was mounted: {quoted(seen.stdout)}")
    if outcome.fault != "mount":
        return unknown(outcome.reason or str(outcome.fault))
    return kept(
        "missing" not in seen.files, "refused, nothing was run", "the engine made it on the host"
    )


def nothing_left(seen: Seen) -> Judgement:
    """Neither the container nor its anonymous volume is there any more."""
    if seen.containers:
        return fails(f"the container {seen.containers[0]} is left")
    name = VOLUME.search(seen.text)
    if name is None:
        return unknown("the volume's name cannot be seen inside")
    left = name[1] in seen.volumes
    return kept(not left, "both are gone", f"the volume {name[1][:12]} is left")


def _file(name: str, data: str) -> Callable[[Bench], None]:
    return lambda bench: _write(Path(bench.project, name), data)


def _write(path: Path, data: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(data, encoding="utf-8")


def _workspace(bench: Bench, script: str, workspace: str) -> Question:
    _file("here", CONTENT)(bench)
    return Question(run=script, options={"workspace": workspace, "workdir": "/"})


def _bind(bench: Bench, source: str, script: str, *, readonly: bool) -> Question:
    mount = Mount(
        type="bind", source=os.path.join(bench.project, source), target="/data", readonly=readonly
    )
    return Question(run=script, options={"mounts": (mount,), "workspace": "none", "workdir": "/"})


def _ask_readonly(bench: Bench) -> Question:
    _file("shared/here", CONTENT)(bench)
    script = "cat /data/here && echo readable; echo x >/data/new && echo written; true"
    return _bind(bench, "shared", script, readonly=True)


def _ask_odd(bench: Bench) -> Question:
    _file(f"{ODD_NAME}/here", CONTENT)(bench)
    return _bind(bench, ODD_NAME, "cat /data/here", readonly=False)


def _ask_missing(bench: Bench) -> Question:
    return _bind(bench, "missing", "ls /data", readonly=False)


def _ask_socket(bench: Bench) -> Question:
    return _bind(bench, bench.engine_socket or "/run/docker.sock", "ls -l /data", readonly=False)


PROBES = (
    Probe(
        theme=THEME,
        name="read-only root",
        expects="`read_only: true` lets not even root write to the image's files",
        ask=asking(
            "cat /proc/mounts && echo readable; echo x >/probe && echo written; true",
            read_only=True,
            user="0:0",
            workspace="none",
            workdir="/",
        ),
        judge=refused_writing,
    ),
    Probe(
        theme=THEME,
        name="tmpfs",
        expects="a `tmpfs` can be written to under a read-only root",
        ask=asking("echo x >/scratch/f && echo written", read_only=True, tmpfs=(("/scratch", ""),)),
        judge=writable,
    ),
    Probe(
        theme=THEME,
        name="tmpfs runs nothing",
        expects="a program in a `tmpfs` cannot be run, unless it says exec",
        ask=asking(
            "printf '#!/bin/sh\\necho executed\\n' >/scratch/s && chmod +x /scratch/s"
            " && echo written; /scratch/s; cat /proc/mounts",
            tmpfs=(("/scratch", ""),),
        ),
        judge=not_executable,
    ),
    Probe(
        theme=THEME,
        name="workspace rw",
        expects="what is written to the project is on the host",
        ask=lambda bench: _workspace(bench, "echo inside >/workspace/made", "rw"),
        judge=on_host,
    ),
    Probe(
        theme=THEME,
        name="workspace ro",
        expects="`workspace: ro` can be read and not written",
        ask=lambda bench: _workspace(
            bench,
            "cat /workspace/here && echo readable; echo x >/workspace/new && echo written; true",
            "ro",
        ),
        judge=refused_writing,
    ),
    Probe(
        theme=THEME,
        name="workspace none",
        expects="`workspace: none` shows nothing of the project",
        ask=lambda bench: _workspace(bench, "ls /workspace 2>/dev/null; true", "none"),
        judge=nothing_of_project,
    ),
    Probe(
        theme=THEME,
        name="read-only mount",
        expects="a mount with `readonly` can be read and not written",
        ask=_ask_readonly,
        judge=refused_writing,
    ),
    Probe(
        theme=THEME,
        name="odd path",
        expects="a path with spaces, colons, commas and quotes is mounted",
        ask=_ask_odd,
        judge=read_back,
    ),
    Probe(
        theme=THEME,
        name="missing source",
        expects="a mount whose source is missing is refused, and not made",
        ask=_ask_missing,
        judge=refused_mount,
        wants_outcome=True,
    ),
    Probe(
        theme=THEME,
        name="engine's socket",
        expects="the engine's own socket is never mounted",
        ask=_ask_socket,
        judge=refused_mount,
        wants_outcome=True,
    ),
    Probe(
        theme=THEME,
        name="whole machine",
        expects="the host's / is never mounted",
        ask=lambda bench: _bind(bench, "/", "ls /data", readonly=True),
        judge=refused_mount,
        wants_outcome=True,
    ),
    Probe(
        theme=THEME,
        name="nothing is left",
        expects="the container and its anonymous volume are gone afterwards",
        ask=asking(
            "cat /proc/self/mountinfo",
            mounts=(Mount(type="volume", source=None, target="/data"),),
        ),
        judge=nothing_left,
        wants_leftovers=True,
    ),
)
