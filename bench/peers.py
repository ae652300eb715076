"""Where the neighbours are that are measured beside us, and how they get onto the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from bench.running import output

# Names of programs, and what PyPI calls them.
PACKAGES = {
    "pre-commit": "pre-commit",
    "prek": "prek",
    "lefthook": "lefthook",
    "just": "rust-just",
}
_VERSION = {
    "pre-commit": "--version",
    "prek": "--version",
    "lefthook": "version",
    "just": "--version",
}
# PyPI's lefthook is a Python program that starts this one, which others install directly.
BARE_LEFTHOOK = "lefthook (bare binary)"


def place() -> str:
    """The directory of the private virtual environment, which may not exist yet."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(cache):
        cache = os.path.expanduser("~/.cache")
    return os.path.join(cache, "stophooks-bench", "peers")


def setup() -> None:
    """Make the private virtual environment, and install or renew the neighbours from PyPI in it.

    Raises:
        CalledProcessError: pip or venv did not work; what it said is on stderr.
    """
    where = place()
    subprocess.run([sys.executable, "-m", "venv", where], check=True, stdout=sys.stderr)
    python = os.path.join(where, "bin", "python")
    for what in (["pip"], [*PACKAGES.values()]):
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--upgrade", *what], check=True, stdout=sys.stderr)


def find() -> dict[str, str]:
    """The path of each neighbour that is there, by its name.

    The private environment comes first, then that of this program, then ``PATH``.
    """
    path = os.pathsep.join(
        [os.path.join(place(), "bin"), sysconfig.get_path("scripts"), os.environ.get("PATH", "")]
    )
    found = {name: shutil.which(name, path=path) for name in PACKAGES}
    there = {name: where for name, where in found.items() if where}
    if "lefthook" in there and (bare := _bare(there["lefthook"])):
        there[BARE_LEFTHOOK] = bare
    return there


def versions(found: dict[str, str]) -> dict[str, str]:
    """The version of every neighbour by name, empty where it is not there."""
    return {name: _version(name, found.get(name)) for name in PACKAGES}


def _version(name: str, path: str | None) -> str:
    words = output(path, _VERSION[name]).split() if path else []
    return next((word for word in words if word[0].isdigit()), "")


def _bare(wrapper: str) -> str | None:
    """The program behind PyPI's wrapper, or the found one itself where it is no script."""
    with open(wrapper, "rb") as file:
        if file.read(2) != b"#!":
            return wrapper
    library = Path(wrapper).resolve().parents[1]
    found = library.glob("lib/python*/site-packages/lefthook/bin/*/lefthook")
    return next((str(path) for path in found if os.access(path, os.X_OK)), None)
