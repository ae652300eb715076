"""`stophooks init`: what it recognises, what it writes, what it leaves alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Stophooks

NODE = json.dumps(
    {"scripts": {"lint": "eslint .", "type-check": "tsc", "test": "vitest", "start": "node ."}}
)
UNTESTED = json.dumps({"scripts": {"test": 'echo "Error: no test specified" && exit 1'}})
PROJECTS = {
    "python-uv": (
        {"pyproject.toml": "[tool.ruff]\n[tool.mypy]\n[tool.pytest.ini_options]\n", "uv.lock": ""},
        {
            "lint": "uv run python -m ruff check .",
            "types": "uv run python -m mypy .",
            "test": "uv run python -m pytest -q",
        },
    ),
    "python-poetry-dependencies": (
        {
            "pyproject.toml": '[project]\nname="a"\n[dependency-groups]\ndev=["pytest","ruff"]\n',
            "poetry.lock": "",
        },
        {"lint": "poetry run python -m ruff check .", "test": "poetry run python -m pytest -q"},
    ),
    "python-venv": (
        {"setup.py": "", ".venv/bin/python": "", "tests/conftest.py": ""},
        {"test": ".venv/bin/python -m pytest -q"},
    ),
    "python-tox": ({"setup.cfg": "", "tox.ini": ""}, {"test": "tox -q"}),
    "python-unittest": (
        {"requirements.txt": "", "tests/test_a.py": ""},
        {"test": "python3 -m unittest discover"},
    ),
    "python-bare": (
        {"pyproject.toml": "this is not [toml"},
        {"compile": "python3 -m compileall -q ."},
    ),
    "node-npm": (
        {"package.json": NODE},
        {"lint": "npm run lint", "types": "npm run type-check", "test": "npm run test"},
    ),
    "node-pnpm": (
        {"package.json": NODE, "pnpm-lock.yaml": ""},
        {"lint": "pnpm run lint", "types": "pnpm run type-check", "test": "pnpm run test"},
    ),
    "node-package-manager": (
        {"package.json": json.dumps({"packageManager": "yarn@4", "scripts": {"test": "jest"}})},
        {"test": "yarn run test"},
    ),
    "go": ({"go.mod": "module a"}, {"lint": "go vet ./...", "test": "go test ./..."}),
    "rust": (
        {"Cargo.toml": "[package]"},
        {"format": "cargo fmt --check", "test": "cargo test --quiet"},
    ),
    "make": (
        {"Makefile": "VAR := x\nlint:\n\ttrue\ntest: lint\n\ttrue\ncheck: test\n"},
        {"lint": "make lint", "test": "make test"},
    ),
    "make-check-only": ({"GNUmakefile": "check:\n\ttrue\n"}, {"check": "make check"}),
    "two-languages": (
        {"go.mod": "module a", "package.json": json.dumps({"scripts": {"test": "jest"}})},
        {"test-node": "npm run test", "lint": "go vet ./...", "test-go": "go test ./..."},
    ),
}
PLACEHOLDER = {"example": 'echo "replace me with a check that fails while the work is not done"'}
EXAMPLES = ("whitespace", "todo", "isolated", "complete")


def fill(directory: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


def commands(stophooks: Stophooks, directory: Path) -> dict[str, dict[str, object]]:
    """The active commands by name, as `list` sees them."""
    plan = json.loads(stophooks("list", "--format", "json", cwd=directory).stdout)
    return {command["name"]: command for command in plan["sections"][0]["commands"]}


def uncommented(text: str, name: str) -> str:
    """The configuration with one of its examples put to use."""
    rows, inside = [], False
    for row in text.splitlines():
        if row.startswith("    # - name: "):
            inside = row.endswith(f" {name}")
        elif not row.startswith("    # "):
            inside = False
        rows.append(row.replace("# ", "", 1) if inside else row)
    return "\n".join(rows) + "\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


@pytest.mark.scenario("cli: A known project")
@pytest.mark.scenario("cli: The result is valid")
@pytest.mark.parametrize(("files", "expected"), PROJECTS.values(), ids=PROJECTS)
def test_what_a_project_has_becomes_its_checks(
    stophooks: Stophooks, project: Path, files: dict[str, str], expected: dict[str, str]
) -> None:
    done = stophooks("init", cwd=fill(project, files))

    assert done.returncode == 0
    assert stophooks("validate", "--strict", cwd=project).returncode == 0
    found = commands(stophooks, project)
    assert {name: command["run"] for name, command in found.items()} == expected


@pytest.mark.scenario("cli: Make targets come first")
def test_a_make_target_takes_the_place_of_the_tool_it_calls(
    stophooks: Stophooks, project: Path
) -> None:
    files = {"Makefile": "test:\n\tpytest\n", "pyproject.toml": "[tool.ruff]\n[tool.pytest.x]\n"}

    stophooks("init", cwd=fill(project, files))

    found = commands(stophooks, project)
    assert {name: command["run"] for name, command in found.items()} == {
        "test": "make test",
        "lint": "python3 -m ruff check .",
    }


@pytest.mark.scenario("cli: An unknown project")
@pytest.mark.parametrize(
    "files",
    [{}, {"package.json": UNTESTED}, {"package.json": "[1, 2"}, {"Makefile": "all:\n\ttrue\n"}],
    ids=["empty", "npm-init", "broken-json", "make-without-tests"],
)
def test_an_unknown_project_gets_a_placeholder(
    stophooks: Stophooks, project: Path, files: dict[str, str]
) -> None:
    done = stophooks("init", cwd=fill(project, files))

    found = commands(stophooks, project)
    assert {name: command["run"] for name, command in found.items()} == PLACEHOLDER
    assert "found: nothing known, so it holds a placeholder" in done.stdout


def test_a_file_that_cannot_be_read_counts_as_empty(stophooks: Stophooks, project: Path) -> None:
    # A regular file whose reading fails, also for root.
    (project / "package.json").symlink_to("/proc/self/mem")

    done = stophooks("init", cwd=project)

    assert done.returncode == 0
    assert "found: nothing known" in done.stdout


def test_a_javascript_test_runner_is_told_that_it_is_alone(
    stophooks: Stophooks, project: Path
) -> None:
    stophooks("init", cwd=fill(project, {"package.json": NODE}))

    assert commands(stophooks, project)["test"]["env"] == [["CI", "true"]]


@pytest.mark.scenario("cli: The result is valid")
@pytest.mark.scenario("cli: The containers have no network")
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_valid_when_uncommented(
    stophooks: Stophooks, project: Path, name: str
) -> None:
    stophooks("init", cwd=fill(project, {"go.mod": "module a"}))
    config = project / "stophooks.yaml"

    config.write_text(uncommented(config.read_text(), name))

    done = stophooks("validate", "--strict", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    command = commands(stophooks, project)[name]
    container = command["container"]
    assert (container is not None) is (name in {"isolated", "complete"})
    assert not isinstance(container, dict) or container["network"] == "none"
    # An engine refuses more cpus than its machine has.
    assert not isinstance(container, dict) or container["nano_cpus"] == 1_000_000_000


@pytest.mark.parametrize("name", ["whitespace", "todo"])
def test_the_host_examples_run(stophooks: Stophooks, project: Path, name: str) -> None:
    stophooks("init", cwd=project)
    config = project / "stophooks.yaml"
    config.write_text(uncommented(config.read_text(), name))

    done = stophooks("run", "--only", name, "--format", "json", cwd=project)

    status = {"whitespace": "failed", "todo": "passed"}  # git diff needs a repository
    assert json.loads(done.stdout)["results"][0]["status"] == status[name]


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("name", ["isolated", "complete"])
def test_the_container_examples_run(stophooks: Stophooks, project: Path, name: str) -> None:
    stophooks("init", cwd=project)
    config = project / "stophooks.yaml"
    text = uncommented(config.read_text(), name)
    config.write_text(text.replace("debian:stable-slim", "stophooks-test/busybox:1"))

    done = stophooks("run", "--only", name, cwd=project)

    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("PASS ")


def test_the_schema_lies_beside_the_file_that_names_it(stophooks: Stophooks, project: Path) -> None:
    stophooks("init", cwd=project)

    first = (project / "stophooks.yaml").read_text().split("\n")[0]
    assert first == "# yaml-language-server: $schema=./.stophooks/schema.json"
    written = (project / ".stophooks" / "schema.json").read_text()
    assert written.rstrip() == stophooks("schema", cwd=project).stdout.rstrip()


def test_the_next_steps_are_named(stophooks: Stophooks, project: Path) -> None:
    done = stophooks("init", cwd=fill(project, {"go.mod": "module a"}))

    assert done.stdout == (
        "Wrote stophooks.yaml and .stophooks/schema.json (found: go).\n"
        "  lint: go vet ./...\n"
        "  test: go test ./...\n"
        "Next:\n"
        "  stophooks run              run the checks now\n"
        "  stophooks install claude   let Claude Code run them when it wants to stop\n"
    )


@pytest.mark.scenario("cli: A configuration exists")
@pytest.mark.parametrize("name", ["stophooks.yaml", ".stophooks.toml", "stophooks.json"])
def test_an_existing_configuration_is_left_alone(
    stophooks: Stophooks, project: Path, name: str
) -> None:
    (project / name).write_text("mine")

    done = stophooks("init", cwd=project)

    assert done.returncode == 3
    assert "Nothing was changed." in done.stderr
    assert [path.name for path in project.iterdir()] == [name]
    assert (project / name).read_text() == "mine"


def test_force_does_not_write_beside_another_configuration(
    stophooks: Stophooks, project: Path
) -> None:
    (project / "stophooks.toml").write_text("mine")

    done = stophooks("init", "--force", cwd=project)

    assert done.returncode == 3
    assert [path.name for path in project.iterdir()] == ["stophooks.toml"]


@pytest.mark.scenario("cli: Overwriting on purpose")
def test_force_replaces_the_file(stophooks: Stophooks, project: Path) -> None:
    (project / "stophooks.yaml").write_text("mine")

    done = stophooks("init", "--force", cwd=project)

    assert done.returncode == 0
    assert stophooks("validate", "--strict", cwd=project).returncode == 0


def test_a_directory_that_cannot_be_written_is_named(stophooks: Stophooks, project: Path) -> None:
    (project / ".stophooks").write_text("in the way")

    done = stophooks("init", cwd=project)

    assert done.returncode == 3
    assert ".stophooks" in done.stderr
    assert not (project / "stophooks.yaml").exists()
