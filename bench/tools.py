"""How each tool is told to do the same: its configuration, and the call."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.peers import BARE_LEFTHOOK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OURS = "stophooks"
PEERS = ("pre-commit", "prek", "lefthook", BARE_LEFTHOOK, "just")
# pre-commit and prek read one file; what only prek knows stands in one of its own.
PREK_CONFIG = "prek.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One thing to run: a script on the host, or in a container of an image."""

    script: str
    image: str = ""
    network: str = "none"


def ours(jobs: Sequence[Job], options: Mapping[str, object] | None = None) -> str:
    """A ``stophooks.yaml``, whose ``stop`` section has further ``options``."""
    commands: list[dict[str, object]] = []
    for number, job in enumerate(jobs):
        command: dict[str, object] = {"name": f"c{number}", "run": job.script}
        if job.image:
            command |= {"image": job.image, "network": job.network}
        commands.append(command)
    # JSON is YAML.
    return json.dumps({"stop": {**(options or {}), "commands": commands}}) + "\n"


def files(
    jobs: Sequence[Job], *, docker: Sequence[str] = (), parallel: bool = True
) -> dict[str, str]:
    """The configuration files of all neighbours.

    Args:
        jobs: What is run.
        docker: The call that starts a container of a job, for those that only know scripts: what
            comes before the image.
        parallel: All at once where they can, else in order.
    """
    scripts = [
        shlex.join([*docker, job.image, "sh", "-c", job.script]) if job.image else job.script
        for job in jobs
    ]
    return {
        ".pre-commit-config.yaml": _pre_commit(jobs),
        PREK_CONFIG: _pre_commit(jobs, {"priority": 1} if parallel else {}),
        "lefthook.yml": json.dumps(
            {
                "check": {
                    "parallel": parallel,
                    "commands": {f"c{n}": {"run": one} for n, one in enumerate(scripts)},
                }
            }
        ),
        "justfile": _justfile(scripts, parallel=parallel),
    }


def call(peer: str, path: str) -> tuple[str, ...]:
    """How a neighbour at ``path`` is called to run them."""
    if peer == "pre-commit":
        return (path, "run", "--all-files")
    if peer == "prek":
        return (path, "run", "--all-files", "--config", PREK_CONFIG)
    if peer == "just":
        return (path, "check")
    return (path, "run", "check")


def _pre_commit(jobs: Sequence[Job], more: Mapping[str, object] | None = None) -> str:
    hooks = [
        {
            "id": f"c{number}",
            "name": f"c{number}",
            "always_run": True,
            "pass_filenames": False,
            **_entry(job),
            **(more or {}),
        }
        for number, job in enumerate(jobs)
    ]
    return json.dumps({"repos": [{"repo": "local", "hooks": hooks}]})


def _entry(job: Job) -> dict[str, object]:
    script = shlex.join(["-c", job.script])
    if job.image:
        entry = f"--network {job.network} {job.image} sh {script}"
        return {"language": "docker_image", "entry": entry}
    return {"language": "system", "entry": f"bash {script}"}


def _justfile(scripts: Sequence[str], *, parallel: bool) -> str:
    recipes = "".join(f"c{number}:\n    @{script}\n" for number, script in enumerate(scripts))
    names = " ".join(f"c{number}" for number in range(len(scripts)))
    return f"{'[parallel]' if parallel else ''}\ncheck: {names}\n{recipes}"
