"""Whatever changes, a result that is reused is the one that a run would have."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from stophooks.executors.host import HostExecutor
from stophooks.memo.base import Basis
from stophooks.memo.memo import Memo
from stophooks.models import Command, Outcome, Status
from stophooks.secrets.vault import Vault
from tests.repositories import git, repository
from tests.running import run

NAMES = ("a.py", "b.txt", "src/a.py", "src/deep/b.py", "-x y.py", "ignored.log")
PATTERNS = ((), ("src",), ("**/*.py",), ("ignored.log", "a.py"))
# Whose results were reused at all.
REUSED: set[tuple[str, ...]] = set()
# It says what decides its result, and nothing else does: every file of its patterns, its variable
# and itself. It always passes, so that each of its results may be reused.
SCRIPT = """\
import hashlib, os, stat, sys
digest = hashlib.sha256(os.environ.get("FLAVOUR", "").encode() + {salt!r}.encode())
for folder, folders, files in sorted(os.walk(".")):
    if (folder + "/").startswith("./.git/"):
        continue
    for name in sorted(files):
        path = os.path.relpath(os.path.join(folder, name))
        if not ({wanted}):
            continue
        mode = os.stat(path).st_mode & 0o100
        digest.update(path.encode() + bytes([bool(mode)]) + open(path, "rb").read() + b"|")
print(digest.hexdigest())
"""
WANTED = {
    (): "path != 'ignored.log'",
    ("src",): "path.startswith('src/')",
    ("**/*.py",): "path.endswith('.py')",
    ("ignored.log", "a.py"): "path in ('ignored.log', 'a.py')",
}


class Reuse(RuleBasedStateMachine):
    """Changes a project at random, and asks between the changes."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp())
        self.place = repository(self.base / "p", {".gitignore": "*.log\n", "a.py": "0"})
        self.salt, self.env = "2", {"FLAVOUR": ""}
        # What every run has said, by its patterns: a pass that is not stale comes from one of them.
        self.said: set[tuple[tuple[str, ...], bytes]] = set()

    def teardown(self) -> None:
        shutil.rmtree(self.base)

    @initialize()
    def begin(self) -> None:
        self.check_all()

    @rule(name=st.sampled_from(NAMES), text=st.sampled_from("0123"))
    def write(self, name: str, text: str) -> None:
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    @rule(name=st.sampled_from(NAMES), text=st.sampled_from("0123"))
    def write_unseen(self, name: str, text: str) -> None:
        """The same size and times as before."""
        path = self.place / name
        if path.exists():
            found = path.stat()
            path.write_text(text)
            os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))

    @rule(name=st.sampled_from(NAMES))
    def remove(self, name: str) -> None:
        (self.place / name).unlink(missing_ok=True)

    @rule(name=st.sampled_from(NAMES))
    def toggle(self, name: str) -> None:
        path = self.place / name
        if path.exists():
            path.chmod(path.stat().st_mode ^ 0o111)

    @rule(name=st.sampled_from(NAMES))
    def touch(self, name: str) -> None:
        if (self.place / name).exists():
            (self.place / name).touch()

    @rule(name=st.sampled_from(NAMES))
    def hide(self, name: str) -> None:
        if git(self.place, "ls-files", "--", f"./{name}"):
            git(self.place, "update-index", "--assume-unchanged", f"./{name}")

    @rule()
    def stage(self) -> None:
        git(self.place, "add", "-A")

    @rule()
    def commit(self) -> None:
        git(self.place, "add", "-A")
        git(self.place, "commit", "-q", "--allow-empty", "-m", "x")

    @rule(salt=st.sampled_from("012"))
    def redefine(self, salt: str) -> None:
        self.salt = salt

    @rule(value=st.sampled_from(["", "x", "y"]))
    def change_environment(self, value: str) -> None:
        self.env = {"FLAVOUR": value}

    @rule(name=st.sampled_from(NAMES), text=st.sampled_from("0123"))
    def change_while_it_runs(self, name: str, text: str) -> None:
        """A pass of a time in which something changed says nothing of either state."""
        memo = self.memo()
        started = [one for one in PATTERNS if memo.known(self.command(one), None) is None]
        self.write(name, text)
        for one in started:
            memo.ended(self.command(one), self.ran(one))
        memo.close()

    @rule()
    def check_all(self) -> None:
        """Run what has to be run, as a run does, and remember it.

        Twice: of files that were written a moment ago it cannot be told that nobody wrote since.
        """
        for _ in range(2):
            memo = self.memo()
            for patterns in PATTERNS:
                command = self.command(patterns)
                if memo.known(command, None) is None:
                    memo.ended(command, self.ran(patterns))
            memo.close()
        self.has_run_nothing_of(salt="never", env=self.env)
        self.has_run_nothing_of(salt=self.salt, env={"FLAVOUR": "never"})

    def has_run_nothing_of(self, *, salt: str, env: dict[str, str]) -> None:
        """A specification, or a variable, that there never was has no pass."""
        kept = self.salt, self.env
        self.salt, self.env = salt, env
        memo = self.memo()
        known = [memo.known(self.command(patterns), None) for patterns in PATTERNS]
        memo.close()
        self.salt, self.env = kept
        assert known == [None] * len(PATTERNS)

    @invariant()
    def a_reused_result_is_the_one_of_a_run(self) -> None:
        memo = self.memo()
        for patterns in PATTERNS:
            command = self.command(patterns)
            outcome = memo.known(command, None)
            if outcome is not None:
                REUSED.add(patterns)
                said = self.really(command).stdout.head
                assert (patterns, said) in self.said, (patterns, outcome.reason)
        memo.close()

    def memo(self) -> Memo:
        return Memo(
            str(self.place),
            environ=self.environ(),
            vault=Vault({}),
            home="/",
            state_dir=str(self.base / "state"),
            basis=Basis(),
        )

    def environ(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.base), **self.env}

    def command(self, patterns: tuple[str, ...]) -> Command:
        script = SCRIPT.format(salt=self.salt, wanted=WANTED[patterns])
        return Command(
            name=hashlib.sha256(repr(patterns).encode()).hexdigest()[:8],
            project_dir=str(self.place),
            argv=("python3", "-I", "-S", "-c", script),
            skip_unchanged=True,
            inputs=patterns,
        )

    def ran(self, patterns: tuple[str, ...]) -> Outcome:
        """The outcome of a run whose pass may be remembered."""
        outcome = self.really(self.command(patterns))
        assert outcome.status is Status.PASSED, outcome
        self.said.add((patterns, outcome.stdout.head))
        return outcome

    def really(self, command: Command) -> Outcome:
        """What a fresh executor makes of it."""
        return run(HostExecutor(self.environ()), command).outcome


@pytest.mark.scenario("reuse: A stale pass is never used")
def test_a_stale_pass_is_never_used() -> None:
    run_state_machine_as_test(
        Reuse,
        settings=settings(
            max_examples=5,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    assert {*PATTERNS} == REUSED
