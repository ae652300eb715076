"""Take secrets out of bytes and texts, also where they come in pieces."""

from __future__ import annotations

from stophooks import patterns
from stophooks.secrets.names import LEAST_BYTES
from stophooks.secrets.shapes import (
    ALONE,
    KEY_BEGIN,
    KEY_BODY,
    KEY_END,
    KEY_HEADER,
    KEY_LINE_BYTES,
    KEY_OPENS,
    KEY_REST,
    LONGEST_BYTES,
    SHAPES,
)
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import cached_property

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

# What stands in a secret's place.
STARS = b"***"
# One line of a secret of several is a secret too, unless it is as short as `{`; bytes.
LEAST_LINE_BYTES = 8
_STARTS = tuple(start for shape in SHAPES for start in shape.starts)


class Mask:
    """Puts `***` in the place of secrets and of whatever looks like a token.

    Args:
        declared: Secrets; also their JSON, URL and base64 forms are masked.
        found: Values that are secrets by the look of their names; masked as they are.
    """

    def __init__(self, declared: Iterable[bytes] = (), found: Iterable[bytes] = ()) -> None:
        pieces = {piece for value in found for piece in _pieces(value)}
        pieces |= {piece for value in declared for piece in _pieces(value, forms=True)}
        # The longest first: one may be the beginning of another.
        self._pieces = tuple(sorted(pieces, key=lambda piece: (-len(piece), piece)))
        self._held_bytes = max([LONGEST_BYTES, *map(len, self._pieces)])

    def text(self, text: str) -> str:
        """The text without its secrets."""
        raw = text.encode("utf-8", "surrogatepass")
        masked = self.data(raw)
        return text if masked is raw else masked.decode("utf-8", "surrogatepass")

    def data(self, data: bytes) -> bytes:
        """The bytes, which are all there is, without their secrets; the same object if none is."""
        if not self.may_have(data):
            return data
        flow = MaskFlow(self)
        return flow.feed(data) + flow.finish()

    def values(self, values: Any) -> Any:
        """JSON-ready values, with every text in them masked; names of keys stay."""
        if isinstance(values, str):
            return self.text(values)
        if isinstance(values, dict):
            return {key: self.values(value) for key, value in values.items()}
        if isinstance(values, (list, tuple)):
            return [self.values(value) for value in values]
        return values

    def may_have(self, data: bytes) -> bool:
        """Whether a secret begins in these bytes; says so, wrongly, where one almost does.

        Most output has none, and finding that out has to be cheap: a gigabyte may come.
        """
        if any(piece in data for piece in self._pieces):
            return True
        return any(rare in data and shape.search(data) for rare, shape in _searches())

    def settled(self, line: bytes) -> int:
        """How much of a line without its end is known to be no beginning of a secret, in bytes."""
        found = [place for start in _STARTS if (place := line.find(start)) >= 0]
        found += [_begun(line, text) for text in (*_STARTS, *self._pieces)]
        # No secret is longer, so what is further ahead is known after all.
        return max(min(found), len(line) - self._held_bytes)

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        """Everything that is masked; the group is what stays of a match."""
        import re  # noqa: PLC0415 -- most output has nothing that looks like a secret

        parts = [*map(re.escape, self._pieces), *(shape.pattern for shape in SHAPES)]
        return re.compile(b"|".join(parts))


class MaskFlow:
    """Masks one stream; what comes out does not depend on how it was cut into pieces.

    Of an unfinished line that is held back which may be the beginning of a secret, until it is
    one, or is none.
    """

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._held = b""
        # The byte before what is held: a token's beginning is told by it.
        self._before = b""
        self._key_lines: int | None = None

    def feed(self, data: bytes) -> bytes:
        """The next piece of the stream; returns what can be said of it and of what was held."""
        whole = self._held + data if self._held else data
        # The newline behind a carriage return at the end may be in the next piece.
        end = max(whole.rfind(b"\n"), whole.rfind(b"\r", 0, -1)) + 1
        if end < len(whole) and not self._may_be_of_key(whole[end:]):
            end += self._mask.settled(whole[end:])
        return self._take(whole, end) if end else self._hold(whole)

    def finish(self) -> bytes:
        """The rest: the stream is over, or nobody waits for more of it."""
        return self._take(self._held, len(self._held), is_over=True)

    def _hold(self, whole: bytes) -> bytes:
        self._held = whole
        return b""

    def _may_be_of_key(self, line: bytes) -> bool:
        return self._key_lines is not None and len(line) <= KEY_LINE_BYTES

    def _take(self, whole: bytes, end: int, *, is_over: bool = False) -> bytes:
        """Mask what begins before ``end``, and hold the rest."""
        if self._key_lines is None and not self._mask.may_have(self._before + whole):
            self._let_go(whole, end)
            return whole[:end]
        out: list[bytes] = []
        done = 0
        while done < end:
            if self._key_lines is not None:
                done = self._skip_key(whole, done, is_over=is_over)
            if self._key_lines is not None:
                break
            done = self._until_key(whole, done, end, out)
        self._let_go(whole, done)
        return b"".join(out)

    def _let_go(self, whole: bytes, done: int) -> None:
        if done:
            self._before = whole[done - 1 : done]
        self._held = whole[done:]

    def _until_key(self, whole: bytes, done: int, end: int, out: list[bytes]) -> int:
        """Mask up to ``end`` or to the body of a private key; where that is."""
        shift = len(self._before)
        text = self._before + whole
        for match in self._mask.pattern.finditer(text, done + shift):
            start = match.start() - shift
            if start >= end:
                break
            out += (whole[done:start], match[match.lastindex] if match.lastindex else b"", STARS)
            done = match.end() - shift
            opens = KEY_OPENS.match(whole, done) if match[0].startswith(KEY_BEGIN) else None
            if opens and b"-----END" not in match[0]:
                out.append(opens[0])
                self._key_lines = 0
                return opens.end()
        out.append(whole[done:end])
        return max(done, end)

    def _skip_key(self, whole: bytes, done: int, *, is_over: bool) -> int:
        """Where the private key is over whose first line is behind us, as far as it is here."""
        while done < len(whole):
            newline = whole.find(b"\n", done)
            if newline < 0 and not is_over and self._may_be_of_key(whole[done:]):
                return done
            line = whole[done : newline + 1] if newline >= 0 else whole[done:]
            if ended := KEY_END.match(line):
                self._key_lines = None
                return done + ended.end()
            if len(line) > KEY_LINE_BYTES or not self._is_of_key(line):
                self._key_lines = None
                return done
            self._key_lines = (self._key_lines or 0) + 1
            done += len(line)
        return done

    def _is_of_key(self, line: bytes) -> bool:
        # The last line may be short, and is only told by those before it.
        known = (KEY_BODY, KEY_REST) if self._key_lines else (KEY_BODY, KEY_HEADER)
        return any(pattern.fullmatch(line) for pattern in known)


def _begun(line: bytes, text: bytes) -> int:
    """Where the end of a line may be the beginning of a text; the line's length if nowhere."""
    place = line.find(text[:1], max(len(line) - len(text) + 1, 0))
    while place >= 0:
        if text.startswith(line[place:]):
            return place
        place = line.find(text[:1], place + 1)
    return len(line)


def _pieces(value: bytes, *, forms: bool = False) -> set[bytes]:
    """What is looked for of one value: each of its lines and, with ``forms``, other spellings."""
    lines = [line.strip() for line in value.replace(b"\r", b"\n").split(b"\n")]
    least = LEAST_BYTES if len([line for line in lines if line]) == 1 else LEAST_LINE_BYTES
    pieces = {line for line in lines if len(line) >= least}
    if forms:
        from base64 import b64encode  # noqa: PLC0415 -- few runs have declared secrets

        pieces |= {form for piece in tuple(pieces) for form in _forms(piece)}
        pieces |= {b64encode(value).rstrip(b"=")} if len(value) >= LEAST_BYTES else set()
    return pieces


def _forms(piece: bytes) -> set[bytes]:
    import json  # noqa: PLC0415 -- few runs have declared secrets
    from base64 import b64encode  # noqa: PLC0415 -- the same
    from urllib.parse import quote_from_bytes  # noqa: PLC0415 -- the same

    text = piece.decode("utf-8", "surrogateescape")
    return {
        json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "surrogateescape"),
        json.dumps(text)[1:-1].encode("ascii"),
        quote_from_bytes(piece, safe="").encode("ascii"),
        b64encode(piece).rstrip(b"="),
    }


# A byte and a pattern for each shape, both quick to say that there is none; when first needed.
_quick: list[tuple[bytes, re.Pattern[bytes]]] = []


def _searches() -> list[tuple[bytes, re.Pattern[bytes]]]:
    # Without what must not be before it, a pattern begins with fixed bytes: ten times faster.
    if not _quick:
        _quick[:] = [
            (shape.rare, patterns.compiled(shape.pattern.removeprefix(ALONE))) for shape in SHAPES
        ]
    return _quick
