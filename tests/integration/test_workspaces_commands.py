"""The commands of `workspace.post_create` and `workspace.pre_close`: where and with what."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.repositories import branches, commit, git
from tests.running import wait_until
from tests.workspaces import Yard, made

if TYPE_CHECKING:
    import docker

    from tests.program import Stophooks

NPM = """\
[ -f package.json ] || { echo no package.json here >&2; exit 254; }
mkdir -p node_modules && echo "$@" > node_modules/.ran
"""
TELL = "env | grep -E '^(STOPHOOKS_(EVENT|SUBJECT|ITEM|BRANCH)|CANOPY)' | sort > told"


@pytest.fixture
def yard(stophooks: Stophooks, tmp_path: Path) -> Yard:
    project = tmp_path / "project"
    project.mkdir()
    return Yard(stophooks=stophooks, project=project)


@pytest.mark.scenario("workspaces: npm install in one repository only")
def test_npm_install_runs_in_frontend_only(yard: Yard) -> None:
    backend, frontend = yard.repo("backend"), yard.repo("frontend")
    commit(frontend, {"package.json": "{}\n", ".gitignore": "node_modules\n"})
    yard.configure("workspace: {post_create: {commands: [{run: npm install, repos: [frontend]}]}}")

    made(yard.create(backend, frontend, env=yard.program("npm", NPM)))

    assert (yard.place() / "frontend/node_modules/.ran").read_text() == "install\n"
    assert not (yard.place() / "backend/node_modules").exists()
    assert not (yard.place() / "node_modules").exists()
    made(yard.close())


def test_the_documented_example_runs(yard: Yard) -> None:
    page = (Path(__file__).parents[2] / "docs/workspaces.md").read_text()
    (example,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    backend, frontend = yard.repo("backend"), yard.repo("frontend")
    commit(frontend, {"package.json": "{}\n", ".gitignore": "node_modules\n"})
    yard.configure(example.replace("./link-packages.sh", "link-packages"))
    env = yard.program("npm", NPM) | yard.program("link-packages", "pwd > backend/linked")
    call = ["--branch", "proj-123", "--repo", "repos/frontend", "--repo", "repos/backend"]

    made(yard("create", "PROJ-123", *call, env=env))

    place = yard.place("PROJ-123")
    assert (place / "frontend/node_modules/.ran").exists()
    assert (place / "backend/linked").read_text().strip() == str(place)
    made(yard("close", "PROJ-123"))
    assert "linked" in git(backend, "stash", "show", "--include-untracked", "--name-only")
    assert git(frontend, "stash", "list") == ""


@pytest.mark.scenario("workspaces: In a container")
def test_a_command_in_a_container_sees_its_repository(
    yard: Yard, engine: docker.DockerClient
) -> None:
    del engine
    a, b = yard.repo("a"), yard.repo("b")
    yard.configure(
        "workspace:\n"
        "  post_create:\n"
        "    commands:\n"
        "      - image: stophooks-test/busybox:1\n"
        "        network: none\n"
        "        for_each: repos\n"
        "        run: echo $STOPHOOKS_ITEM_NAME $STOPHOOKS_ITEM_PATH > told && cat README >> told\n"
    )

    made(yard.create(a, b))

    for name in ("a", "b"):
        assert (yard.place() / name / "told").read_text() == f"{name} /workspace\n{name}\n"


@pytest.mark.scenario("workspaces: In the order of the workspace")
def test_repositories_come_in_the_order_of_the_workspace(yard: Yard) -> None:
    repos = [yard.repo(name) for name in ("a", "b", "c")]
    order = yard.project / "order"
    yard.configure(
        "workspace:\n"
        "  post_create:\n"
        f"    commands: [{{run: 'basename $PWD >> {order}', repos: [b, a]}}]\n"
    )

    made(yard.create(*repos))

    assert order.read_text().split() == ["a", "b"]


@pytest.mark.scenario("workspaces: Once in the workspace")
def test_a_command_without_repositories_runs_once_in_the_workspace(yard: Yard) -> None:
    a, b = yard.repo("a"), yard.repo("b")
    seen = yard.project / "seen"
    yard.configure(
        f"workspace: {{post_create: {{commands: [{{run: 'pwd >> {seen}; ls a b >> {seen}'}}]}}}}"
    )

    made(yard.create(a, b))

    assert seen.read_text().split() == [str(yard.place()), "a:", "README", "b:", "README"]


@pytest.mark.scenario("workspaces: What commands are told")
def test_a_command_is_told_the_workspace_and_its_repository(yard: Yard) -> None:
    a = yard.repo("a")
    yard.configure(
        f'workspace: {{post_create: {{commands: [{{run: "{TELL}", for_each: repos}}]}}}}'
    )

    made(yard.create(a))

    assert (yard.place() / "a/told").read_text().splitlines() == [
        "STOPHOOKS_BRANCH=feature",
        "STOPHOOKS_EVENT=workspace.post_create",
        "STOPHOOKS_ITEM_KIND=repo",
        "STOPHOOKS_ITEM_NAME=a",
        f"STOPHOOKS_ITEM_PATH={yard.place() / 'a'}",
        "STOPHOOKS_SUBJECT_ID=W",
        "STOPHOOKS_SUBJECT_KIND=workspace",
        f"STOPHOOKS_SUBJECT_PATH={yard.place()}",
    ]


@pytest.mark.scenario("workspaces: canopy's variables")
def test_canopys_variables_come_with_compat_only(yard: Yard) -> None:
    a = yard.repo("a")
    commands = f'{{commands: [{{run: "{TELL}", for_each: repos}}, {{run: "{TELL}"}}]}}'
    yard.configure(f"workspace: {{compat: canopy, post_create: {commands}}}")

    made(yard.create(a))

    in_repo = (yard.place() / "a/told").read_text().splitlines()
    in_root = (yard.place() / "told").read_text().splitlines()
    of_workspace = [
        "CANOPY_BRANCH=feature",
        "CANOPY_WORKSPACE_ID=W",
        f"CANOPY_WORKSPACE_PATH={yard.place()}",
    ]
    assert [row for row in in_root if row.startswith("CANOPY")] == of_workspace
    assert [row for row in in_repo if row.startswith("CANOPY")] == [
        of_workspace[0],
        "CANOPY_REPO_NAME=a",
        f"CANOPY_REPO_PATH={yard.place() / 'a'}",
        *of_workspace[1:],
    ]
    yard.configure(f"workspace: {{post_create: {commands}}}")
    made(yard.create(a, id_="plain", branch="plain"))
    assert "CANOPY" not in (yard.place("plain") / "a/told").read_text()


@pytest.mark.scenario("workspaces: A failure leaves the workspace")
@pytest.mark.scenario("workspaces: All failures, the first first")
def test_all_failures_are_told_and_the_workspace_stays(yard: Yard) -> None:
    a, b = yard.repo("a"), yard.repo("b")
    yard.configure(
        "workspace:\n"
        "  post_create:\n"
        "    commands:\n"
        "      - {name: one, run: echo first >&2; exit 7, for_each: repos}\n"
        "      - {name: two, run: exit 8, for_each: repos}\n"
        "      - {name: last, run: touch ran}\n"
    )

    done = yard.create(a, b)

    assert done.returncode == 1
    assert (yard.place() / "ran").exists()
    assert yard.list()[0]["state"] == "ready"
    told = re.findall(r"^Hook failed: (.*)$", done.stderr, re.MULTILINE)
    assert told == [
        "workspace.post_create[0] (one) in a: exit code 7",
        "workspace.post_create[0] (one) in b: exit code 7",
        "workspace.post_create[1] (two) in a: exit code 8",
        "workspace.post_create[1] (two) in b: exit code 8",
    ]
    assert done.stderr.splitlines()[-1] == (
        "workspace.post_create[0] (one) in a: exit code 7, and 3 more. The workspace stays. "
        "stophooks workspace close W closes it."
    )


@pytest.mark.scenario("workspaces: A failure that is not to count")
def test_a_failure_that_is_not_to_count_is_told(yard: Yard) -> None:
    a = yard.repo("a")
    yard.configure("workspace: {post_create: {commands: [{run: exit 7}]}}")

    done = made(yard.create(a, flags=("--continue-on-hook-error",)))

    assert "exit code 7" in done.stderr


@pytest.mark.scenario("workspaces: A warning on standard error")
def test_standard_error_of_a_command_that_passed_is_a_warning(yard: Yard) -> None:
    a = yard.repo("a")
    yard.configure(
        "workspace: {post_create: {commands: [{name: w, run: echo deprecated >&2, repos: [a]}]}}"
    )

    done = made(yard.create(a))

    assert (
        "Warning: workspace.post_create[0] (w) in a passed and wrote to standard error:\n"
        "  deprecated\n"
    ) in done.stderr
    assert "Hook failed" not in done.stderr


def test_output_is_shown_as_it_comes_and_kept(yard: Yard) -> None:
    a = yard.repo("a")
    yard.configure(
        "workspace: {post_create: {commands: [{name: w, run: echo shown; exit 3, repos: [a]}]}}"
    )

    done = yard.create(a)

    assert re.search(r"^w \[a\] \| shown$", done.stderr, re.MULTILINE)
    log = re.search(r"Full output: (\S+)", done.stderr)
    assert log is not None
    with open(log[1], encoding="utf-8") as file:
        assert file.read() == "shown\n"


@pytest.mark.scenario("workspaces: Debug")
def test_debug_shows_each_command_where_it_runs_and_its_result(yard: Yard) -> None:
    a = yard.repo("a")
    yard.configure("workspace: {post_create: {commands: [{run: exit 5, for_each: repos}]}}")

    done = yard.create(a, flags=("--debug",))

    assert done.returncode == 1
    rows = done.stderr.splitlines()
    assert any("git worktree add" in row and f"in {a}/.git" in row for row in rows)
    (row,) = [row for row in rows if row.startswith("debug: workspace.post_create: ")]
    assert "exit code 5; after" in row
    assert "(timeout 30 s)" in row
    assert f"in {yard.place() / 'a'}; $ exit 5" in row


@pytest.mark.scenario("workspaces: Somebody else's configuration")
def test_commands_of_somebody_elses_configuration_are_refused(yard: Yard) -> None:
    a = yard.repo("a")
    yard.configure("workspace: {post_create: {commands: [{run: touch ran}]}}")
    config = yard.project / "stophooks.yaml"
    config.chmod(0o666)

    writable = yard.create(a)

    assert writable.returncode == 3
    assert f"chmod o-w {config}" in writable.stderr
    config.chmod(0o644)
    if os.geteuid() == 0:  # nobody else can give files away
        os.chown(config, 12345, -1)
        foreign = yard.create(a)
        assert foreign.returncode == 3
        assert f"chown 0 {config}" in foreign.stderr
    else:
        config.chmod(0o666)
    assert branches(a) == ["main"]
    assert not yard.place().exists()

    made(yard.create(a, flags=("--no-hooks",)))

    yard.configure("workspace: {pre_close: {commands: [{run: touch ran}]}}")
    config.chmod(0o666)
    assert yard.close().returncode == 3
    assert (yard.place() / "a/README").exists()
    forced = made(yard.close("--force"))
    assert f"chown 0 {config}\n" in forced.stderr or f"chmod o-w {config}\n" in forced.stderr
    assert not list(yard.project.rglob("ran"))


@pytest.mark.scenario("workspaces: Two at once")
def test_a_workspace_is_not_closed_while_it_is_made(yard: Yard) -> None:
    a = yard.repo("a")
    reached, go_on = yard.project / "reached", yard.project / "go_on"
    script = f"touch {reached}; until [ -e {go_on} ]; do sleep 0.02; done"
    yard.configure(f"workspace: {{post_create: {{commands: [{{run: '{script}', timeout: 60s}}]}}}}")
    args = ("workspace", "create", "W", "--branch", "feature", "--repo", str(a))

    with yard.stophooks.start(*args, cwd=yard.project) as run:
        wait_until(reached.exists)
        assert run.poll() is None
        busy = yard.close("--force")
        state = yard.list()[0]["state"]
        go_on.touch()
        run.communicate(timeout=60)

    assert busy.returncode == 75
    assert "is being made or closed by another process" in busy.stderr
    assert state == "busy"
    assert run.returncode == 0
    assert (yard.place() / "a/README").exists()
    made(yard.close())


def test_a_signal_during_the_commands_leaves_the_workspace(yard: Yard) -> None:
    a = yard.repo("a")
    reached = yard.project / "reached"
    yard.configure(
        f"workspace: {{post_create: {{commands: [{{run: 'echo $$ > {reached}; sleep 300'}}]}}}}"
    )
    args = ("workspace", "create", "W", "--branch", "feature", "--repo", str(a))

    with yard.stophooks.start(*args, cwd=yard.project) as run:
        wait_until(lambda: reached.exists() and reached.read_text().strip() != "")
        assert run.poll() is None
        os.kill(run.pid, signal.SIGTERM)
        _, told = run.communicate(timeout=60)

    assert run.returncode == 128 + signal.SIGTERM
    assert b"The workspace stays." in told
    assert yard.list()[0]["state"] == "ready"
    made(yard.close("--no-hooks"))


def test_a_command_that_runs_once_runs_once_for_a_workspace(yard: Yard) -> None:
    a = yard.repo("a")
    ran = yard.project / "ran"
    yard.configure(
        f"workspace:\n  pre_close: {{commands: [{{run: echo x >> {ran}, once: true}}]}}\n"
    )
    made(yard.create(a))
    (yard.place() / "a/new").write_text("n\n")

    for _ in range(2):
        assert yard.close().returncode == 1

    assert ran.read_text() == "x\n"
