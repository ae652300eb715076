"""The modules of a stop in one file: there when it can be, of no consequence when not."""

from __future__ import annotations

import marshal
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import stophooks
from tests.integration.test_hook_answers import PASSES, payload, project

OPENED = """
import os, runpy, sys

opened, leave, told = [], os._exit, os.dup(2)
sys.addaudithook(lambda event, args: event == "open" and opened.append(str(args[0])))


def end(code):
    os.write(told, "\\n".join(opened).encode())
    leave(code)


os._exit = end
sys.argv = ["stophooks", "hook", "--agent", "claude"]
runpy.run_module("stophooks", run_name="__main__")
"""


class Copy:
    """A copy of the program, as an installation would have it."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "site"
        shutil.copytree(
            Path(stophooks.__file__).parent,
            self.root / "stophooks",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        self.package = self.root / "stophooks"
        top = Path(stophooks.__file__).parent.parent / "schema.json"
        if top.exists():  # an editable install
            shutil.copy(top, self.root)
        self.kept = self.package / "__pycache__" / f"stop.{sys.implementation.cache_tag}.modules"
        self.state = tmp_path / "state"

    def stop(self, where: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """One stop; what it opens below the package is on stderr, a path a line."""
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
        return subprocess.run(
            [sys.executable, "-c", OPENED],
            cwd=where,
            env={**kept, "PYTHONPATH": str(self.root), "XDG_STATE_HOME": str(self.state), **more},
            input=payload().decode(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def compiled(self, answer: subprocess.CompletedProcess[str]) -> set[str]:
        """The modules that a stop read one by one, by the names of their files."""
        paths = [Path(line) for line in answer.stderr.split() if line.endswith(".pyc")]
        return {path.name.split(".")[0] for path in paths if self.package in path.parents}


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


@pytest.fixture
def where(copy: Copy, tmp_path: Path) -> Path:
    """A project whose checks passed twice: the second stop has written the file."""
    found = project(tmp_path / "project", PASSES)
    for number in range(2):
        (found / "new").write_text(str(number))
        assert copy.stop(found).returncode == 0
    return found


def changed(where: Path) -> Path:
    (where / "new").write_text(os.urandom(8).hex())
    return where


def test_a_stop_reads_its_modules_from_one_file(copy: Copy, where: Path) -> None:
    assert copy.kept.is_file()
    before = copy.kept.stat().st_ino

    answer = copy.stop(changed(where))

    assert answer.returncode == 0
    assert copy.compiled(answer) - {"__init__", "__main__"} == {"bundle", "errors", "typed"}
    assert copy.kept.stat().st_ino == before


def test_a_module_that_was_edited_is_the_one_that_runs(copy: Copy, where: Path) -> None:
    source = copy.package / "hook" / "judge.py"
    source.write_text(source.read_text().replace('"passed"', '"edited since"'))

    first = copy.stop(changed(where))
    second = copy.stop(changed(where))

    assert "judge" in copy.compiled(first)
    assert "judge" not in copy.compiled(second)
    with sqlite3.connect(copy.state / "stophooks" / "state.db") as database:
        told = database.execute("SELECT value FROM facts WHERE kind = 'state'").fetchall()
    assert '"result": "edited since"' in told[0][0]


def whole(listed: Any) -> bytes:
    """A file with such a list of modules, and nothing behind it."""
    index = marshal.dumps(listed)
    return len(index).to_bytes(8, "little") + index


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        whole([1]),
        whole({}),
        whole({"stophooks.hook.judge": 1}),
        whole({"stophooks.hook.judge": (False, b"", 0, 10)}),
        whole({"stophooks.hook.judge": (False, b"", 0, 10)}) + bytes(10),
    ],
)
def test_a_file_that_is_none_is_made_anew(copy: Copy, where: Path, content: bytes) -> None:
    copy.kept.write_bytes(content)

    answers = [copy.stop(changed(where)) for _ in range(2)]

    assert [answer.returncode for answer in answers] == [0, 0]
    assert "judge" in copy.compiled(answers[0])
    assert "judge" not in copy.compiled(answers[1])


def test_nothing_is_written_where_python_writes_nothing(copy: Copy, where: Path) -> None:
    copy.kept.unlink()

    answer = copy.stop(changed(where), PYTHONDONTWRITEBYTECODE="1")

    assert answer.returncode == 0
    assert not copy.kept.exists()
