"""Files of other tools, each in a place where all that it names is there, and what they become."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stophooks import config
from stophooks.importing import IMPORTERS, ForeignFileError, Source, document
from stophooks.importing.tree import Block, Items
from stophooks.values import dataclass

if TYPE_CHECKING:
    from stophooks.importing.tree import Value

DIRECTORY = Path(__file__).parent / "imports"
# Each tool's example: how it is kept here, how the tool calls it.
EXAMPLES = {
    "conclaude": ("conclaude.yaml", ".conclaude.yaml"),
    "canopy": ("canopy.yaml", "config.yaml"),
    "kepler": ("kepler.yaml", "kepler.yaml"),
    "clsecure": ("clsecure.conf", ".clsecure/config"),
    "pre-commit": ("pre-commit.yaml", ".pre-commit-config.yaml"),
    "lefthook": ("lefthook.yml", "lefthook.yml"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file: the tree, the text, and what our own loader says of it."""

    tree: Block
    text: str
    loaded: Any

    @property
    def value(self) -> Any:
        """The values of the text, read again."""
        return plain(self.tree)


def example(tool: str, directory: Path) -> Path:
    """The tool's example in a directory, with everything that it names."""
    kept, name = EXAMPLES[tool]
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((DIRECTORY / kept).read_text())
    for folder in ("client", "backend"):
        (directory / folder).mkdir(exist_ok=True)
    (directory / "backend.env").write_text("A=b\n")
    if tool == "clsecure":
        script = path.parent / "on-cleanup"
        script.write_text((DIRECTORY / "clsecure.sh").read_text())
        script.chmod(0o755)
    return path


def imported(tool: str, given: str | bytes, directory: Path, name: str = "given.yaml") -> Imported:
    """What `stophooks import` makes of a text in a directory."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(given.encode() if isinstance(given, str) else given)
    return of_file(tool, path, directory)


def of_file(tool: str, path: Path, directory: Path) -> Imported:
    """The same of a file."""
    importer = IMPORTERS[tool]
    read = config.read_foreign(str(path), parsed=importer.parsed, tags=importer.tags)
    if read.problem is not None:
        raise ForeignFileError(read.problem.message)
    program = path.parent / (importer.program or "")
    runs = os.access(program, os.X_OK) if importer.program and program.exists() else None
    source = Source(
        path=str(path.relative_to(directory)), text=read.text, value=read.value, runs=runs
    )
    tree = importer.convert(source)
    text = document.text(tree, tool=tool, file=path.name)
    loaded = config.judge(str(directory / "stophooks.yaml"), text, environ={"HOME": "/home/dev"})
    return Imported(tree=tree, text=text, loaded=loaded)


def plain(value: Value) -> Any:
    """The values of a tree without its comments."""
    if isinstance(value, Block):
        return {pair.key: plain(pair.value) for pair in value.pairs}
    if isinstance(value, Items):
        return [plain(item) for item in value.values]
    return value
