"""What is masked, whatever the pieces that it comes in."""

from __future__ import annotations

import re
from base64 import b64encode
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stophooks.secrets.mask import Mask, MaskFlow
from stophooks.secrets.names import is_key, keys_in
from stophooks.secrets.shapes import SHAPES

DECLARED = b"correct horse battery"
FOUND = b"s3cr3t-value"
LONGER = b"s3cr3t-value-and-more"
KEY = (
    b"-----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\n\n"
    + b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n" * 3
    + b"QUJD\n-----END RSA PRIVATE KEY-----\n"
)
TOKENS = (
    b"ghp_" + b"a1B2" * 9,
    b"github_pat_" + b"a1B2_" * 16,
    b"glpat-" + b"a1B2" * 6,
    b"AKIA" + b"A1B2" * 4,
    b"ASIA" + b"A1B2" * 4,
    b"sk-" + b"a1B2-" * 9,
    b"xoxb-" + b"123-abc" * 3,
    b"AIza" + b"a1B2_" * 7,
    b"npm_" + b"a1B2" * 9,
    b"hf_" + b"a1B2" * 9,
    b"pypi-AgE" + b"a1B2" * 9,
    b"eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl",
)
FRAGMENTS = (
    *TOKENS,
    DECLARED,
    FOUND,
    LONGER,
    KEY,
    KEY.rstrip(),
    KEY[:90],
    b"Bearer abcdefghijklmnop.qrst",
    b"Authorization: Basic dXNlcjpwYXNz",
    b"https://user:pass@host/",
    b"task-aaaaaaaaaaaaaaaaaaaaaaaa",
    b"-----BEGIN",
    b"\n",
    b"\r\n",
    b"\r",
    b" ",
    b"word",
    b"a",
    b"x" * 300,
    b"y" * 17_000,
)


@pytest.fixture(scope="module")
def mask() -> Mask:
    """Knows one declared secret, and two values of which one begins as the other."""
    return Mask([DECLARED], [FOUND, LONGER])


@pytest.mark.scenario("secrets: Every kind of token")
@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token[:6].decode())
def test_a_well_known_token_is_masked_and_what_is_around_it_stays(token: bytes) -> None:
    assert Mask().data(b"a " + token + b", b") == b"a ***, b"
    assert Mask().data(b'"' + token + b'"') == b'"***"'


@pytest.mark.scenario("secrets: Every kind of token")
def test_what_precedes_a_token_stays_to_be_seen() -> None:
    mask = Mask()

    assert mask.text("Authorization: Bearer abcdefghijklmnop0") == "Authorization: Bearer ***"
    assert mask.text("Authorization: Basic dXNlcjpwYXNz") == "Authorization: Basic ***"
    assert mask.text("https://user:pa55@host/x") == "https://user:***@host/x"


@pytest.mark.parametrize(
    "text",
    [
        "task-aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "bearer of bad news",
        "https://host:8080/a@b",
        "sk-short",
        "a ghp_ and an eyJ",
        'if line == "-----BEGIN PUBLIC KEY-----":',
    ],
)
def test_what_is_no_token_stays(text: str) -> None:
    assert Mask().text(text) == text


@pytest.mark.scenario("secrets: A private key")
def test_a_private_key_is_masked_to_its_end_and_no_further() -> None:
    said = Mask().data(b"before\n" + KEY + b"after\n")

    assert said == b"before\n***\r\n\nafter\n"


def test_a_private_key_in_one_line_is_masked() -> None:
    escaped = KEY.replace(b"Proc-Type: 4,ENCRYPTED\n\n", b"").replace(b"\r\n", b"\n")
    escaped = escaped.replace(b"\n", b"\\n")

    assert Mask().data(b'{"key": "' + escaped + b'"}') == b'{"key": "***\\n"}'


def test_a_mention_of_a_private_key_hides_nothing_else() -> None:
    text = 'if text == "-----BEGIN PRIVATE KEY-----":\n    return the_key(text)\n'

    assert Mask().text(text) == 'if text == "***":\n    return the_key(text)\n'


@pytest.mark.scenario("secrets: Other spellings")
def test_a_declared_secret_is_masked_in_its_usual_spellings() -> None:
    secret = 'pa"ss/w\u00f6rd+1'
    mask = Mask([secret.encode()])

    for form in (
        secret,
        'pa\\"ss/w\u00f6rd+1',
        'pa\\"ss/w\\u00f6rd+1',
        "pa%22ss%2Fw%C3%B6rd%2B1",
        b64encode(secret.encode()).decode(),
    ):
        assert mask.text(f"<{form}>").replace("=", "") == "<***>"


@pytest.mark.scenario("secrets: A secret of several lines")
def test_each_line_of_a_secret_is_masked_but_for_short_ones() -> None:
    mask = Mask([b'{\n  "id": "12345678",\n  "k": 1\n}\n'])

    assert mask.text('got "id": "12345678", {') == "got *** {"


@pytest.mark.scenario("secrets: Short values")
def test_a_value_of_five_bytes_is_not_masked_and_one_of_six_is() -> None:
    mask = Mask([b"12345", b"abcdef"])

    assert mask.text("12345 abcdef") == "12345 ***"


@pytest.mark.scenario("secrets: Names that look like keys")
def test_names_of_secrets_are_told_from_names_about_them() -> None:
    secret = (
        "API_KEY AWS_SECRET_ACCESS_KEY GITHUB_TOKEN PGPASSWORD npm_config__authToken DB_PASS "
        "STRIPE_SECRET GH_PAT MY_CREDENTIALS OPENAI_APIKEY"
    )
    public = (
        "PATH PWD KEYBOARD TOKENIZERS_PARALLELISM SSH_AUTH_SOCK AWS_SHARED_CREDENTIALS_FILE "
        "MAX_TOKENS SECRET_NAME MONKEY PASSED COMPASS"
    )

    assert [name for name in secret.split() if not is_key(name)] == []
    assert [name for name in public.split() if is_key(name)] == []


def test_words_of_a_configuration_are_no_secrets() -> None:
    found = keys_in({"GPG_KEY": "required", "A_TOKEN": "12345", "B_TOKEN": "123456"})

    assert found == (b"123456",)


def test_the_longer_of_two_secrets_that_begin_alike_is_masked_whole(mask: Mask) -> None:
    assert mask.data(b"s3cr3t-value-and-more s3cr3t-value-and") == b"*** ***-and"


@pytest.mark.scenario("secrets: In pieces")
@settings(max_examples=300, deadline=None)
@given(
    parts=st.lists(st.sampled_from(FRAGMENTS), max_size=12),
    cuts=st.lists(st.integers(0, 40_000), max_size=12),
)
def test_what_is_masked_does_not_depend_on_the_pieces(
    mask: Mask, parts: list[bytes], cuts: list[int]
) -> None:
    whole = b"".join(parts)
    places = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    flow = MaskFlow(mask)

    said = [flow.feed(whole[one:two]) for one, two in pairwise(places)]

    assert b"".join([*said, flow.finish()]) == mask.data(whole)


@settings(max_examples=300, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from((*FRAGMENTS, *[b"\n", b"word", b" gh", b"\r"] * 4)), max_size=16
    ),
    cuts=st.lists(st.integers(0, 40_000), max_size=12),
)
def test_plain_pieces_are_handed_on_as_soon_as_any(
    mask: Mask, parts: list[bytes], cuts: list[int]
) -> None:
    whole = b"".join(parts)
    places = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    pieces = [whole[one:two] for one, two in pairwise(places)]
    flow, slow = MaskFlow(mask), MaskFlow(mask)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slow, "_plain", lambda _: None)

        assert [flow.feed(piece) for piece in pieces] == [slow.feed(piece) for piece in pieces]
    assert flow.finish() == slow.finish()


@pytest.mark.scenario("secrets: In pieces")
@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.sampled_from(FRAGMENTS[:-2]), max_size=5))
def test_single_bytes_are_masked_as_the_whole(mask: Mask, parts: list[bytes]) -> None:
    whole = b"".join(parts)
    flow = MaskFlow(mask)

    said = [flow.feed(whole[place : place + 1]) for place in range(len(whole))]

    assert b"".join([*said, flow.finish()]) == mask.data(whole)


def test_no_secret_is_left_in_what_comes_out(mask: Mask) -> None:
    text = b" ".join((DECLARED, *TOKENS, LONGER, FOUND))

    said = mask.data(text)

    assert said == b" ".join([b"***"] * (len(TOKENS) + 3))


def test_words_are_handed_on_before_their_line_ends_and_beginnings_of_secrets_are_not(
    mask: Mask,
) -> None:
    flow = MaskFlow(mask)

    assert flow.feed(b"word") == b"word"
    assert flow.feed(b" cor") == b" "
    assert flow.feed(b"rect or") == b"correct or"
    assert flow.feed(b" gh") == b" "
    assert flow.feed(b"o\nnext word") == b"gho\nnext word"
    assert flow.feed(b" gh") == b" "
    assert flow.finish() == b"gh"


def test_no_more_is_held_back_than_the_longest_secret(mask: Mask) -> None:
    flow = MaskFlow(mask)

    said = sum(len(flow.feed(b"://" + b"x" * 10_000)) for _ in range(100))

    assert said > 100 * 10_003 - 32 * 1024


def test_json_values_are_masked_and_keys_are_not(mask: Mask) -> None:
    value = {"s3cr3t-value": ["s3cr3t-value", 1, None, ("a", "ghp_" + "a1B2" * 9)]}

    assert mask.values(value) == {"s3cr3t-value": ["***", 1, None, ["a", "***"]]}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_sign_of_a_shape_is_in_all_that_has_it(data: st.DataObject) -> None:
    shape = data.draw(st.sampled_from(SHAPES))
    pattern = re.compile(shape.pattern)
    said = data.draw(st.from_regex(pattern))

    assert pattern.search(said)
    assert Mask().may_have(said)


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(st.sampled_from(FRAGMENTS), max_size=12))
def test_kinds_are_masked_as_one_pattern_of_all_of_them_would(
    mask: Mask, parts: list[bytes]
) -> None:
    whole = b"".join(parts)
    literals = map(re.escape, (LONGER, FOUND, DECLARED))
    pattern = re.compile(b"|".join([*literals, *(shape.pattern for shape in SHAPES)]))
    matches = mask.matches(whole)

    found, place = [], 0
    while match := matches.after(place):
        found.append(match[:2])
        place = match[1]

    assert found == [one.span() for one in pattern.finditer(whole)]


def test_pieces_that_come_together_are_one(mask: Mask) -> None:
    flow = MaskFlow(mask)
    buffer = bytearray(b"before s3cr3t-value\n")

    said = flow.feed(memoryview(buffer)[:10], memoryview(buffer)[10:])
    buffer[:] = bytes(len(buffer))

    assert said == b"before ***\n"
