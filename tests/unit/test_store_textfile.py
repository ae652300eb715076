from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from stophooks.errors import StoreError
from stophooks.store import textfile

if TYPE_CHECKING:
    from pathlib import Path


def test_line_ends_survive_reading_and_writing(tmp_path: Path) -> None:
    path = tmp_path / "new/file"

    textfile.write(str(path), "a\r\nb\n")

    assert path.read_bytes() == b"a\r\nb\n"
    assert textfile.read(str(path)).text == "a\r\nb\n"
    assert [item.name for item in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_a_copy_is_never_wider_than_what_it_is_a_copy_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    original.write_text("secret")
    original.chmod(mode)
    made: list[int] = []
    really = os.open

    def noted(path: str, flags: int, mode: int = 0o777) -> int:
        made.extend([mode] * bool(flags & os.O_CREAT))
        return really(path, flags, mode)

    monkeypatch.setattr(os, "open", noted)
    textfile.write(str(copy), "secret", like=str(original))

    assert copy.stat().st_mode & 0o777 == mode
    assert made == [0o600]


def test_a_file_that_is_not_there_has_no_text(tmp_path: Path) -> None:
    assert textfile.read(str(tmp_path / "none")).text is None


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(textfile.MAX_BYTES + 1)

    with pytest.raises(StoreError, match="is larger than 16 MiB"):
        textfile.read(str(tmp_path / "huge"))


def test_a_file_below_a_file_cannot_be_read_or_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")

    with pytest.raises(StoreError, match=r"cannot read .*/file/below: Not a directory"):
        textfile.read(str(tmp_path / "file/below"))
    with pytest.raises(StoreError, match=r"cannot write .*/file/below: "):
        textfile.write(str(tmp_path / "file/below"), "x")
    assert (tmp_path / "file").read_text() == "kept"


def test_a_write_that_fails_leaves_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()

    with pytest.raises(StoreError, match=r"cannot write .*/taken: Is a directory"):
        textfile.write(str(tmp_path / "taken"), "x")

    assert [item.name for item in tmp_path.iterdir()] == ["taken"]


def test_what_cannot_be_removed_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot remove .*/none: No such file"):
        textfile.remove(str(tmp_path / "none"))
