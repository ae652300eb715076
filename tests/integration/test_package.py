"""What people install: the wheel, built from the source distribution, outside of the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stophooks.values import replace

if TYPE_CHECKING:
    from tests.program import Stophooks

ROOT = Path(__file__).parents[2]
SCHEMA = (ROOT / "schema.json").read_text(encoding="utf-8")
CONFIG = """\
stop:
  commands:
    - name: file is there
      run: test -e done
"""


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the source distribution and the wheel that was built from it."""
    directory = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", directory, ROOT],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return directory


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    (path,) = distributions.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel and what it asks for; its programs."""
    directory = tmp_path_factory.mktemp("environment")
    venv.create(directory, with_pip=True)
    pip = [directory / "bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*map(str, pip), "install", str(wheel)], check=True)
    return directory / "bin"


@pytest.fixture
def installed(stophooks: Stophooks, environment: Path) -> Stophooks:
    """The program as the wheel installs it."""
    return replace(stophooks, python=str(environment / "python"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "stophooks.yaml").write_text(CONFIG)
    return directory


def test_the_wheel_holds_the_package_its_schema_and_its_licence_only(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert {
        "stophooks/schema.json",
        "stophooks/py.typed",
        "stophooks/plugins/opencode/stophooks.js",
    } <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"stophooks"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_source_distribution_holds_what_tests_and_docs_need(distributions: Path) -> None:
    (path,) = distributions.glob("*.tar.gz")

    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    needed = {"schema.json", "README.md", "LICENSE", "tests/conftest.py", "scripts/test"}
    assert needed | {"bench/__main__.py", "docs/performance/figures.json"} <= names
    assert not {name for name in names if "node_modules" in name}


def test_the_installed_schema_is_the_committed_one(installed: Stophooks, tmp_path: Path) -> None:
    answer = installed("schema", cwd=tmp_path)

    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout) == json.loads(SCHEMA)


def test_the_development_install_prints_the_same_schema(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    answer = stophooks("schema", cwd=tmp_path)

    assert json.loads(answer.stdout) == json.loads(SCHEMA)


def test_the_installed_program_validates(installed: Stophooks, project: Path) -> None:
    assert installed("validate", cwd=project).returncode == 0


def test_the_installed_program_names_a_mistake(installed: Stophooks, project: Path) -> None:
    (project / "stophooks.yaml").write_text(CONFIG.replace("run:", "rum:"))

    answer = installed("validate", cwd=project)

    assert answer.returncode == 3
    assert 'unknown key "rum"' in answer.stderr


def test_the_installed_hook_blocks_and_then_lets_go(installed: Stophooks, project: Path) -> None:
    payload = {
        "session_id": "s",
        "transcript_path": str(project / "transcript.jsonl"),
        "cwd": str(project),
        "permission_mode": "default",
        "hook_event_name": "Stop",
        "stop_hook_active": False,
    }
    stdin = json.dumps(payload).encode()

    blocked = installed("hook", "--agent", "claude", cwd=project, stdin=stdin)
    (project / "done").touch()
    passed = installed("hook", "--agent", "claude", cwd=project, stdin=stdin)

    assert blocked.returncode == 2
    assert json.loads(blocked.stdout)["decision"] == "block"
    assert "file is there" in blocked.stderr
    assert (passed.returncode, passed.stdout) == (0, "")


def test_the_console_script_is_the_program(environment: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [environment / "stophooks", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("stophooks ")
