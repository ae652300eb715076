"""The jobs, commands and scripts of one hook of lefthook's, as commands of ours."""

from __future__ import annotations

import posixpath
import re
import shlex

from stophooks.importing import commands, files
from stophooks.importing.base import ForeignFileError, Table, shown, wrong
from stophooks.importing.tree import Block, Items, Remark, Value, texts
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Files that lefthook names in a command.
_FILES = re.compile(r"\{(?:staged_files|push_files|all_files|files)\}")
_ANY = re.compile(r"\{(?:staged_files|push_files|all_files|files|cmd|[0-9])\}")
_OF_GIT = re.compile(r"\{(?:[0-9]|cmd)\}")
_WORD = re.compile(r"\{([^{}\s]+)\}")
# No program can be given more (execve(2)).
_MOST_CHARACTERS = 128 * 1024
# More than anybody has: what groups say is written into each of their jobs.
_MOST_JOBS, _MOST_VARIABLES = 500, 100
_DIGITS = re.compile(r"([0-9]+)")
_MAPPED = {
    *("name", "run", "script", "runner", "args", "env", "root", "fail_text", "priority", "group"),
    *("glob", "exclude", "files", "shell"),
}
_JOB = {
    "skip": "it runs at every stop",
    "only": "it runs at every stop",
    "tags": "commands have no tags",
    "file_types": "files are chosen by their names alone",
    "interactive": "nobody is there to be asked",
    "use_stdin": "standard input is empty",
    "stage_fixed": "nothing is staged",
    "follow": "output is shown while a command runs, anyway",
    "timeout": "lefthook has no such key",
}
_GROUP = {
    "parallel": "commands run one after the other",
    "piped": "fail_fast is for a whole section",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a hook's jobs are made in.

    ``scripts`` is the directory of the hook's scripts, ``unwanted`` are tags and names that are
    left out, ``deep_from_root`` whether ``**/`` also stands for no directory. ``globs``,
    ``excluded``, ``files``, ``env`` and ``root`` are what groups around a job say.
    """

    scripts: str
    templates: Mapping[str, str]
    deep_from_root: bool
    unwanted: frozenset[str]
    globs: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    files: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    root: str | None = None


def of_hook(hook: Table, around: Surroundings) -> Iterator[Block | Remark]:
    """A command, or a remark, for everything that a hook runs, in lefthook's order."""
    for number, part in enumerate(_of_hook(hook, around)):
        if number >= _MOST_JOBS:
            raise ForeignFileError(f"{hook.where}: it has more than {_MOST_JOBS} jobs")
        yield part


def _of_hook(hook: Table, around: Surroundings) -> Iterator[Block | Remark]:
    around = replace(around, files=hook.text("files"), excluded=_globs(hook, "exclude"))
    for step in hook.tables("setup"):
        yield from _job(step, around, name="setup")
    for job in hook.tables("jobs"):
        yield from _job(job, around)
    for name, command in _in_order(hook.table("commands")):
        yield from _job(command, around, name=name)
    for name, script in _in_order(hook.table("scripts")):
        job = Table({**script.values, "script": name}, script.where)
        yield from _job(job, around, name=name)


def _in_order(given: Table) -> list[tuple[str, Table]]:
    """By priority, those without one last, and then by name, numbers in it as numbers."""
    found = [(name, given.table(name)) for name in given.values]

    def rank(item: tuple[str, Table]) -> tuple[float, list[tuple[int, int, str]]]:
        parts = [part for part in _DIGITS.split(item[0]) if part]
        natural = [_natural(part) for part in parts]
        return item[1].whole("priority") or float("inf"), natural

    return sorted(found, key=rank)


def _natural(part: str) -> tuple[int, int, str]:
    """A rank for a part of a name, by which the number 2 comes before 10."""
    if not (part.isascii() and part.isdigit()):
        return 1, 0, part
    digits = part.lstrip("0")
    return 0, len(digits), digits


def _job(job: Table, around: Surroundings, *, name: str | None = None) -> Iterator[Block | Remark]:
    inner = replace(
        around,
        globs=_globs(job, "glob") or around.globs,
        excluded=(*around.excluded, *_globs(job, "exclude")),
        files=job.text("files") or around.files,
        env={**around.env, **_env(job)},
        root=job.text("root") or around.root,
    )
    if len(inner.env) > _MOST_VARIABLES:
        raise ForeignFileError(f"{job.where}: it has more than {_MOST_VARIABLES} variables")
    if "group" in job:
        group = job.table("group")
        yield from Table({**job.values, **group.values}, job.where).remarks(
            {*_MAPPED, "jobs"}, {**_JOB, **_GROUP}
        )
        for one in group.tables("jobs"):
            yield from _job(one, inner)
        return
    made = _command(job, inner, name)
    label = name or job.text("name") or ""
    tags = {word for text in job.texts("tags") for word in text.split()}
    if job.values.get("skip") is True or {label, *tags} & around.unwanted:
        yield Remark(
            text=f"{shown(label or job.where)} (lefthook leaves it out):", body=Items((made,))
        )
    else:
        yield made


def _globs(job: Table, key: str) -> tuple[str, ...]:
    """The globs of a key; a single text is a regular expression where something is excluded."""
    given = job.values.get(key)
    return job.texts(key) if key == "glob" or isinstance(given, list) else ()


def _env(job: Table) -> dict[str, str]:
    env = job.table("env")
    return {name: env.text(name) or "" for name in env.values}


def _command(job: Table, around: Surroundings, name: str | None) -> Block:
    wanted = name or job.text("name") or job.text("script") or _first_words(job)
    run, lost = _run(job, around, wanted)
    values: dict[str, Value] = {
        "name": wanted,
        "message": job.text("fail_text") or None,
        "env": commands.environment(around.env, commands.with_variables),
        "working_dir": around.root,
        **run,
    }
    known = _MAPPED | ({"skip"} if job.values.get("skip") is True else set())
    remarks = [*lost, *job.chosen().remarks(known, _JOB)]
    if isinstance(job.values.get("exclude"), str):
        why = "files are chosen by globs, not by a regular expression"
        remarks.append(Remark(text=f"exclude: {shown(job.values['exclude'])} ({why})"))
    return commands.command(values, remarks)


def _first_words(job: Table) -> str:
    words = _WORD.sub("", job.text("run") or "").split()
    return " ".join(words[:3])


def _run(job: Table, around: Surroundings, name: str) -> tuple[dict[str, Value], list[Remark]]:
    """What is run, by our keys, and what of it has no equal."""
    text = job.text("run")
    if text is None:
        script = job.text("script")
        if script is None:
            raise ForeignFileError(f"{job.where}: neither run, script nor group is there")
        text = _script(job, around, script)
    if (args := job.text("args")) is not None:
        text = f"{text.rstrip()} {args}"
    text = _templates(text, around, name)
    found = dict.fromkeys(_FILES.findall(text))
    of_git = dict.fromkeys(_OF_GIT.findall(text))
    lost = [Remark(text=f"{one} (git calls nothing here, so that there is none)") for one in of_git]
    if not found:
        lost += _without_files(around)
        return _plain(job, text), lost
    choice = _choice(around, found)
    lost += [Remark(text=f"{one} ({why})") for one in found if (why := _means(one, choice))]
    if choice.command is not None and (around.globs or around.excluded):
        lost.append(Remark(text="glob and exclude (they are not applied to what `files` names)"))
    return {"run": files.script(text, _FILES, choice), "shell": "bash"}, lost


def _plain(job: Table, text: str) -> dict[str, Value]:
    """A command without files: a script's as it is, any other for lefthook's shell."""
    shell = job.values.get("shell")
    if "run" not in job and "args" not in job:
        try:
            return {"command": texts(shlex.split(text))}
        except ValueError as err:
            raise wrong(job.place("runner"), "words as a shell has them", text) from err
    return {
        "run": text,
        "shell": shell if isinstance(shell, str) and commands.is_shell(shell) else None,
    }


def _script(job: Table, around: Surroundings, script: str) -> str:
    path = f"{around.scripts}/{script}"
    if around.root is not None:
        path = posixpath.relpath(path, around.root)
    path = shlex.quote(path if "/" in path else f"./{path}")
    runner = job.text("runner")
    return f"{runner} {path}" if runner else path


def _templates(text: str, around: Surroundings, name: str) -> str:
    """The text with lefthook's own words and the file's templates filled in."""
    own = {"lefthook_job_name": name}
    words = {**around.templates, **own}
    known = [part for part in _WORD.findall(text) if part in words]
    if len(text) + sum(len(words[part]) for part in known) > _MOST_CHARACTERS:
        raise ForeignFileError("its templates make a command of more than 128 KiB")
    return _WORD.sub(lambda match: _filled(match, words), text)


def _filled(match: re.Match[str], words: Mapping[str, str]) -> str:
    return match[0] if _ANY.fullmatch(match[0]) else words.get(match[1], match[0])


def _choice(around: Surroundings, found: Mapping[str, None]) -> files.Choice:
    if "{files}" in found and around.files is not None:
        return files.Choice(command=around.files, root=around.root)
    return files.Choice(
        globs=tuple(_deep(one, around) for one in around.globs),
        excluded=tuple(_deep(one, around) for one in around.excluded),
        unknown="{all_files}" not in found,
    )


def _deep(glob: str, around: Surroundings) -> str:
    return glob.removeprefix("**/") if around.deep_from_root else glob


def _means(template: str, choice: files.Choice) -> str | None:
    """What a template means here; None where that is what lefthook means by it."""
    if template == ("{all_files}" if choice.command is None else "{files}"):
        return None
    if choice.command is not None:
        return "here the files that the command of `files` names at the stop"
    return "nothing is staged or pushed at a stop: here all files of the project that fit"


def _without_files(around: Surroundings) -> Iterator[Remark]:
    """What decides whether a command without files runs at all."""
    for key, given in (("glob", around.globs), ("exclude", around.excluded)):
        if given:
            yield Remark(text=f"{key}: {shown(list(given))} (it runs whichever files there are)")
