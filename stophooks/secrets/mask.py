"""Take secrets out of bytes and texts, also where they come in pieces."""

from __future__ import annotations

from stophooks.secrets.names import LEAST_BYTES
from stophooks.secrets.shapes import (
    KEY_BEGIN,
    KEY_BODY,
    KEY_END,
    KEY_HEADER,
    KEY_LINE_BYTES,
    KEY_OPENS,
    KEY_REST,
    LONGEST_BYTES,
    SHAPES,
    SIGNS,
    Matches,
)
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# What stands in a secret's place.
STARS = b"***"
# One line of a secret of several is a secret too, unless it is as short as `{`; bytes.
LEAST_LINE_BYTES = 8
# A text that is looked for in a way that is quick with short ones.
_SHORT_BYTES = 64
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
        if any(_has(data, piece) for piece in self._pieces):
            return True
        return any(
            _has(data, sign) and pattern.search(data)
            for rare, kinds in SIGNS
            if rare in data
            for sign, pattern in kinds
        )

    def settled(self, data: bytes, start: int) -> int:
        """Up to where it is known that no secret begins in the last line, which starts there."""
        # No secret is longer, so what is further ahead is known after all.
        start = max(start, len(data) - self._held_bytes)
        line = data[start:]
        found = [line.find(text) for text in _STARTS if _has(line, text)]
        found += [_begun(line, text) for text in (*_STARTS, *self._pieces)]
        return start + min(found)

    def matches(self, data: bytes) -> Matches:
        """All that is masked in these bytes."""
        return Matches(data, self._pieces)


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

    def feed(self, *pieces: bytes | memoryview) -> bytes:
        """The next pieces of the stream; returns what can be said of them and of what was held."""
        if self._key_lines is None and (plain := self._plain(pieces)):
            return plain
        whole = b"".join((self._held, *pieces) if self._held else pieces)
        newline = whole.rfind(b"\n")
        # The newline behind a carriage return at the end may be in the next piece.
        end = max(newline, whole.rfind(b"\r", newline + 1, -1)) + 1
        if end < len(whole) and not self._may_be_of_key(len(whole) - end):
            end = self._mask.settled(whole, end)
        return self._take(whole, end) if end else self._hold(whole)

    def _plain(self, pieces: Sequence[bytes | memoryview]) -> bytes | None:
        """What can be said of pieces in which no secret is; None where one may be.

        The same as `feed` says of any, with a copy less: most output is such.
        """
        last = bytes(pieces[-1]) if pieces else b""
        newline = last.rfind(b"\n")
        if newline < 0:
            return None
        end = max(newline, last.rfind(b"\r", newline + 1, -1)) + 1
        if end < len(last):
            end = self._mask.settled(last, end)
        ready = b"".join((self._held, *pieces[:-1], last[:end]))
        if self._mask.may_have(ready):
            return None
        self._before, self._held = ready[-1:], last[end:]
        return ready

    def finish(self) -> bytes:
        """The rest: the stream is over, or nobody waits for more of it."""
        return self._take(self._held, len(self._held), is_over=True)

    def _hold(self, whole: bytes) -> bytes:
        self._held = whole
        return b""

    def _may_be_of_key(self, line_bytes: int) -> bool:
        return self._key_lines is not None and line_bytes <= KEY_LINE_BYTES

    def _take(self, whole: bytes, end: int, *, is_over: bool = False) -> bytes:
        """Mask what begins before ``end``, and hold the rest."""
        if self._key_lines is None and not self._mask.may_have(whole):
            self._let_go(whole, end)
            return whole[:end]
        matches = self._mask.matches(self._before + whole)
        out: list[bytes] = []
        done = 0
        while done < end:
            if self._key_lines is not None:
                done = self._skip_key(whole, done, is_over=is_over)
            if self._key_lines is not None:
                break
            done = self._until_key(whole, done, end, matches, out)
        self._let_go(whole, done)
        return b"".join(out)

    def _let_go(self, whole: bytes, done: int) -> None:
        if done:
            self._before = whole[done - 1 : done]
        self._held = whole[done:]

    def _until_key(
        self, whole: bytes, done: int, end: int, matches: Matches, out: list[bytes]
    ) -> int:
        """Mask up to ``end`` or to the body of a private key; where that is."""
        shift = len(self._before)
        while (match := matches.after(done + shift)) and match[0] - shift < end:
            start, kept = match[0] - shift, match[2]
            out += (whole[done:start], kept, STARS)
            done = match[1] - shift
            opens = KEY_OPENS.match(whole, done) if whole.startswith(KEY_BEGIN, start) else None
            if opens and whole.find(b"-----END", start, done) < 0:
                out.append(opens[0])
                self._key_lines = 0
                return opens.end()
        out.append(whole[done:end])
        return max(done, end)

    def _skip_key(self, whole: bytes, done: int, *, is_over: bool) -> int:
        """Where the private key is over whose first line is behind us, as far as it is here."""
        while done < len(whole):
            newline = whole.find(b"\n", done)
            if newline < 0 and not is_over and self._may_be_of_key(len(whole) - done):
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


def _has(data: bytes, text: bytes) -> bool:
    # From behind CPython skips most bytes, but takes the product of both lengths at worst.
    return text in data if len(text) > _SHORT_BYTES else data.rfind(text) >= 0


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
