"""Which shell reads a script, where a command names one."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.host import HostExecutor
from stophooks.models import Command
from tests.program import TOKEN
from tests.running import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    MakeCommand = Callable[[str, str], Command]


@pytest.fixture
def host(token: str) -> HostExecutor:
    return HostExecutor({**os.environ, TOKEN: token})


@pytest.fixture
def command(tmp_path: Path) -> MakeCommand:
    def make(shell: str, script: str) -> Command:
        return Command(name="check", project_dir=str(tmp_path), run=script, shell=shell)

    return make


@pytest.mark.parametrize("shell", ["dash", "bash", "sh", "/bin/dash", "busybox"])
@pytest.mark.scenario("host-executor: Shell that a command names")
def test_a_named_shell_reads_the_script(
    host: HostExecutor, command: MakeCommand, tmp_path: Path, shell: str
) -> None:
    if shell == "busybox":
        shell = f"{tmp_path}/ash"
        os.symlink(shutil.which("busybox") or "busybox is not installed", shell)

    ran = run(host, command(shell, 'echo "$0 ${BASH_VERSION:+is bash}"'))
    dashed = run(host, command(shell, "-no-such-program"))

    name, _, version = ran.stdout.decode().strip().partition(" ")
    assert os.path.basename(name) == os.path.basename(shell)
    assert version == ("is bash" if shell == "bash" else "")
    assert dashed.outcome.exit_code == 127
    assert b"-no-such-program" in dashed.stderr


@pytest.mark.scenario("host-executor: Shell that a command names")
def test_a_shell_that_knows_no_dashes_gets_none(host: HostExecutor, command: MakeCommand) -> None:
    ran = run(host, command("python3", "-1; print(__name__)"))

    assert ran.stdout == b"__main__\n"


@pytest.mark.parametrize("shell", ["no-such-shell", "/no/such/shell", "../bin/sh", "sh -e"])
@pytest.mark.scenario("host-executor: Named shell that is not there")
def test_a_named_shell_that_is_not_there_is_named(
    host: HostExecutor, command: MakeCommand, tmp_path: Path, shell: str
) -> None:
    with pytest.raises(ExecutorUnavailableError, match=f"No shell {shell} is ") as raised:
        run(host, command(shell, "touch ran"))

    assert raised.value.fault == "no-shell"
    assert "correct `shell`" in raised.value.remedy
    assert not (tmp_path / "ran").exists()


def test_two_commands_have_each_its_own_shell(host: HostExecutor, command: MakeCommand) -> None:
    shells = [run(host, command(shell, "echo $0")).stdout for shell in ("dash", "bash", "dash")]

    assert [os.path.basename(shell.strip()) for shell in shells] == [b"dash", b"bash", b"dash"]
