"""The modules of a stop in one file: there when it can be, of no consequence when not."""

from __future__ import annotations

import marshal
import os
import shutil
import sqlite3
import subprocess
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any

import pytest

import stophooks
from stophooks import bundle
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

BREAKS = """
import os
if os.environ.get("BROKEN"):
    raise RuntimeError("broken on purpose")
"""
# What the threads ask for is in the group that the main one is loading.
AT_ONCE = """
import sys, threading
from stophooks import bundle

bundle.use()
sys.setswitchinterval(1e-6)
WANTED = [
    ("stophooks.models", "Outcome"), ("stophooks.plan", "Section"), ("stophooks.events", "EVENTS"),
    ("stophooks.values", "replace"), ("stophooks.digests", "sha256"),
]
problems = []


def load(module, name):
    while module not in sys.modules:
        pass
    try:
        getattr(__import__(module, fromlist=[name]), name)
    except BaseException as err:
        problems.append(repr(err))


threads = [threading.Thread(target=load, args=wanted) for wanted in WANTED]
for thread in threads:
    thread.start()
import stophooks.hook, stophooks.engine, stophooks.inputs

for thread in threads:
    thread.join()
print(problems)
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


def python(copy: Copy, where: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run this with the copy's modules."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=where,
        env={"PYTHONPATH": str(copy.root), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


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
    assert copy.compiled(answer) - {"__init__", "__main__"} == {"bundle", "errors"}
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
    """A file with such a list of groups, and nothing behind it."""
    index = marshal.dumps(listed)
    return MAGIC_NUMBER + len(index).to_bytes(8, "little") + index


ROW = ("stophooks.hook.judge", "hook/judge.py", False, 1, 1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        whole([1]),
        b"none" + whole({})[4:],
        whole({}),
        whole({"stophooks.hook.judge": 1}),
        whole({"stophooks.hook.judge": ((), 0)}),
        whole({"stophooks.hook.judge": ((ROW,), 10)}),
        whole({"stophooks.hook.judge": ((ROW,), 10)}) + bytes(10),
        whole({"stophooks.hook.judge": (((1,),), 10)}) + bytes(10),
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


def test_a_module_without_its_source_is_not_taken_from_the_file(copy: Copy, where: Path) -> None:
    (copy.package / "hook" / "judge.py").unlink()

    answer = copy.stop(changed(where))

    # What Python itself does with a module whose source is gone.
    assert answer.returncode == 2
    assert "stophooks.hook.judge" in answer.stdout


def test_a_module_that_cannot_be_run_is_told_and_not_kept(copy: Copy, where: Path) -> None:
    source = copy.package / "hook" / "judge.py"
    source.write_text(source.read_text() + BREAKS)
    for _ in range(2):
        assert copy.stop(changed(where)).returncode == 0
    assert "judge" not in copy.compiled(copy.stop(changed(where)))

    broken = copy.stop(changed(where), BROKEN="1")
    whole_again = copy.stop(changed(where))

    assert broken.returncode == 2
    assert "broken on purpose" in broken.stdout
    assert whole_again.returncode == 0


def test_threads_that_import_at_the_same_time_find_whole_modules(copy: Copy, where: Path) -> None:
    assert copy.kept.is_file()
    for _ in range(10):
        done = python(copy, where, AT_ONCE)
        assert (done.stdout, done.stderr, done.returncode) == ("[]\n", "", 0)


def without_stdin(copy: Copy, where: Path) -> tuple[int, str]:
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m stophooks hook --agent claude <&-"],
        cwd=where,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(copy.root),
            "XDG_STATE_HOME": str(copy.state),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_file_takes_no_stream_that_an_agent_has_left_closed(copy: Copy, where: Path) -> None:
    answer = without_stdin(copy, where)
    copy.kept.unlink()

    assert answer == without_stdin(copy, where)


@pytest.mark.parametrize("group", ["hook", "inputs", "engine"])
def test_damaged_code_is_imported_as_always_and_written_anew(
    copy: Copy, where: Path, group: str
) -> None:
    groups, file = bundle._read(str(copy.kept))  # noqa: SLF001 -- where what lies
    os.close(file)
    data = bytearray(copy.kept.read_bytes())
    _, at, size = groups[f"stophooks.{group}"]
    data[at : at + size] = bytes(size)
    copy.kept.write_bytes(data)

    answers = [copy.stop(changed(where)) for _ in range(3)]

    assert [(answer.returncode, answer.stdout) for answer in answers] == [(0, "")] * 3
    assert copy.kept.read_bytes() != data
    assert copy.compiled(answers[2]) - {"__init__", "__main__"} == {"bundle", "errors"}


def test_threads_that_load_groups_at_once_get_each_its_own(copy: Copy, where: Path) -> None:
    code = """
import os, threading
from stophooks import bundle

bundle.use()
import sys
finder = next(one for one in sys.meta_path if isinstance(one, bundle._Finder))
read, names, wrong = os.preadv, [*finder.groups], []


def slowly(file, room, begin):
    # As when a disk is waited for: the other threads go on.
    import time
    found = read(file, room, begin)
    time.sleep(0.001)
    return found


os.preadv = slowly


def load():
    for name in names:
        codes = finder._loaded(name)
        wrong.extend(one for one, code in codes.items() if one.replace(".", "/") not in
                     code.co_filename.replace("/__init__", ""))


threads = [threading.Thread(target=load) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(names) > 5, wrong)
"""
    done = python(copy, where, code)

    assert (done.stdout, done.stderr) == ("True []\n", "")


def test_a_group_that_another_thread_has_forgotten_is_imported_as_always(
    copy: Copy, where: Path
) -> None:
    code = """
import sys
from stophooks import bundle

bundle.use()
finder = next(one for one in sys.meta_path if isinstance(one, bundle._Finder))
found = finder.find_spec

def find(name, *more):
    spec = found(name, *more)
    if name == "stophooks.hook":
        finder._forget(name)
    return spec

finder.find_spec = find
from stophooks.hook import main
from stophooks.hook.judge import Judge
print(main.__module__, Judge.__module__)
"""

    done = python(copy, where, code)

    assert (done.stdout, done.stderr) == ("stophooks.hook stophooks.hook.judge\n", "")
