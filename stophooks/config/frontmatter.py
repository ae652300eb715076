"""Read what a task's file says of itself: YAML between two lines of dashes, before its text."""

from __future__ import annotations

import os
import re

from stophooks.config.document import (
    MAX_PROBLEMS,
    Document,
    Span,
    SyntaxProblemError,
    located,
    quoted,
)
from stophooks.config.fields import DURATION
from stophooks.config.files import FileUnusableError, read_text
from stophooks.config.parse import parse
from stophooks.config.suggestions import key_meant, value_hint
from stophooks.config.units import MAX_DURATION_S, seconds
from stophooks.models import Problem
from stophooks.plan import RESOURCE, RESOURCE_FORM
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.config.document import Path

# It is shown in lines, and handed on in a variable; characters.
MAX_TEXT = 200
# Each is an open file while the task runs.
MAX_RESOURCES = 100
_KEYS = ["id", "title", "resources", "cleanup_required", "cleanup_timeout"]
# Blank lines before it are not seen by people, and would switch it off without a word.
_OPEN = re.compile(r"(?:[ \t]*\r?\n)*(?P<dashes>---)[ \t]*\r?\n")
_CLOSED = re.compile(r"^(?:---|\.\.\.)[ \t]*\r?$", re.MULTILINE)
_EMPTY = re.compile(r"(?:[ \t]*(?:#.*)?\r?\n)*[ \t]*(?:#.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontMatter:
    """What a task's file says of itself; ``cleanup_timeout_s`` is in seconds, None: not said."""

    id: str
    title: str | None = None
    resources: tuple[str, ...] = ()
    cleanup_required: bool = True
    cleanup_timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFile:
    """A task's front matter, or None and every problem that it has."""

    matter: FrontMatter | None
    problems: tuple[Problem, ...] = ()


def load_task(path: str) -> TaskFile:
    """What the task's file at ``path`` says of itself; its name, where it says nothing.

    Never raises for what the file contains, or for a file that cannot be read.
    """
    try:
        text = read_text(path)
    except FileUnusableError as err:
        message = f"{os.path.basename(path)} cannot be used: {err}"
        problem = Problem(path=path, line=0, column=0, where="", message=message, hint=err.hint)
        return TaskFile(matter=None, problems=(problem,))
    try:
        document = _document(path, text)
    except SyntaxProblemError as err:
        problem = located(path, text, err.span, err.message, where=err.where, hint=err.hint)
        return TaskFile(matter=None, problems=(problem,))
    reader = _Reader(document=document)
    matter = reader.read()
    found = sorted(reader.problems, key=lambda problem: (problem.line, problem.column))
    return TaskFile(matter=None if found else matter, problems=tuple(found[:MAX_PROBLEMS]))


def _document(path: str, text: str) -> Document:
    """The front matter with its places in the whole file.

    Raises:
        SyntaxProblemError: It has no end, or is no YAML.
    """
    opening = _OPEN.match(text)
    if opening is None:
        return Document(path=path, text=text, value={})
    closing = _CLOSED.search(text, opening.end())
    if closing is None:
        raise SyntaxProblemError(
            "front matter that never ends",
            Span(*opening.span("dashes")),
            hint="end it with a line ---",
        )
    if _EMPTY.fullmatch(text, opening.end(), closing.start()):
        return Document(path=path, text=text, value={})
    # Without its end, which would begin a second document, and without tabs in blank lines; named
    # as the format that it is.
    start = opening.start("dashes")
    blank = text[:start].replace("\t", " ")
    document = parse("front-matter.yaml", blank + text[start : closing.start()])
    return replace(document, path=path, text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Takes the values out of a front matter, and notes what is wrong with each."""

    document: Document
    problems: list[Problem] = field(default_factory=list)

    def read(self) -> FrontMatter:
        """The values; those with a problem have their defaults."""
        values = self.document.value
        if not isinstance(values, dict):
            self._problem((), f"expected keys and their values; got {quoted(values)}")
            values = {}
        self._unknown(values)
        stem = os.path.splitext(os.path.basename(self.document.path))[0]
        named = "id" in values
        return FrontMatter(
            id=self._text("id", values["id"]) if named else self._stem(stem),
            title=self._text("title", values["title"]) if values.get("title") is not None else None,
            resources=tuple(dict.fromkeys(self._resources(values.get("resources")))),
            cleanup_required=self._flag(values.get("cleanup_required", True)),
            cleanup_timeout_s=self._duration(values.get("cleanup_timeout")),
        )

    def _problem(
        self, where: Path, message: str, *, hint: str | None = None, key: bool = False
    ) -> None:
        self.problems.append(self.document.problem(where, message, hint=hint, key=key))

    def _unknown(self, values: dict[str, Any]) -> None:
        """Keys of other programs are theirs; one that was meant as ours would do nothing."""
        for key in values:
            meant = None if key in _KEYS else key_meant(key, _KEYS)
            # `sources` is a word of its own: a slip seldom is in the first letter.
            if meant is not None and meant[0] == key[:1].lower():
                message = f'unknown key {quoted(key)}; did you mean "{meant}"?'
                self._problem((key,), message, key=True)

    def _stem(self, stem: str) -> str:
        if not stem.isprintable() or len(stem) > MAX_TEXT:
            self._problem((), "the file's name cannot be the task's id", hint="give it an id")
        return stem

    def _text(self, key: str, value: Any) -> str:
        """A text, or a number as it is written."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return self.document.raw((key,), value)
        if not isinstance(value, str):
            self._wrong((key,), "a text", value, {"string"})
            return ""
        text = value.strip()
        if not text or not text.isprintable() or len(text) > MAX_TEXT:
            expected = f"one line of text, at most {MAX_TEXT} characters"
            self._problem((key,), f"expected {expected}; got {quoted(value)}")
        return text

    def _resources(self, value: Any) -> Iterator[str]:
        if value is None:
            return
        if not isinstance(value, (str, list)):
            self._wrong(("resources",), "a list of names, or names with commas", value, {"string"})
            return
        listed = isinstance(value, list)
        given = value.split(",") if isinstance(value, str) else value
        names = given if listed else [name.strip() for name in given if name.strip()]
        if len(names) > MAX_RESOURCES:
            self._problem(("resources",), f"more than {MAX_RESOURCES} resources")
        for index, name in enumerate(names):
            where: Path = ("resources", index) if listed else ("resources",)
            if not isinstance(name, str):
                self._wrong(where, "a resource's name", name, {"string"})
            elif not RESOURCE.fullmatch(name):
                message = f"{quoted(name)} cannot be a resource's name"
                self._problem(where, message, hint=RESOURCE_FORM)
            else:
                yield name

    def _flag(self, value: Any) -> bool:
        if not isinstance(value, bool):
            self._wrong(("cleanup_required",), "true or false", value, {"boolean"})
        return value is True

    def _duration(self, value: Any) -> float | None:
        if value is None:
            return None
        if not isinstance(value, str) or not re.fullmatch(DURATION.removesuffix("$"), value):
            expected = "a duration such as 30s, 5m or 2h"
            self._wrong(("cleanup_timeout",), expected, value, {"string"}, kind="duration")
            return None
        duration_s = seconds(value)
        if duration_s > MAX_DURATION_S:
            self._problem(("cleanup_timeout",), f"longer than 24h: {quoted(value)}")
        return duration_s

    def _wrong(
        self, where: Path, expected: str, value: Any, types: set[str], *, kind: str | None = None
    ) -> None:
        scalar = isinstance(value, (bool, int, float))
        shown = self.document.raw(where, value) if scalar else quoted(value)
        hint = value_hint(value, shown=shown, types=types, kind=kind)
        self._problem(where, f"expected {expected}; got {shown}", hint=hint)
