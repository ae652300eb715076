"""A check that passed is not run again while nothing that decides its result has changed."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

import pytest

from stophooks import inputs
from stophooks.memo.base import Basis
from stophooks.memo.memo import Memo
from stophooks.models import Command, Outcome, Status
from stophooks.secrets.vault import Vault
from stophooks.store import tables
from stophooks.store.passes import KEEP, KEEP_S, Pass, Passes
from tests.repositories import commit, git, repository
from tests.running import wait_until
from tests.sessions import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.program import Stophooks

# It counts its runs where no tree has the file.
CHECK = "echo ran >> .git/runs; test ! -e bad"
UNCHANGED = r"unchanged since it passed at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


def config(*commands: Mapping[str, object], **section: object) -> str:
    return json.dumps({"stop": {"skip_unchanged": True, "commands": list(commands), **section}})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A repository whose check counts its runs."""
    files = {
        "stophooks.json": config({"name": "tests", "run": CHECK}),
        "src/a.py": "1\n",
        "src/b.py": "2\n",
        ".gitignore": "*.log\n.env\n",
    }
    return repository(tmp_path / "project", files)


def memo_of(place: Path, **env: str) -> Memo:
    """What knows the results of commands in a project, as a run makes it."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(place.parent), **env}
    return Memo(
        str(place),
        environ=environ,
        vault=Vault({}),
        home="/",
        state_dir=str(place.parent / "state"),
        basis=Basis(),
    )


def runs(place: Path) -> int:
    """How often the check ran."""
    path = place / ".git/runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


def results(stophooks: Stophooks, place: Path, *args: str, **env: str) -> list[dict[str, object]]:
    done = stophooks("run", "--format", "json", *args, cwd=place, env=env)
    return list(json.loads(done.stdout)["results"])


@pytest.mark.scenario("reuse: A check that passed is not run again")
def test_a_check_that_passed_is_not_run_again(stophooks: Stophooks, place: Path) -> None:
    first = stophooks("run", cwd=place)
    again = stophooks("run", cwd=place)
    as_json = results(stophooks, place)
    by_agent = Session(stophooks=stophooks, place=place).stop()

    assert (first.returncode, again.returncode) == (0, 0)
    assert re.fullmatch(
        rf"SKIP    tests +-  host  skipped: {UNCHANGED}\n1 skipped in .*s\n", again.stdout
    )
    assert (as_json[0]["status"], as_json[0]["started"]) == ("skipped", False)
    assert re.fullmatch(UNCHANGED, str(as_json[0]["reason"]))
    assert (by_agent.returncode, by_agent.stdout, by_agent.stderr) == (0, "", "")
    assert runs(place) == 1


def edited(place: Path) -> None:
    (place / "src/a.py").write_text("9\n")


def executable(place: Path) -> None:
    (place / "src/a.py").chmod(0o755)


def made(place: Path) -> None:
    (place / "new").touch()


def removed(place: Path) -> None:
    (place / "src/b.py").unlink()


def committed(place: Path) -> None:
    git(place, "commit", "-q", "--allow-empty", "-m", "empty")


def hidden(place: Path) -> None:
    git(place, "update-index", "--assume-unchanged", "src/a.py")
    edited(place)


def redefined(place: Path) -> None:
    text = config({"name": "tests", "run": CHECK + "; true"})
    (place / "stophooks.json").write_text(text)


def same_content_redefined(place: Path) -> None:
    """The plan is another one, and the files that git sees are the same."""
    (place / "check.env").write_text("A=2\n")


@pytest.mark.scenario("reuse: Whatever decides the result makes it run again")
@pytest.mark.parametrize(
    "change",
    [edited, executable, made, removed, committed, hidden, redefined],
    ids=lambda f: f.__name__,
)
def test_a_change_makes_it_run_again(
    stophooks: Stophooks, place: Path, change: Callable[[Path], None]
) -> None:
    stophooks("run", cwd=place)
    change(place)

    stophooks("run", cwd=place)
    stophooks("run", cwd=place)

    assert runs(place) == 2


def test_a_variable_a_secret_and_a_program_make_it_run_again(
    stophooks: Stophooks, place: Path, tmp_path: Path
) -> None:
    check = {"name": "tests", "command": ["counted"], "secrets": ["KEY"], "env_file": ".env"}
    (place / "stophooks.json").write_text(config(check))
    (place / ".env").write_text("A=1\n")
    tool = tmp_path / "bin/counted"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho ran >> .git/runs\n")
    tool.chmod(0o755)
    env = {"KEY": "one-secret", "PATH": f"{tool.parent}:{os.environ['PATH']}", "B": "1"}
    counted = []

    def ran(**more: str) -> None:
        for _ in range(2):
            assert results(stophooks, place, **{**env, **more})[0]["status"] != "failed"
        counted.append(runs(place))

    ran()
    ran(B="2")
    ran(KEY="another-one")
    (place / ".env").write_text("A=2\n")
    ran()
    tool.write_text(tool.read_text() + "# another version\n")
    ran()
    ran(SHLVL="7", OLDPWD="/", STOPHOOKS_SESSION="another")

    assert counted == [1, 2, 3, 4, 5, 5]


@pytest.mark.scenario("reuse: What decides nothing does not")
def test_what_decides_nothing_does_not_make_it_run(stophooks: Stophooks, place: Path) -> None:
    stophooks("run", cwd=place)

    (place / "src/a.py").touch()
    stophooks("run", cwd=place)
    (place / "src/b.py").unlink()
    (place / "src/b.py").write_text("2\n")
    stophooks("run", cwd=place)
    (place / "noise.log").write_text("x")
    stophooks("run", cwd=place)

    assert runs(place) == 1


@pytest.mark.scenario("reuse: Only its inputs count")
def test_only_its_inputs_count(stophooks: Stophooks, place: Path) -> None:
    (place / "stophooks.json").write_text(
        config({"name": "tests", "run": CHECK, "inputs": ["src/**", "*.toml"]})
    )
    stophooks("run", cwd=place)
    counted = [runs(place)]

    (place / "README").write_text("words")
    committed(place)
    for change in (lambda _: None, edited, removed):
        change(place)
        stophooks("run", cwd=place)
        counted.append(runs(place))
    (place / "a.toml").touch()
    stophooks("run", cwd=place)
    counted.append(runs(place))
    # The same plan; the file that it stands in counts all the same.
    (place / "stophooks.json").write_text((place / "stophooks.json").read_text() + "\n")
    stophooks("run", cwd=place)

    assert [*counted, runs(place)] == [1, 1, 2, 3, 4, 5]


@pytest.mark.scenario("reuse: Ignored files count where inputs name them")
@pytest.mark.parametrize("pattern", [".env", "built.log", "out/**"])
def test_ignored_files_count_where_inputs_name_them(
    stophooks: Stophooks, place: Path, pattern: str
) -> None:
    (place / "stophooks.json").write_text(
        config({"name": "tests", "run": CHECK, "inputs": ["src", pattern]})
    )
    (place / ".gitignore").write_text("*.log\n.env\nout\n")
    (place / "out").mkdir()
    name = pattern.replace("**", "x/y")
    (place / name).parent.mkdir(exist_ok=True)
    counted = []
    for text in ("1", "1", "2"):
        (place / name).write_text(text)
        stophooks("run", cwd=place)
        counted.append(runs(place))
    (place / name).unlink()
    stophooks("run", cwd=place)

    assert [*counted, runs(place)] == [1, 1, 2, 3]


@pytest.mark.scenario("reuse: A command has the last word")
def test_a_command_has_the_last_word(stophooks: Stophooks, place: Path) -> None:
    other = {"name": "other", "run": "true", "skip_unchanged": False}
    (place / "stophooks.json").write_text(config({"name": "tests", "run": CHECK}, other))

    stophooks("run", cwd=place)
    found = results(stophooks, place)

    assert [one["status"] for one in found] == ["skipped", "passed"]


@pytest.mark.scenario("reuse: A file that changed while it ran makes the pass unusable")
@pytest.mark.parametrize("inputs_", [None, ["src"]])
def test_a_file_that_changed_while_it_ran(
    stophooks: Stophooks, place: Path, inputs_: list[str] | None
) -> None:
    more = {} if inputs_ is None else {"inputs": inputs_}
    waits = f"{CHECK}; touch .git/began; until test -e .git/go; do sleep 0.01; done"
    (place / "stophooks.json").write_text(config({"name": "tests", "run": waits, **more}))

    running = stophooks.start("run", cwd=place)
    wait_until((place / ".git/began").exists)
    (place / "src/a.py").write_text("meanwhile\n")
    (place / ".git/go").touch()
    assert running.wait(30) == 0
    running.communicate()
    counted = []
    # Neither of what is there now nor of what was there at first is anything known.
    for text in ("meanwhile\n", "meanwhile\n", "1\n", "1\n"):
        (place / "src/a.py").write_text(text)
        stophooks("run", cwd=place)
        counted.append(runs(place))

    assert counted == [2, 2, 3, 3]


@pytest.mark.scenario("reuse: A file that was changed and changed back while it ran")
@pytest.mark.parametrize(
    ("inputs_", "name"),
    [
        (None, "src/a.py"),
        (["src/a.py"], "src/a.py"),
        (["src"], "src/a.py"),
        (["**/*.py"], "src/a.py"),
        ([".env"], ".env"),
        (["src/b.py"], "check.sh"),
    ],
)
def test_a_file_that_was_changed_and_changed_back_while_it_ran(
    stophooks: Stophooks, place: Path, inputs_: list[str] | None, name: str
) -> None:
    more = {} if inputs_ is None else {"inputs": inputs_}
    waits = f"{CHECK}; touch .git/began; until test -e .git/go; do sleep 0.01; done; sh ./check.sh"
    (place / "stophooks.json").write_text(config({"name": "tests", "run": waits, **more}))
    (place / "check.sh").write_text("true\n")
    (place / name).write_text("true\n")
    found = (place / name).stat()

    running = stophooks.start("run", cwd=place)
    wait_until((place / ".git/began").exists)
    for text in ("echo\n", "true\n"):
        (place / name).write_text(text)
        os.utime(place / name, ns=(found.st_atime_ns, found.st_mtime_ns))
    (place / ".git/go").touch()
    assert running.wait(30) == 0
    running.communicate()
    counted = []
    for _ in range(2):
        stophooks("run", cwd=place)
        counted.append(runs(place))

    assert counted == [2, 2]


@pytest.mark.scenario("reuse: A file that was changed and changed back while it ran")
def test_only_inputs_have_to_be_left_alone_while_it_runs(stophooks: Stophooks, place: Path) -> None:
    writes = f"{CHECK}; echo 2 > new; rm new; touch src/b.py"
    check = {"name": "tests", "run": writes, "inputs": ["src/a.py"]}
    (place / "stophooks.json").write_text(config(check))

    for _ in range(2):
        stophooks("run", cwd=place)

    assert runs(place) == 1


@pytest.mark.scenario("reuse: A script that it starts counts beside its inputs")
@pytest.mark.parametrize(
    "check", [{"run": "./scripts/check.sh"}, {"command": ["sh", "scripts/check.sh"]}]
)
def test_a_script_that_it_starts_counts_beside_its_inputs(
    stophooks: Stophooks, place: Path, check: Mapping[str, object]
) -> None:
    script = place / "scripts/check.sh"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\n{CHECK}\n")
    script.chmod(0o755)
    (place / "stophooks.json").write_text(
        config({"name": "tests", "inputs": ["src/a.py"], **check})
    )
    counted = []
    for _ in range(2):
        stophooks("run", cwd=place)
        counted.append(runs(place))
    script.write_text(f"#!/bin/sh\n{CHECK}; false\n")

    told = why(stophooks, place)
    code = stophooks("run", cwd=place).returncode

    assert counted == [1, 1]
    assert told.endswith("a script that it starts (scripts/check.sh) changed since it passed at T")
    assert code == 1


def test_what_it_writes_is_no_script_that_it_starts(stophooks: Stophooks, place: Path) -> None:
    check = {"name": "tests", "run": f"{CHECK}; date +%N > .git/when", "inputs": ["src"]}
    (place / "stophooks.json").write_text(config(check))

    for _ in range(2):
        stophooks("run", cwd=place)

    assert runs(place) == 1


def test_a_check_that_changes_its_own_inputs_runs_until_it_does_not(
    stophooks: Stophooks, place: Path
) -> None:
    formats = f"{CHECK}; grep -q formatted src/a.py || echo formatted >> src/a.py"
    (place / "stophooks.json").write_text(config({"name": "tests", "run": formats}))

    for _ in range(4):
        stophooks("run", cwd=place)

    assert runs(place) == 2


@pytest.mark.scenario("reuse: Failures are not remembered")
def test_failures_are_not_remembered(stophooks: Stophooks, place: Path) -> None:
    (place / "stophooks.json").write_text(
        config(
            {"name": "fails", "run": CHECK + "; false"},
            {"name": "warns", "run": CHECK + "; false", "severity": "warn"},
            {"name": "late", "run": "echo ran >> .git/runs; exec sleep 60", "timeout": "0.1s"},
        )
    )

    stophooks("run", cwd=place)
    found = results(stophooks, place)

    assert [one["status"] for one in found] == ["failed", "failed", "timed_out"]
    assert runs(place) == 6


def test_a_failure_makes_a_pass_on_the_same_terms_unknown(tmp_path: Path) -> None:
    """Of two runs at once the one that fails has the last word, whichever ends first."""
    place = repository(tmp_path / "p", {"a": "1"})
    check = Command(name="c", project_dir=str(place), run="x", skip_unchanged=True)
    first, second, third = (memo_of(place) for _ in range(3))

    assert first.known(check, None) is None
    assert second.known(check, None) is None
    first.ended(check, Outcome(status=Status.PASSED))
    assert third.known(check, None) is not None
    second.ended(check, Outcome(status=Status.FAILED))

    again = memo_of(place)
    assert again.known(check, None) is None
    for one in (first, second, third, again):
        one.close()


@pytest.mark.scenario("reuse: A store out of order reuses nothing")
@pytest.mark.parametrize("harm", ["file", "row", "salt", "table"])
def test_a_store_out_of_order_reuses_nothing(stophooks: Stophooks, place: Path, harm: str) -> None:
    stophooks("run", cwd=place)
    state = stophooks.state / "stophooks"
    if harm == "file":
        (state / "state.db").write_bytes(b"not a database" * 100)
    elif harm == "salt":
        (state / "salt").write_bytes(b"short")
    else:
        sql = {"row": "UPDATE passes SET at = at + 1", "table": "DROP TABLE passes"}[harm]
        with sqlite3.connect(state / "state.db") as connection:
            connection.execute(sql)
        connection.close()

    codes = [stophooks("run", cwd=place).returncode for _ in range(2)]

    assert codes == [0, 0]
    assert runs(place) == 2


def test_a_store_that_can_be_kept_nowhere_reuses_nothing(
    stophooks: Stophooks, place: Path, tmp_path: Path
) -> None:
    stophooks.state.rmdir()
    stophooks.state.write_text("in the way")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / f"stophooks-{place.stat().st_uid}").write_text("in the way too")

    codes = [
        stophooks("run", cwd=place, env={"TMPDIR": str(tmp_path / "tmp")}).returncode
        for _ in range(2)
    ]

    assert codes == [0, 0]
    assert runs(place) == 2


@pytest.mark.scenario("reuse: Values are not kept")
def test_values_are_not_kept(stophooks: Stophooks, place: Path) -> None:
    (place / "stophooks.json").write_text(
        config({"name": "tests", "run": CHECK, "secrets": ["KEY"]})
    )

    done = stophooks("run", cwd=place, env={"KEY": "very-secret-word", "OTHER": "quite-plain-word"})

    kept = [path.read_bytes() for path in stophooks.state.rglob("*") if path.is_file()]
    assert done.returncode == 0
    assert kept
    assert not any(word in data for data in kept for word in (b"secret-word", b"plain-word"))
    assert (stophooks.state / "stophooks/salt").stat().st_mode & 0o777 == 0o600


@pytest.mark.scenario("reuse: No cache is neither read nor written")
def test_no_cache_is_neither_read_nor_written(stophooks: Stophooks, place: Path) -> None:
    stophooks("run", "--no-cache", cwd=place)
    counted = [runs(place)]
    for args in ((), ("--no-cache",), ()):
        stophooks("run", *args, cwd=place)
        counted.append(runs(place))

    assert counted == [1, 2, 3, 3]


@pytest.mark.scenario("reuse: A failure without the cache is one")
def test_a_failure_without_the_cache_makes_a_pass_unknown(
    stophooks: Stophooks, place: Path
) -> None:
    (place / "stophooks.json").write_text(
        config({"name": "tests", "run": "echo ran >> .git/runs; test ! -e .git/bad"})
    )
    stophooks("run", cwd=place)
    (place / ".git/bad").touch()

    failed = stophooks("run", "--no-cache", cwd=place).returncode
    again = stophooks("run", cwd=place).returncode

    assert (failed, again) == (1, 1)
    assert runs(place) == 3


@pytest.mark.scenario("reuse: No cache is neither read nor written")
def test_no_cache_leaves_no_salt(stophooks: Stophooks, place: Path) -> None:
    stophooks("run", "--no-cache", cwd=place)

    assert not (stophooks.state / "stophooks/salt").exists()


@pytest.mark.scenario("reuse: Results are forgotten on request")
def test_results_are_forgotten_on_request(
    stophooks: Stophooks, place: Path, tmp_path: Path
) -> None:
    other = repository(
        tmp_path / "other", {"stophooks.json": config({"name": "tests", "run": CHECK})}
    )
    for directory in (place, other):
        stophooks("run", cwd=directory)

    here = stophooks("cache", "clear", cwd=place)
    for directory in (place, other):
        stophooks("run", cwd=directory)
    every = stophooks("cache", "clear", "--all", "--format", "json", cwd=place)

    assert here.stdout == f"Forgot 1 remembered result of {place}.\n"
    assert json.loads(every.stdout) == {"project": None, "cleared": 2}
    assert (runs(place), runs(other)) == (2, 1)


@pytest.mark.scenario("reuse: Old and many results are forgotten")
def test_old_and_many_results_are_forgotten(tmp_path: Path) -> None:
    now = time.time()
    with Passes(str(tmp_path)) as passes:
        for number in range(KEEP + 5):
            at = now - 1000 + number
            passes.put(Pass(key=f"k{number}", project="/p", command="c", parts={}, at=at))
        passes.put(Pass(key="old", project="/p", command="c", parts={}, at=now - KEEP_S - 1))

        known = [key for key in ("old", "k0", "k4", "k5", "k1004") if passes.get(key)]

        assert known == ["k5", "k1004"]
        assert passes.clear("/p") == KEEP


@pytest.mark.scenario("reuse: A state file of an earlier version is taken over")
def test_a_state_file_of_an_earlier_version_is_taken_over(
    stophooks: Stophooks, place: Path
) -> None:
    session = Session(stophooks=stophooks, place=place)
    (place / "bad").touch()
    session.blocked()
    database = stophooks.state / "stophooks/state.db"
    with sqlite3.connect(database) as connection:
        connection.execute("DROP TABLE passes")
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    (place / "bad").unlink()

    for _ in range(2):
        stophooks("run", cwd=place)

    with sqlite3.connect(database) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        pins = connection.execute("SELECT count(*) FROM pins").fetchone()[0]
    connection.close()
    assert (version, pins) == (tables.VERSION, 1)
    assert runs(place) == 2
    assert not list(database.parent.glob("*.corrupt-*"))


def why(stophooks: Stophooks, place: Path, **env: str) -> str:
    done = stophooks("run", "--dry-run", "--why", cwd=place, env=env)
    head, row = done.stdout.splitlines()
    assert (done.returncode, head) == (0, "stop, for session local:")
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "T", row).strip()


@pytest.mark.scenario("reuse: The cause is named")
def test_the_cause_is_named(stophooks: Stophooks, place: Path) -> None:
    runs_, since = "would run   tests (host, 5 m): ", " changed since it passed at T"
    told = [why(stophooks, place)]
    stophooks("run", cwd=place)
    told.append(why(stophooks, place))
    told.append(why(stophooks, place, FLAVOUR="x"))
    edited(place)
    (place / "src/b.py").unlink()
    told.append(why(stophooks, place))
    git(place, "checkout", "-q", "--", ".")
    committed(place)
    told.append(why(stophooks, place))
    redefined(place)
    told.append(why(stophooks, place))

    assert told == [
        runs_ + "it has not passed here yet",
        "would skip  tests: unchanged since it passed at T",
        f"{runs_}its environment (FLAVOUR){since}",
        f"{runs_}src/a.py, src/b.py{since}",
        f"{runs_}the commit that it stands on{since}",
        f"{runs_}its definition{since}",
    ]
    assert runs(place) == 1


def test_fire_says_why_too(stophooks: Stophooks, place: Path) -> None:
    stophooks("fire", "stop", "--subject", "session:a", cwd=place)

    told = stophooks("fire", "stop", "--subject", "session:b", "--dry-run", "--why", cwd=place)

    assert re.fullmatch(rf"stop, for session b:\n  would skip  tests: {UNCHANGED}\n", told.stdout)


def test_why_is_for_a_dry_run(stophooks: Stophooks, place: Path) -> None:
    done = stophooks("run", "--why", cwd=place)

    assert done.returncode == 3
    assert "write --dry-run --why" in done.stderr
    assert runs(place) == 0


@pytest.mark.scenario("reuse: Looking leaves nothing")
def test_looking_leaves_nothing(stophooks: Stophooks, place: Path) -> None:
    stophooks("run", "--dry-run", "--why", cwd=place)

    assert list(stophooks.state.iterdir()) == []


def test_a_pass_of_one_project_is_none_of_its_copy(
    stophooks: Stophooks, place: Path, tmp_path: Path
) -> None:
    stophooks("run", cwd=place)
    copy = tmp_path / "copy"
    git(place, "worktree", "add", "-q", str(copy), "-b", "copy")
    (copy / "stophooks.json").write_text(
        config({"name": "tests", "run": "echo ran >> ../ran; test ! -e bad"})
    )
    commit(copy, {"x": ""})

    stophooks("run", cwd=copy)

    assert (tmp_path / "ran").exists()


def test_an_agent_s_stop_reuses_what_a_person_ran(stophooks: Stophooks, place: Path) -> None:
    other = {"name": "other", "run": "test -e new"}
    (place / "stophooks.json").write_text(
        config({"name": "tests", "run": CHECK, "inputs": ["src"]}, other)
    )
    session = Session(stophooks=stophooks, place=place)
    stophooks("run", cwd=place)

    reason = session.blocked()
    (place / "new").touch()
    told = session.told()

    assert "other: exit code 1" in reason
    assert "Not run this time: tests." in reason
    assert told == ""
    assert runs(place) == 1


@pytest.mark.scenario("reuse: Commands at once")
def test_commands_at_once(tmp_path: Path) -> None:
    """A command that ended while another one ran is judged by the files of its whole time."""
    place = repository(tmp_path / "p", {"a": "1", "b": "1"})

    def command(name: str, *patterns: str) -> Command:
        return Command(
            name=name, project_dir=str(place), run="true", skip_unchanged=True, inputs=patterns
        )

    passed = Outcome(status=Status.PASSED)
    writer, reader = command("writer"), command("reader", "a")
    other, late = command("other", "b"), command("late", "a")
    at_once = memo_of(place)
    threads = [
        threading.Thread(target=at_once.known, args=(one, None)) for one in (writer, reader, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (place / "a").write_text("2")
    # It starts after the change, while the writer still runs.
    assert at_once.known(late, None) is None
    for one in (reader, other, late, writer):
        at_once.ended(one, passed)
    at_once.close()

    known = {}
    for text in "21":
        (place / "a").write_text(text)
        after = memo_of(place)
        known[text] = [one.name for one in (writer, reader, other, late) if after.known(one, None)]
        after.close()
    assert known == {"2": ["other", "late"], "1": ["other"]}


def test_two_runs_at_once_remember_the_same(stophooks: Stophooks, place: Path) -> None:
    running = [stophooks.start("run", cwd=place) for _ in range(4)]

    for one in running:
        one.communicate(timeout=60)

    assert [one.returncode for one in running] == [0, 0, 0, 0]
    assert runs(place) == 1


def test_a_file_that_cannot_be_read_is_told_from_one_that_can(tmp_path: Path) -> None:
    place = repository(tmp_path / "p", {"a": "1"})
    environ = {"PATH": os.environ["PATH"]}
    state = str(tmp_path / "state")

    before = inputs.look(str(place), environ=environ, state_dir=state)
    (place / "a").unlink()
    (place / "a").mkdir()
    after = inputs.look(str(place), environ=environ, state_dir=state)

    assert before is not None
    assert after is not None
    assert before.id != after.id


def test_init_writes_it_and_list_shows_it(stophooks: Stophooks, tmp_path: Path) -> None:
    place = repository(tmp_path / "made", {"Makefile": "test:\n\techo ran >> .git/runs\n"})

    stophooks("init", cwd=place)
    listed = stophooks("list", cwd=place)
    for _ in range(2):
        stophooks("run", cwd=place)

    assert "runs: not again while nothing changed" in listed.stdout
    assert runs(place) == 1
