"""lefthook's ``lefthook.yml`` (github.com/evilmartians/lefthook, docs/configuration, 2026-11-30).

What runs before a commit or a push becomes a check at the stop; what git calls at other moments
stays a comment.
"""

from __future__ import annotations

from stophooks.importing import commands, jobs
from stophooks.importing.base import Importer, Table, root
from stophooks.importing.tree import Block, Items, Pair, Remark, only_remarks
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.importing.base import Source

_AT_STOP = ("pre-commit", "pre-push", "pre-merge-commit")
_GIT_HOOKS = (
    *("applypatch-msg", "pre-applypatch", "post-applypatch", "prepare-commit-msg", "commit-msg"),
    *("post-commit", "pre-rebase", "post-checkout", "post-merge", "post-rewrite", "pre-receive"),
    *("update", "post-receive", "post-update", "reference-transaction", "push-to-checkout"),
    *("pre-auto-gc", "sendemail-validate", "fsmonitor-watchman", "post-index-change"),
)
_OTHER_FILE = "that file was not read; import it too"
_LEFTHOOK = "it is about lefthook itself"
_TOP = {
    **dict.fromkeys(("extends", "remotes", "remote"), _OTHER_FILE),
    "rc": "write what it sets into default_env",
    **dict.fromkeys(
        (
            *("min_version", "lefthook", "colors", "no_tty", "output", "skip_output", "skip_lfs"),
            *("assert_lefthook_installed", "no_auto_install", "install_non_git_hooks", "ai"),
            *("source_dir_local", "refetch", "skip_lfs"),
        ),
        _LEFTHOOK,
    ),
}
_KNOWN = {"source_dir", "templates", "glob_matcher", "$schema"}
_HOOK_KEYS = {"commands", "scripts", "jobs", "setup", "files", "exclude_tags", "exclude"}
_HOOK = {
    "parallel": "commands run one after the other",
    "follow": "output is shown while a command runs, anyway",
    "skip": "a section runs at every stop",
    "only": "a section runs at every stop",
    **dict.fromkeys(
        ("fail_on_changes", "fail_on_changes_diff"), "a command that changes files may pass"
    ),
    "stash_unstaged_changes": "the files are checked as they are",
}


def convert(source: Source) -> Block:
    """The configuration: a stop section with what runs before a commit and before a push.

    Raises:
        ForeignFileError: It is not lefthook's, or a value has another form than lefthook takes.
    """
    whole = root(source, "lefthook", (*_AT_STOP, *_GIT_HOOKS, "extends", "remotes"))
    hooks = [name for name in _AT_STOP if name in whole]
    made: list[Block | Remark] = []
    remarks: list[Remark] = []
    at_once = False
    for name in hooks:
        hook = whole.table(name)
        surroundings = _surroundings(whole, name, hook)
        made += jobs.of_hook(hook, surroundings)
        at_once = len(hooks) == 1 and _runs_at_once(hook, made)
        remarks += _of_hook(name, hook, alone=len(hooks) == 1, at_once=at_once)
    before: list[Pair | Remark] = [*remarks, *_others(whole)]
    if not any(isinstance(part, Block) for part in made):
        return Block((*only_remarks(made), *before))
    if len(hooks) == 1 and whole.table(hooks[0]).flag("piped"):
        before.append(commands.FAIL_FAST)
    if at_once:
        before.append(commands.AT_ONCE)
    return Block((Pair("stop", commands.section(made, before=before)),))


def _surroundings(whole: Table, name: str, hook: Table) -> jobs.Surroundings:
    templates = whole.table("templates")
    return jobs.Surroundings(
        scripts=f"{(whole.text('source_dir') or '.lefthook').rstrip('/')}/{name}",
        templates={key: templates.text(key) or "" for key in templates.values},
        deep_from_root=whole.text("glob_matcher") == "doublestar",
        unwanted=frozenset(word for text in hook.texts("exclude_tags") for word in text.split()),
    )


def _runs_at_once(hook: Table, made: list[Block | Remark]) -> bool:
    """Whether all that a hook runs begins at the same time: not what is of several kinds."""
    kinds = [key for key in ("setup", "jobs", "commands", "scripts") if key in hook]
    groups = any("group" in job for job in hook.tables("jobs"))
    several = sum(isinstance(part, Block) for part in made) > 1
    is_asked = hook.flag("parallel") and not hook.flag("piped")
    return bool(is_asked and several and len(kinds) == 1 and not groups)


def _of_hook(name: str, hook: Table, *, alone: bool, at_once: bool) -> Iterator[Remark]:
    """What a hook says for all that it runs."""
    known = _HOOK_KEYS | ({"piped"} if alone or not hook.flag("piped") else set())
    known |= {"parallel"} if at_once else set()
    reasons = {**_HOOK, "piped": f"fail_fast is for the whole section, not for {name} alone"}
    for remark in hook.chosen().remarks(known, reasons):
        yield Remark(text=f"{name}.{remark.text}")


def _others(whole: Table) -> Iterator[Remark]:
    """Hooks of other moments, and what is not about hooks."""
    known = {*_KNOWN, *_AT_STOP}
    for key, value in whole.values.items():
        is_hook = key in _GIT_HOOKS or (isinstance(value, dict) and key not in {*known, *_TOP})
        if not is_hook:
            continue
        made = list(jobs.of_hook(whole.table(key), _surroundings(whole, key, Table({}))))
        when = "an agent's stop is no such moment" if key in _GIT_HOOKS else "run by hand alone"
        bodies = [part for part in made if isinstance(part, Block)]
        yield Remark(text=f"{key} ({when}):", body=Items(tuple(bodies)))
        known.add(key)
    yield from whole.remarks({*known, *_GIT_HOOKS}, _TOP)


IMPORTER = Importer(file="lefthook.yml", convert=convert)
