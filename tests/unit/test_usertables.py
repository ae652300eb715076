"""What is kept of images' users."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from stophooks.executors.docker import usertables
from stophooks.executors.docker.usertables import User, UserTables

if TYPE_CHECKING:
    from pathlib import Path

ID = "sha256:" + "0123456789abcdef" * 4
USERS = (User(name="root", uid=0, gid=0), User(name="ünode", uid=1000, gid=1001))


@pytest.mark.parametrize("users", [(), USERS])
@pytest.mark.parametrize("image", [ID, ID.removeprefix("sha256:")])
def test_a_table_is_known_in_the_next_run(
    tmp_path: Path, image: str, users: tuple[User, ...]
) -> None:
    directory = tmp_path / "images"
    UserTables(str(directory)).put(ID, users)

    assert UserTables(str(directory)).get(image) == users
    assert directory.stat().st_mode & 0o777 == 0o700
    (file,) = directory.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("image", ["", "busybox:1", ID + "0", "../" + ID, "sha256:" + "g" * 64])
def test_what_is_no_digest_is_not_kept(tmp_path: Path, image: str) -> None:
    tables = UserTables(str(tmp_path))

    tables.put(image, USERS)

    assert tables.get(image) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": 2, "users": []}',
        '{"format": 1, "users": [["a", 1]]}',
        '{"format": 1, "users": [["a", "1", 1]]}',
        '{"format": 1, "users": [["a", true, 1]]}',
        '{"format": 1, "users": 3}',
        "[" * 100_000,
        "\ufffd\x00",
    ],
)
def test_a_damaged_table_is_not_known_and_can_be_replaced(tmp_path: Path, text: str) -> None:
    tables = UserTables(str(tmp_path))
    tables.put(ID, USERS)
    (file,) = tmp_path.iterdir()
    file.write_text(text)

    assert tables.get(ID) is None
    tables.put(ID, USERS)
    assert tables.get(ID) == USERS


def test_only_the_newest_tables_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usertables, "MOST_TABLES", 2)
    tables = UserTables(str(tmp_path))
    images = [f"{number:064x}" for number in range(3)]
    for age, image in enumerate(images):
        tables.put(image, USERS)
        os.utime(tmp_path / f"{image}.json", (1000 + age, 1000 + age))
    tables.put(images[2], USERS)

    assert [tables.get(image) for image in images] == [None, USERS, USERS]


def test_without_a_directory_nothing_is_known() -> None:
    tables = UserTables(None)

    tables.put(ID, USERS)

    assert tables.get(ID) is None


def test_a_directory_that_cannot_be_made_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    tables = UserTables(str(tmp_path / "file"))

    tables.put(ID, USERS)

    assert tables.get(ID) is None
