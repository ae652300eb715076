"""What a stop that runs one command imports, which is most of what it costs by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.test_hook_answers import PASSES, payload, project
from tests.integration.test_watchdog import IMAGE
from tests.repositories import git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Stophooks

# Each takes about a tenth of a millisecond. Before one is added here: can it wait until it is
# needed, as most of what a failing stop needs does?
OWN = [
    "__main__",
    "agents",
    "agents.base",
    "agents.claude",
    "agents.payload",
    "agents.recognise",
    "agents.signs",
    "bundle",
    "config",
    "config.search",
    "contexts",
    "digests",
    "engine",
    "errors",
    "events",
    "executors",
    "executors.base",
    "executors.capture",
    "executors.host",
    "executors.host.executor",
    "executors.host.shell",
    "executors.output",
    "hook",
    "hook.arguments",
    "hook.budget",
    "hook.call",
    "hook.caller",
    "hook.changes",
    "hook.check",
    "hook.explain",
    "hook.judge",
    "hook.outlet",
    "hook.pinned",
    "hook.skip",
    "hook.tree",
    "hook.watch",
    "inputs",
    "inputs.index",
    "inputs.listing",
    "inputs.looking",
    "inputs.memory",
    "inputs.prints",
    "inputs.private",
    "inputs.records",
    "inputs.repository",
    "inputs.values",
    "invocation",
    "invocation.boxes",
    "invocation.section",
    "jsonvalues",
    "memo",
    "memo.base",
    "models",
    "occasion",
    "occasion.base",
    "occasion.binding",
    "occasion.steps",
    "patterns",
    "pinning",
    "plan",
    "process",
    "process.child",
    "process.company",
    "process.family",
    "process.orphan",
    "process.pump",
    "process.run",
    "process.signalling",
    "process.spawn",
    "process.table",
    "process.tag",
    "reports",
    "reports.kept",
    "running",
    "running.base",
    "running.deadline",
    "running.order",
    "running.schedule",
    "running.skips",
    "secrets",
    "secrets.mask",
    "secrets.names",
    "secrets.result",
    "secrets.shapes",
    "secrets.vault",
    "signals",
    "signum",
    "store",
    "store.blocks",
    "store.contents",
    "store.database",
    "store.facts",
    "store.history",
    "store.lock",
    "store.logs",
    "store.memory",
    "store.pin",
    "store.pins",
    "store.place",
    "store.tables",
    "store.turn",
    "threads",
    "typed",
    "values",
    "watchdog",
    "watchdog.guard",
]
# Of the standard library, beside `os`, `threading` and `contextlib`. None of these imports `re`,
# `typing`, `enum` or `subprocess`, which would take as long as all others together.
STANDARD = [
    "__future__",
    "_ctypes",
    "_datetime",
    "_functools",
    "_json",
    "_posixsubprocess",
    "_sha2",
    "_sha256",
    "_socket",
    "_sqlite3",
    "errno",
    "fcntl",
    "gc",
    "itertools",
    "math",
    "resource",
    "select",
]
# What may not be there however the lists above grow.
NEVER = [
    "asyncio",
    "collections",
    "concurrent.futures",
    "contextlib",
    "ctypes",
    "dataclasses",
    "docker",
    "enum",
    "functools",
    "inspect",
    "json",
    "jsonschema",
    "logging",
    "pathlib",
    "pydantic",
    "re",
    "requests",
    "rich",
    "shutil",
    "subprocess",
    "tempfile",
    "threading",
    "typer",
    "typing",
    "urllib",
    "yaml",
]
# As the console script does it, without what `-m` imports.
SCRIPT = """
import sys
sys.argv[0] = "stophooks"
from stophooks.__main__ import main
main()
"""


def imported(stderr: str) -> set[str]:
    """The modules in what ``-X importtime`` writes."""
    rows = (line.split("|") for line in stderr.splitlines() if line.startswith("import time:"))
    return {row[2].strip() for row in rows} - {"imported package"}


def lean(stophooks: Stophooks, where: Path, code: str, *args: str) -> tuple[int, set[str]]:
    """An exit code, and what was imported; ``-S``: no installation adds modules of its own."""
    done = stophooks.python_options(
        "-S", "-X", "importtime", "-c", code, *args, cwd=where, stdin=payload()
    )
    return done.returncode, imported(done.stderr)


@pytest.mark.scenario("agent-claude: A stop imports what it needs and no more")
def test_a_stop_imports_what_is_listed_and_no_more(stophooks: Stophooks, tmp_path: Path) -> None:
    where = project(tmp_path / "project", PASSES)
    (where / ".git").rmdir()
    git(where, "init", "-q")
    for number in range(3):
        (where / "new").write_text(str(number))
        assert stophooks("hook", "--agent", "claude", cwd=where, stdin=payload()).returncode == 0
    (where / "new").write_text("again")

    _, started = lean(stophooks, where, "import os")
    code, found = lean(stophooks, where, SCRIPT, "hook", "--agent", "claude")

    assert code == 0
    last = (stophooks.state / "stophooks" / "history.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["results"][0]["status"] == "passed"
    assert len((stophooks.state / "stophooks" / "history.jsonl").read_text().splitlines()) == 4
    new = found - started
    assert sorted(new - {"stophooks", *(f"stophooks.{name}" for name in OWN), *STANDARD}) == []
    assert new & {*NEVER} == set()


@pytest.mark.usefixtures("engine")
def test_a_stop_with_a_container_imports_nothing_slow_either(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    where = project(tmp_path / "project", BOX.replace("busybox:1", IMAGE))
    assert stophooks("hook", "--agent", "claude", cwd=where, stdin=payload()).returncode == 0
    (where / "new").touch()

    _, started = lean(stophooks, where, "import os")
    code, found = lean(stophooks, where, SCRIPT, "hook", "--agent", "claude")

    assert code == 0
    assert "stophooks.executors.docker.run" in found
    assert (found - started) & {*NEVER, "struct", "socket", "queue", "datetime"} == set()


def test_the_list_has_nothing_that_a_stop_does_not_import(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    where = project(tmp_path / "project", PASSES)
    # A session's first stop reads the configuration.
    assert stophooks("hook", "--agent", "claude", cwd=where, stdin=payload()).returncode == 0
    (where / "new").touch()

    code, found = lean(stophooks, where, SCRIPT, "hook", "--agent", "claude")

    assert code == 0
    assert {f"stophooks.{name}" for name in OWN} - found == set()


# Which thread asks for which module of ours, in order, and what each package imports of itself.
BY_THREAD = """
import _thread, json, os, sys

asked, main, leave, told = [], _thread.get_ident(), os._exit, os.dup(2)


class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("stophooks."):
            asked.append((name, _thread.get_ident() == main))


def end(code):
    inner = [
        name for name, one in sys.modules.items() if name.startswith("stophooks.") and
        hasattr(one, "__path__") and f"from {name}" in open(one.__file__).read()
    ]
    os.write(told, json.dumps([asked, inner]).encode())
    leave(code)


sys.meta_path.insert(0, Finder())
os._exit = end
os.environ["DOCKER_HOST"] = "unix:///nowhere"
sys.argv = ["stophooks", "hook", "--agent", "claude"]
from stophooks.__main__ import main as run
from stophooks import bundle
bundle.use = bundle.keep = lambda: None
run()
"""
BOX = 'stop:\n  commands:\n    - {name: box, image: "busybox:1", run: "true"}\n'


def asked_by(stophooks: Stophooks, where: Path) -> tuple[list[tuple[str, bool]], list[str]]:
    """What a session's second stop imports of ours and whether in the main thread; see above."""
    for number in range(2):
        (where / "new").write_text(str(number))
        said = payload(session_id=where.name)
        done = stophooks.python_options("-c", BY_THREAD, cwd=where, stdin=said)
    asked, inner = json.loads(done.stderr[done.stderr.index("[[[") :])
    return asked, inner


def test_threads_that_import_at_once_do_not_meet_in_a_package(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    alone, _ = asked_by(stophooks, project(tmp_path / "host", PASSES))
    asked, inner = asked_by(stophooks, project(tmp_path / "box", BOX))

    begun = next(at for at, (_, by_main) in enumerate(asked) if not by_main)
    before = {name for name, _ in asked[:begun]}
    # Who is first in a package is chance, so that what the main thread may ask for counts.
    by_main = {name for name, is_main in (*alone, *asked) if is_main} - before
    by_other = {name for name, is_main in asked if not is_main}
    # Two that import a package and a module in it can wait for each other (importlib._bootstrap).
    met = [
        package
        for package in {*inner} - before
        if all(
            any(f"{name}.".startswith(f"{package}.") for name in names)
            for names in (by_main, by_other)
        )
    ]
    assert by_main
    assert met == []
