"""Secrets of commands on this machine, and what is masked wherever something is shown or kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Finished, Stophooks

# Made anew of parts, so that no scanner takes them for real ones.
DECLARED = "declared-" + "value"
FOUND = "found-" + "value"
TOKEN = "ghp_" + "a1B2" * 9
CONFIG = """
stop:
  default_secrets: [{name: SHARED, from_file: shared.txt}]
  commands:
    - name: leak
      secrets: [DECLARED]
      env: {DB_PASSWORD: of-the-config}
      run: |
        # ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2
        echo "$DECLARED $MY_API_KEY $DB_PASSWORD $SHARED plain"
        printf decl; sleep 0.1; printf 'ared-'; sleep 0.1; printf 'value no newline' >&2
        printf '%s' "$GH" >&2
        exit 1
    - name: needs
      secrets: [ABSENT]
      run: touch ran
"""
ENVIRON = {"DECLARED": DECLARED, "MY_API_KEY": FOUND, "GH": TOKEN}
SECRETS = (DECLARED, FOUND, TOKEN, "of-the-config", "of-the-file")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "stophooks.yaml").write_text(CONFIG)
    (directory / "shared.txt").write_text("of-the-file\n")
    return directory


def shown(done: Finished) -> str:
    text = done.stdout + done.stderr
    assert [secret for secret in SECRETS if secret in text] == []
    return text


@pytest.mark.scenario("secrets: A variable on this machine")
@pytest.mark.scenario("secrets: Everything that is shown or kept")
def test_a_person_and_the_log_see_stars(stophooks: Stophooks, project: Path) -> None:
    done = stophooks("run", "--verbose", cwd=project, env=ENVIRON)

    text = shown(done)
    assert "        # ***" not in text
    assert "$ # ***" in text
    assert "| *** *** *** *** plain" in text
    assert "leak | *** *** *** *** plain" in done.stderr
    logs = [path.read_text() for path in stophooks.state.rglob("*.log")]
    kept = "".join(logs)
    assert "*** *** *** *** plain" in kept
    assert [secret for secret in SECRETS if secret in kept] == []


@pytest.mark.scenario("secrets: A missing secret")
def test_a_command_whose_secret_is_missing_does_not_run_and_the_others_do(
    stophooks: Stophooks, project: Path
) -> None:
    done = stophooks("run", "--format", "json", cwd=project, env=ENVIRON)

    leak, needs = json.loads(done.stdout)["results"]
    assert shown(done)
    assert (leak["status"], leak["exit_code"]) == ("failed", 1)
    assert leak["stdout"]["text"].startswith("*** *** *** *** plain\ndecl")
    assert needs["status"] == "unavailable"
    assert needs["reason"] == "The secret ABSENT is missing: the environment variable is not set."
    assert needs["fault"] == "secret-missing"
    assert not (project / "ran").exists()


@pytest.mark.scenario("secrets: Everything that is shown or kept")
def test_an_agent_and_the_store_see_stars(stophooks: Stophooks, project: Path) -> None:
    payload = {"session_id": "s", "cwd": str(project), "hook_event_name": "Stop"}

    done = stophooks(
        "hook",
        "--agent",
        "claude",
        cwd=project,
        stdin=json.dumps(payload).encode(),
        env=ENVIRON | {"CLAUDE_PROJECT_DIR": str(project)},
    )

    assert "| *** *** *** *** plain" in shown(done)
    files = [path for path in stophooks.state.rglob("*") if path.is_file()]
    kept = b"".join(path.read_bytes() for path in files if path.suffix != ".log")
    runtime = (DECLARED, FOUND, TOKEN[4:] + "x", "of-the-file")
    assert [secret for secret in runtime if secret.encode() in kept] == []


@pytest.mark.scenario("secrets: What is shown of a plan")
@pytest.mark.parametrize("args", [("list",), ("run", "--dry-run")])
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_plan_is_shown_with_names_and_without_values(
    stophooks: Stophooks, project: Path, args: tuple[str, ...], form: str
) -> None:
    done = stophooks(*args, "--format", form, cwd=project, env=ENVIRON)

    assert done.returncode == 0
    text = shown(done)
    assert "DECLARED" in text
    assert "shared.txt" in text


def test_a_problem_is_shown_without_the_token_beside_it(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    (tmp_path / "stophooks.yaml").write_text(
        f"stop: {{commands: [{{run: x, env: {{A: {TOKEN}}}, timeuot: 5}}]}}\n"
    )

    done = stophooks("validate", cwd=tmp_path)

    assert done.returncode != 0
    assert "timeuot" in done.stderr + done.stdout
    assert "***" in shown(done)
