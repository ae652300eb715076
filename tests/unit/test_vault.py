"""Where secrets come from, and what is said where they are missing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from stophooks.errors import ExecutorUnavailableError
from stophooks.models import Command, Secret
from stophooks.secrets.vault import MAX_BYTES, Vault, variable

if TYPE_CHECKING:
    from pathlib import Path


def command(*secrets: Secret) -> Command:
    return Command(name="c", project_dir="/p", run="x", secrets=secrets)


def refusal(secret: Secret, environ: dict[str, str]) -> ExecutorUnavailableError:
    needs = command(secret)
    with pytest.raises(ExecutorUnavailableError) as caught:
        Vault(environ, [needs]).values(needs)
    return caught.value


def test_secrets_come_from_the_environment_and_from_files_byte_for_byte(tmp_path: Path) -> None:
    path = os.path.realpath(tmp_path / "key")
    (tmp_path / "key").write_bytes(b"\0\xff\n")
    needs = command(Secret(name="A"), Secret(name="B", from_file=path))

    values = Vault({"A": "von\udcff", "B": "not this"}, [needs]).values(needs)

    assert values == {"A": b"von\xff", "B": b"\0\xff\n"}


@pytest.mark.scenario("secrets: A missing secret")
def test_a_variable_that_is_missing_or_empty_is_told_with_a_remedy() -> None:
    missing = refusal(Secret(name="A"), {})
    empty = refusal(Secret(name="A"), {"A": ""})

    assert missing.reason == "The secret A is missing: the environment variable is not set."
    assert missing.remedy == "Set A where the agent, or stophooks, is started."
    assert missing.fault == "secret-missing"
    assert empty.reason == "The secret A is missing: the environment variable is empty."


@pytest.mark.scenario("secrets: A missing secret")
def test_a_file_that_is_no_secret_is_told_with_a_remedy(tmp_path: Path) -> None:
    path = os.path.realpath(tmp_path / "key")
    secret = Secret(name="A", from_file=path)

    def said() -> str:
        return refusal(secret, {}).reason.removeprefix(f"The secret A is missing: {path} ")

    assert said() == "cannot be read (No such file or directory)."
    os.mkfifo(path)
    assert said() == "is no regular file."
    os.unlink(path)
    os.mkdir(path)
    assert said() == "is no regular file."
    os.rmdir(path)
    (tmp_path / "key").write_bytes(b"")
    assert said() == "is empty."
    (tmp_path / "key").write_bytes(b"x" * (MAX_BYTES + 1))
    assert said() == "is larger than 64 KiB."
    os.unlink(path)
    os.symlink("/etc/hostname", path)
    assert said() == "has become a link."
    assert refusal(secret, {}).remedy == f"Write the secret into {path}, readable for you alone."


def test_one_missing_secret_leaves_other_commands_theirs() -> None:
    good, bad = command(Secret(name="A")), command(Secret(name="B"))
    vault = Vault({"A": "value"}, [good, bad])

    assert vault.values(good) == {"A": b"value"}
    with pytest.raises(ExecutorUnavailableError):
        vault.values(bad)


def test_a_variable_has_no_newline_of_its_file_and_no_nul() -> None:
    assert variable("A", b"line\r\n") == "line"
    assert variable("A", b"one\ntwo\n\n") == "one\ntwo\n"
    with pytest.raises(ExecutorUnavailableError, match="NUL"):
        variable("A", b"a\0b")


@pytest.mark.scenario("secrets: Names that look like keys")
def test_a_vault_masks_declared_secrets_and_variables_that_look_like_keys() -> None:
    needs = Command(
        name="c",
        project_dir="/p",
        run="x",
        env=(("DB_PASSWORD", "of-the-command"),),
        secrets=(Secret(name="DECLARED"),),
    )
    environ = {"DECLARED": "declared-value", "PLAIN": "plain-value"}

    mask = Vault(environ, [needs], hides=({"API_KEY": "of-the-agent"},)).mask

    said = mask.text("declared-value plain-value of-the-command of-the-agent")
    assert said == "*** plain-value *** ***"
