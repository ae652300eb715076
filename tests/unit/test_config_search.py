"""Which configuration file belongs to a directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stophooks.config import ConfigAmbiguousError, find
from stophooks.config.search import NAMES

if TYPE_CHECKING:
    from pathlib import Path


def touch(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return str(path)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_found(tmp_path: Path, name: str) -> None:
    expected = touch(tmp_path / name)

    assert find(str(tmp_path), home=None) == expected


@pytest.mark.scenario("config-loading: The nearest of two files counts")
def test_the_nearest_file_counts(tmp_path: Path) -> None:
    touch(tmp_path / "stophooks.yaml")
    expected = touch(tmp_path / "a/b/.stophooks.toml")

    assert find(str(tmp_path / "a/b"), home=None) == expected


@pytest.mark.scenario("config-loading: A file further up is found")
def test_the_repository_root_is_still_searched(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    expected = touch(tmp_path / "stophooks.json")

    assert find(str(tmp_path / "a/b/c"), home=None) == expected


@pytest.mark.scenario("config-loading: The search ends at the repository")
@pytest.mark.parametrize("kind", ["directory", "file of a worktree"])
def test_nothing_above_the_repository_is_found(tmp_path: Path, kind: str) -> None:
    touch(tmp_path / "stophooks.yaml")
    (tmp_path / "repo/src").mkdir(parents=True)
    if kind == "directory":
        (tmp_path / "repo/.git").mkdir()
    else:
        touch(tmp_path / "repo/.git")

    assert find(str(tmp_path / "repo/src"), home=None) is None


@pytest.mark.scenario("config-loading: The search ends at the home directory")
def test_nothing_above_the_home_directory_is_found(tmp_path: Path) -> None:
    touch(tmp_path / "stophooks.yaml")
    home = tmp_path / "home"

    assert find(str(home / "project"), home=str(home)) is None
    assert find(str(tmp_path / "elsewhere"), home=str(home)) == str(tmp_path / "stophooks.yaml")


def test_the_home_directory_itself_is_searched(tmp_path: Path) -> None:
    expected = touch(tmp_path / "stophooks.yaml")

    assert find(str(tmp_path / "project"), home=str(tmp_path)) == expected


@pytest.mark.scenario("config-loading: Two files side by side are refused")
def test_two_files_side_by_side_are_refused(tmp_path: Path) -> None:
    touch(tmp_path / "stophooks.yaml")
    touch(tmp_path / ".stophooks.json")

    with pytest.raises(ConfigAmbiguousError) as caught:
        find(str(tmp_path), home=None)

    assert str(caught.value) == (
        f"stophooks.yaml and .stophooks.json lie side by side in {tmp_path}, and only one can be "
        "the configuration. Remove or rename all but one."
    )


def test_a_link_to_nowhere_is_found_so_that_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "stophooks.yaml").symlink_to(tmp_path / "gone")

    assert find(str(tmp_path), home=None) == str(tmp_path / "stophooks.yaml")


def test_nothing_anywhere_is_none() -> None:
    assert find("/", home=None) is None
