"""What a project is, seen from the files at its top, and the checks that it already has."""

from __future__ import annotations

import json
import re
import tomllib

from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check that the project has: its purpose as a name, and the script that makes it."""

    name: str
    run: str
    language: str
    env: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What was recognised: languages in words, an image for container examples, the checks."""

    languages: tuple[str, ...]
    image: str
    checks: tuple[Check, ...]


# A test runner that sees no CI waits for changes for ever.
_CI = (("CI", "true"),)
_ANY_IMAGE = "debian:stable-slim"
_IMAGES = {
    "python": "python:3.13-slim",
    "node": "node:22-slim",
    "go": "golang:1.25",
    "rust": "rust:1-slim",
}
_TARGET = re.compile(r"^(test|check|lint)\s*:(?![=:])", re.MULTILINE)


def detect(directory: Path) -> Project:
    """What the directory holds. A file that cannot be read or parsed counts as empty."""
    found = [check for finder in _FINDERS for check in finder(directory)]
    languages = tuple(dict.fromkeys(check.language for check in found))
    image = next((_IMAGES[name] for name in languages if name in _IMAGES), _ANY_IMAGE)
    return Project(languages=languages, image=image, checks=tuple(_distinct(found)))


def _distinct(found: list[Check]) -> Iterator[Check]:
    """Every purpose once: a make target is how the authors say it, and may call the others."""
    by_make = {check.name for check in found if check.language == "make"}
    kept = [check for check in found if check.language == "make" or check.name not in by_make]
    names = [check.name for check in kept]
    for check in kept:
        twice = names.count(check.name) > 1
        name = f"{check.name}-{check.language}" if twice else check.name
        yield Check(name=name, run=check.run, language=check.language, env=check.env)


def _make(directory: Path) -> Iterator[Check]:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if (directory / name).is_file():
            targets = dict.fromkeys(_TARGET.findall(_text(directory / name)))
            # By convention `check` runs the tests; both would run them twice.
            kept = [target for target in targets if target != "check" or "test" not in targets]
            yield from (Check(name=t, run=f"make {t}", language="make") for t in kept)
            return


def _python(directory: Path) -> Iterator[Check]:
    marks = ("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "requirements.txt")
    if not _has(directory, *marks):
        return
    project = _toml(directory / "pyproject.toml")
    tools = project.get("tool", {})
    named = json.dumps(project, default=str) + _text(directory / "requirements.txt")
    run = _python_runner(directory)
    if "ruff" in tools or "ruff" in named or _has(directory, "ruff.toml", ".ruff.toml"):
        yield Check(name="lint", run=f"{run}ruff check .", language="python")
    if "mypy" in tools or _has(directory, "mypy.ini", ".mypy.ini"):
        yield Check(name="types", run=f"{run}mypy .", language="python")
    tested = "pytest" in tools or "pytest" in named
    if tested or _has(directory, "pytest.ini", "conftest.py", "tests/conftest.py"):
        yield Check(name="test", run=f"{run}pytest -q", language="python")
    elif _has(directory, "tox.ini"):
        yield Check(name="test", run="tox -q", language="python")
    elif _has(directory, "tests", "test"):
        yield Check(name="test", run=f"{run}unittest discover", language="python")
    else:
        yield Check(name="compile", run=f"{run}compileall -q .", language="python")


def _python_runner(directory: Path) -> str:
    """How the project starts a module of its own environment."""
    locks = {"uv.lock": "uv run", "poetry.lock": "poetry run", "pdm.lock": "pdm run"}
    for lock, runner in {**locks, "Pipfile.lock": "pipenv run"}.items():
        if _has(directory, lock):
            return f"{runner} python -m "
    if _has(directory, ".venv/bin/python"):
        return ".venv/bin/python -m "
    return "python3 -m "


def _node(directory: Path) -> Iterator[Check]:
    package = _json(directory / "package.json")
    scripts = package.get("scripts")
    if not isinstance(scripts, dict):
        return
    manager = _node_manager(directory, package)
    wanted = {"lint": "lint", "typecheck": "types", "type-check": "types", "test": "test"}
    for script, name in wanted.items():
        said = scripts.get(script)
        # What `npm init` writes always fails.
        if isinstance(said, str) and "no test specified" not in said:
            yield Check(name=name, run=f"{manager} run {script}", language="node", env=_CI)


def _node_manager(directory: Path, package: dict[str, Any]) -> str:
    locks = {
        "pnpm-lock.yaml": "pnpm",
        "yarn.lock": "yarn",
        "bun.lock": "bun",
        "bun.lockb": "bun",
        "package-lock.json": "npm",
    }
    named = str(package.get("packageManager", "")).partition("@")[0]
    if named in locks.values():
        return named
    return next((manager for lock, manager in locks.items() if _has(directory, lock)), "npm")


def _go(directory: Path) -> Iterator[Check]:
    if _has(directory, "go.mod"):
        yield Check(name="lint", run="go vet ./...", language="go")
        yield Check(name="test", run="go test ./...", language="go")


def _rust(directory: Path) -> Iterator[Check]:
    if _has(directory, "Cargo.toml"):
        yield Check(name="format", run="cargo fmt --check", language="rust")
        yield Check(name="test", run="cargo test --quiet", language="rust")


_FINDERS = (_make, _python, _node, _go, _rust)


def _has(directory: Path, *names: str) -> bool:
    return any((directory / name).exists() for name in names)


def _text(path: Path) -> str:
    if not path.is_file():
        return ""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError:
        return {}


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_text(path) or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
