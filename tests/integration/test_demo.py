"""The demo, from a copy of the checkout, with and without an engine."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import docker

ROOT = Path(__file__).parents[2]
# What a fresh clone has not got.
MADE_HERE = shutil.ignore_patterns(
    ".git", ".venv", "node_modules", "__pycache__", ".*_cache", ".coverage*", ".hypothesis"
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, because the demo installs into the checkout's own environment."""
    directory = tmp_path_factory.mktemp("demo") / "checkout"
    shutil.copytree(ROOT, directory, ignore=MADE_HERE)
    return directory


def demo(checkout: Path, tmp_path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "scripts/demo"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_demo_plays_a_stop_on_the_host_and_in_a_container(
    engine: docker.DockerClient, checkout: Path, tmp_path: Path
) -> None:
    images = {image.id for image in engine.images.list()}

    done = demo(checkout, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "  | 2 + 2 should be 4, but add.sh says 0" in done.stdout
    assert "  exit code 2, and on stdout: {" in done.stdout
    assert "  exit code 0, nothing on stdout: the agent may stop." in done.stdout
    assert "one in a container of" in done.stdout
    assert "\x1b" not in done.stdout
    assert {image.id for image in engine.images.list()} == images
    assert not list(tmp_path.glob("tmp.*"))


def test_the_demo_shows_the_host_half_where_there_is_no_engine(
    checkout: Path, tmp_path: Path
) -> None:
    done = demo(checkout, tmp_path, DOCKER_HOST="tcp://127.0.0.1:1")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "no engine answers at DOCKER_HOST=tcp://127.0.0.1:1" in done.stderr
    assert "The container half was left out" in done.stdout
    assert "image:" not in done.stdout
