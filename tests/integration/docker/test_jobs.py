"""Containers at the same time, through the real program and a real engine."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.running import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import docker

    from tests.program import Stophooks

pytestmark = pytest.mark.usefixtures("engine")
IMAGE = "stophooks-test/busybox:1"
MEETS = (
    "touch {0}.there; until [ -e a.there ] && [ -e b.there ] && [ -e c.there ]; do sleep 0.05; done"
)


def write(directory: Path, *commands: dict[str, Any], **rules: object) -> None:
    given = [{"image": IMAGE, "network": "none", "timeout": "30s", **one} for one in commands]
    value = {"stop": {"jobs": 3, **rules, "commands": given}}
    (directory / "stophooks.json").write_text(json.dumps(value))


@pytest.mark.scenario("parallel: Containers and host commands at the same time")
def test_containers_and_host_commands_run_at_the_same_time(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    write(tmp_path, *({"name": name, "run": MEETS.format(name)} for name in "ab"))
    config = json.loads((tmp_path / "stophooks.json").read_text())
    config["stop"]["commands"].append({"name": "c", "run": MEETS.format("c"), "timeout": "30s"})
    (tmp_path / "stophooks.json").write_text(json.dumps(config))

    done = stophooks("run", cwd=tmp_path)

    assert re.findall(r"^(\w+) +(\w)", done.stdout, re.MULTILINE)[:3] == [
        ("PASS", "a"),
        ("PASS", "b"),
        ("PASS", "c"),
    ]


@pytest.mark.scenario("parallel: Limits of real containers")
def test_limits_of_real_containers_are_kept_apart(stophooks: Stophooks, tmp_path: Path) -> None:
    alone = "mkdir alone || exit 1; sleep 0.3; rmdir alone"
    write(
        tmp_path,
        *({"name": name, "run": alone, "memory": "20m"} for name in "abc"),
        max_memory="30m",
    )

    done = stophooks("run", cwd=tmp_path)

    assert done.returncode == 0, done.stdout


@pytest.mark.scenario("parallel: A signal ends all at once")
def test_a_signal_ends_all_containers(
    stophooks: Stophooks, tmp_path: Path, engine: docker.DockerClient
) -> None:
    write(tmp_path, *({"name": name, "run": f"touch {name}.up; sleep 60"} for name in "abc"))
    run = stophooks.start("run", "--format", "json", cwd=tmp_path)
    wait_until(lambda: all((tmp_path / f"{name}.up").exists() for name in "abc"))

    run.send_signal(signal.SIGTERM)
    out, _ = run.communicate(timeout=30)

    results = json.loads(out)["results"]
    assert [one["status"] for one in results] == ["cancelled"] * 3
    # Others have containers of this image too.
    there = engine.containers.list(all=True, filters={"ancestor": IMAGE}, ignore_removed=True)
    assert [one for one in there if str(tmp_path) in str(one.attrs["Mounts"])] == []
