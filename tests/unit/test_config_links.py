"""Links in the project choose nothing outside of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from stophooks import config
from stophooks.config import search

if TYPE_CHECKING:
    from pathlib import Path

    from stophooks.config.loading import Loaded

IMAGE = "busybox:1"


def load(project: Path, command: str) -> Loaded:
    """The configuration of one container command with these keys."""
    path = project / "stophooks.yaml"
    path.write_text(f'stop: {{commands: [{{run: "true", image: "{IMAGE}", {command}}}]}}\n')
    return config.load(str(path), environ={})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project, with a private folder beside it and links to that."""
    outside = tmp_path / "private"
    outside.mkdir()
    (outside / "env").write_text("KEY=secret\n")
    (outside / "profile.json").write_text('{"defaultAction": "SCMP_ACT_ERRNO"}')
    inside = tmp_path / "project"
    (inside / "data").mkdir(parents=True)
    (inside / "out").symlink_to(outside)
    (inside / "within").symlink_to("data")
    return inside


@pytest.mark.scenario("config-validation: A link that leads out of the project is a problem")
@pytest.mark.parametrize(
    "command",
    [
        "mounts: [{type: bind, source: ./out, target: /x}]",
        "mounts: [{type: bind, source: out/env, target: /x}]",
        "env_file: out/env",
        "seccomp: out/profile.json",
    ],
)
def test_a_link_that_leads_out_is_a_problem(project: Path, command: str) -> None:
    loaded = load(project, command)

    assert loaded.plan is None
    (problem,) = [item for item in loaded.problems if not item.warning]
    assert f"leads out to {project.parent}/private" in problem.message
    assert problem.hint == "if that is meant, write the path it leads to"


@pytest.mark.scenario("config-validation: A link within the project is followed")
def test_a_link_within_the_project_is_followed(project: Path) -> None:
    loaded = load(project, "mounts: [{type: bind, source: within, target: /x}]")

    assert loaded.plan is not None
    container = loaded.plan.sections[0].commands[0].container
    assert container is not None
    assert container.mounts[0].source == str(project / "data")
    assert loaded.problems == ()


def test_a_path_outside_that_is_written_is_a_warning(project: Path) -> None:
    outside = project.parent / "private"

    loaded = load(project, f"mounts: [{{type: bind, source: {outside}, target: /x}}]")

    assert loaded.plan is not None
    assert [item.warning for item in loaded.problems] == [True]


@pytest.mark.scenario("config-validation: A path that cannot be followed is a problem")
def test_a_path_that_cannot_be_followed_is_a_problem(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> str:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os.path, "realpath", refuse)

    loaded = load(project, "mounts: [{type: bind, source: /proc/1/root, target: /x}]")

    assert '"/proc/1/root" cannot be followed: Permission denied' in loaded.problems[0].message


@pytest.mark.scenario("config-validation: A named network is a warning")
@pytest.mark.parametrize("network", ["host", "container:db", "backend"])
def test_a_network_that_is_more_than_the_bridge_is_a_warning(project: Path, network: str) -> None:
    loaded = load(project, f"network: {network}")

    assert [item.warning for item in loaded.problems] == [True]


@pytest.mark.parametrize("target", ["//workspace", "//x//", "/./x"])
def test_a_target_has_one_form(project: Path, target: str) -> None:
    loaded = load(project, f"mounts: [{{type: bind, source: data, target: {target}}}]")

    assert loaded.plan is not None
    container = loaded.plan.sections[0].commands[0].container
    assert container is not None
    assert container.mounts[0].target in {"/workspace", "/x"}


@pytest.mark.parametrize("target", ["//proc", "//sys/fs", "//", "/proc/./sys"])
def test_no_spelling_of_the_kernels_folders_is_a_target(project: Path, target: str) -> None:
    loaded = load(project, f"mounts: [{{type: bind, source: data, target: {target}}}]")

    assert loaded.plan is None


@pytest.mark.scenario("config-loading: A project that cannot be looked into is an error")
def test_a_directory_that_cannot_be_looked_into_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.lstat

    def lstat(path: str) -> os.stat_result:
        if os.path.dirname(path) == str(tmp_path):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "lstat", lstat)

    with pytest.raises(search.ConfigUnreadableError, match="Permission denied"):
        search.find(str(tmp_path), home=None)
    assert search.find(str(tmp_path / "below"), home=None) is None
