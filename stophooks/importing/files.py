"""Files that another tool puts into a command, as an array that the command's shell fills."""

from __future__ import annotations

import posixpath
import re
import shlex

from stophooks.importing.globs import expanded
from stophooks.values import dataclass

# A file that was removed is still one of git's.
_ADD = ('  [ ! -f "$file" ] || files+=("$file")',)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which files: those of git that fit a glob and no excluded one, or those a command names.

    ``unknown``: whether files that git does not know yet, and does not ignore, are among them.
    ``root`` is the directory in which the script runs, None for the project.
    """

    globs: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    unknown: bool = False
    command: str | None = None
    root: str | None = None


def script(run: str, template: re.Pattern[str], choice: Choice) -> str:
    """A bash script in which each place of the template holds the chosen files, if there are any.

    Where there is none it passes without running anything, as the other tool does.
    """
    # Files in one's own quotes would become one word.
    quoted = re.compile(rf"([\"'])({template.pattern})\1")
    bare = quoted.sub(r"\2", run)
    filled = template.sub(lambda _match: '"${files[@]}"', bare)
    rows = [*_listing(choice), '[ "${#files[@]}" -gt 0 ] || exit 0', filled.rstrip("\n")]
    return "\n".join(rows) + "\n"


def _listing(choice: Choice) -> list[str]:
    """Lines that fill the array; without any of what newer shells alone have (macOS: bash 3.2)."""
    if choice.command is not None:
        top = '"$(git rev-parse --show-toplevel)"'
        return [
            f"listed=$(cd {top} && {choice.command.strip()}) || exit",
            "files=()",
            "while IFS= read -r file; do",
            *_below(choice.root),
            *_ADD,
            'done <<< "$listed"',
        ]
    paths = [_path(one) for glob in choice.globs for one in expanded(glob)]
    paths += [_path(one, "exclude") for glob in choice.excluded for one in expanded(glob)]
    chosen = "".join(f" {shlex.quote(path)}" for path in paths)
    also = " --cached --others --exclude-standard" if choice.unknown else ""
    return [
        "git rev-parse --git-dir > /dev/null || exit",
        "files=()",
        "while IFS= read -r -d '' file; do",
        *_ADD,
        f"done < <(git ls-files -z{also} --{chosen})",
    ]


def _below(root: str | None) -> list[str]:
    """Lines that leave out a file outside of a directory, and name others as they are in it."""
    folder = posixpath.normpath(root or ".") + "/"
    if folder in {"./", "//"}:
        return []
    quoted = shlex.quote(folder)
    return [f'  [ "${{file#{quoted}}}" != "$file" ] || continue', f"  file=${{file#{quoted}}}"]


def _path(glob: str, *magic: str) -> str:
    """A pattern of git's (gitglossary, "pathspec"): like the tool's, its ``*`` spans slashes."""
    words = [*magic, *(() if glob.startswith("*") else ("top",))]
    return f":({','.join(words)}){glob}" if words else glob
