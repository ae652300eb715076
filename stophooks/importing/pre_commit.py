"""pre-commit's ``.pre-commit-config.yaml`` (github.com/pre-commit/pre-commit, read 2026-11-30).

A hook that needs neither file names nor an environment that pre-commit builds is a command of its
own. Every other one stays pre-commit's, which runs it over all files: `pre-commit run ID
--all-files` chooses the files, builds the environment and fails as it does before a commit.
"""

from __future__ import annotations

import shlex

from stophooks.importing import commands
from stophooks.importing.base import ForeignFileError, Importer, Table, root, shown, wrong
from stophooks.importing.tree import Block, Items, Pair, Remark, note, only_remarks, texts
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.importing.base import Source
    from stophooks.importing.tree import Value

# What `pre-commit run` still heeds, and what is about pre-commit itself.
_HEEDED = {
    *("repos", "fail_fast", "files", "exclude", "default_stages", "default_language_version"),
    "minimum_pre_commit_version",
}
_TOP = {
    "ci": "it is for the service pre-commit.ci",
    "default_install_hook_types": "git's hooks stay as they are; stophooks is no hook of git's",
}
# Stages by their older names, and those that an agent's stop stands for.
_STAGES = {"commit": "pre-commit", "push": "pre-push", "merge-commit": "pre-merge-commit"}
_AT_STOP = ("pre-commit", "pre-push", "pre-merge-commit")
# Languages whose hooks are programs of this machine or files of the project.
_DIRECT = {"system", "unsupported", "script", "unsupported_script", "docker_image"}
_FILES = ("files", "types", "types_or", "exclude", "exclude_types")
_MAPPED = (
    *("id", "name", "entry", "args", "language", "description", "stages", "alias"),
    *("pass_filenames", "always_run", "require_serial", "minimum_pre_commit_version"),
)
_HOOK = {
    "fail_fast": "fail_fast is for a whole section",
    "verbose": "what a command that passed prints is not told",
    "log_file": "the whole output of a command that failed is kept anyway",
    "additional_dependencies": "stophooks builds no environments",
    "language_version": "stophooks builds no environments",
    **dict.fromkeys(_FILES, "the command runs whichever files there are"),
}


def convert(source: Source) -> Block:
    """The configuration: a stop section with a command for each hook.

    Raises:
        ForeignFileError: It is not pre-commit's, or a value has another form than it takes.
    """
    whole = root(source, "pre-commit", ("repos",))
    file = [] if source.path == IMPORTER.file else ["-c", source.path]
    made = [*_once(part for repo in whole.tables("repos") for part in _repo(repo, whole, file))]
    before: list[Pair | Remark] = [*whole.remarks(_HEEDED, _TOP)]
    if not any(isinstance(part, Block) for part in made):
        return Block((*only_remarks(made), *before))
    if any(_is_own(part) for part in made):
        before.append(
            note(
                "pre-commit also fails a hook that changes files; of a command only the exit "
                "code counts."
            )
        )
    if whole.flag("fail_fast"):
        before.append(commands.FAIL_FAST)
    return Block((Pair("stop", commands.section(made, before=before)),))


def _repo(repo: Table, whole: Table, file: list[str]) -> Iterator[Block | Remark]:
    url = repo.text("repo")
    if url is None:
        raise ForeignFileError(f"{repo.where}: repo is missing; pre-commit takes no hooks without")
    for hook in repo.tables("hooks"):
        key = hook.text("id")
        if key is None:
            raise ForeignFileError(f"{hook.where}: id is missing; pre-commit takes no hook without")
        stages = _stages(hook, whole)
        at_stop = next((stage for stage in _AT_STOP if not stages or stage in stages), None)
        if at_stop is None:
            why = "it runs at no moment that an agent's stop stands for"
            yield Remark(text=f"hook {shown(key)}, stages: {shown(stages)} ({why})")
        elif url == "local" and _is_direct(hook):
            yield _direct(hook, whole)
        else:
            yield _by_pre_commit(hook, at_stop, file, is_local=url == "local")


def _once(parts: Iterator[Block | Remark]) -> Iterator[Block | Remark]:
    """Each call of pre-commit once: it runs all hooks of an id."""
    seen = set()
    for part in parts:
        call = _value(part, "command")
        if isinstance(part, Remark) or _is_own(part) or call not in seen:
            seen.add(call)
            yield part


def _is_own(part: Block | Remark) -> bool:
    """Whether it is a command of its own, not a call of pre-commit."""
    call = _value(part, "command")
    return isinstance(part, Block) and not (
        isinstance(call, Items) and call.values[:2] == ("pre-commit", "run")
    )


def _value(part: Block | Remark, key: str) -> Value:
    pairs = part.pairs if isinstance(part, Block) else ()
    return next((pair.value for pair in pairs if pair.key == key), None)


def _stages(hook: Table, whole: Table) -> list[str]:
    given = hook.texts("stages") or whole.texts("default_stages")
    return [_STAGES.get(stage, stage) for stage in given]


def _is_direct(hook: Table) -> bool:
    """Whether a local hook is a command that is given no file names."""
    if hook.text("language") not in _DIRECT or hook.flag("pass_filenames") is not False:
        return False
    argv = _argv(hook)
    return bool(argv) and (hook.text("language") != "docker_image" or _image(argv) is not None)


def _argv(hook: Table) -> list[str]:
    entry = hook.text("entry") or ""
    try:
        return [*shlex.split(entry), *hook.texts("args")]
    except ValueError as err:
        raise wrong(hook.place("entry"), "words as a shell has them", entry) from err


def _direct(hook: Table, whole: Table) -> Block:
    argv = _argv(hook)
    values: dict[str, Value] = {
        "name": hook.text("name") or hook.text("id"),
        "description": hook.text("description") or None,
        "command": texts(argv),
    }
    remarks: list[Remark] = []
    if hook.text("language") == "docker_image":
        values |= _image(argv) or {}
        remarks.append(note("pre-commit mounts the project at /src, stophooks at /workspace."))
    # A hook that always runs asks for no files.
    files = _FILES if hook.flag("always_run") else ()
    remarks += hook.remarks({*_MAPPED, *files}, _HOOK)
    for key in () if files else ("files", "exclude"):
        if key in whole and key not in hook:
            text = f"{key} of the whole file: {shown(whole.text(key))} ({_HOOK[key]})"
            remarks.append(Remark(text=text))
    return commands.command(values, remarks)


def _image(argv: list[str]) -> dict[str, Value] | None:
    """The image and what is run in it; None where that is not said, or more is.

    Ours runs a program of the image: where none is named, the image itself says which.
    """
    if argv[:1] == ["--entrypoint"] and len(argv) > 2:  # noqa: PLR2004 - a program and an image
        program, image, *rest = argv[1:]
        return {"image": image, "command": texts([program, *rest])}
    return None


def _by_pre_commit(hook: Table, stage: str, file: list[str], *, is_local: bool) -> Block:
    chosen = hook.text("alias") or hook.text("id") or ""
    # Of a file under another name pre-commit has to be told.
    argv = ["pre-commit", "run", *file, chosen, "--all-files"]
    if stage != "pre-commit":
        argv += ["--hook-stage", stage]
    values: dict[str, Value] = {"name": hook.text("name") or chosen, "command": texts(argv)}
    return commands.command(values, [note(_why(hook))] if is_local else [])


def _why(hook: Table) -> str:
    if hook.text("language") == "docker_image":
        return (
            "The image says what is run in it, or files are named: pre-commit goes on running it."
        )
    if hook.text("language") in _DIRECT:
        return "It is given the names of files: pre-commit goes on choosing them and running it."
    return "It needs an environment that pre-commit builds: pre-commit goes on running it."


IMPORTER = Importer(file=".pre-commit-config.yaml", convert=convert)
