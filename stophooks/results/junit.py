"""JUnit XML, as pytest, jest-junit, gotestsum, Maven and many others write it."""

from __future__ import annotations

from xml.parsers import expat

from stophooks.results.base import MESSAGE_WIDTH, Found, NotUnderstoodError

# A report has five levels; an attack has thousands.
_MOST_DEEP = 100
_BAD = {"failure", "error"}


def read(data: bytes) -> Found:
    """The cases with a failure or an error.

    A document type is refused, and with it every entity that could be declared: neither another
    file nor an expanding text can come in.

    Raises:
        NotUnderstoodError: It is no JUnit XML.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(data, True)  # noqa: FBT003 -- expat's own signature
    except (expat.ExpatError, ValueError, LookupError) as err:
        raise NotUnderstoodError(f"it is not XML: {err}") from err
    return reader.found


def _refuse(*_: object) -> None:
    raise NotUnderstoodError("it has a document type, which no JUnit XML has")


class _Reader:
    """Follows one document; keeps what belongs to the case it is in."""

    def __init__(self) -> None:
        self.found = Found()
        self._path: list[str] = []
        self._files: list[str | None] = []
        self._case: dict[str, str] | None = None
        self._messages: list[str] = []
        self._is_bad = False
        self._text: list[str] | None = None
        self._size = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._path and tag not in {"testsuites", "testsuite"}:
            raise NotUnderstoodError("it is XML, and not a JUnit report")
        self._path.append(tag)
        if len(self._path) > _MOST_DEEP:
            raise NotUnderstoodError("its elements are nested too deeply")
        if tag == "testsuite":
            self._files.append(attributes.get("file"))
        elif tag == "testcase":
            self._case, self._messages, self._is_bad = dict(attributes), [], False
        elif tag in _BAD and self._case is not None:
            self._is_bad = True
            said = attributes.get("message", "").strip()
            self._messages += [said] * bool(said)
            # Without a message the text is all there is.
            self._text, self._size = (None if said else []), 0

    def text(self, data: str) -> None:
        if self._text is not None and self._size <= MESSAGE_WIDTH:
            self._text.append(data)
            self._size += len(data)

    def end(self, tag: str) -> None:
        self._path.pop()
        if tag in _BAD and self._text is not None:
            self._messages.append("".join(self._text).strip())
            self._text = None
        elif tag == "testsuite":
            self._files.pop()
        elif tag == "testcase" and self._case is not None:
            if self._is_bad:
                self._tell(self._case)
            self._case = None

    def _tell(self, case: dict[str, str]) -> None:
        line = case.get("line", "")
        group, name = case.get("classname"), case.get("name", "")
        self.found.add(
            file=case.get("file") or next((file for file in reversed(self._files) if file), None),
            line=int(line) if line.isascii() and line.isdigit() and len(line) < 10 else None,  # noqa: PLR2004 -- digits of a line's number
            name=f"{group}::{name}" if group else name,
            message="; ".join(self._messages),
        )
