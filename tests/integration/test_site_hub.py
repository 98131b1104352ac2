# SPDX-License-Identifier: Apache-2.0
"""Weights come from the place's hub: by either variable, with a token from its file, or not at all.

The program runs as a user's shell runs it; the hub is a stand-in on loopback.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.standins.fake_hub import FakeHub
from tests.standins.place import alone, run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

MODEL = "Qwen/Qwen2.5-0.5B-Instruct"
FILES = {
    "config.json": b"{}",
    "tokenizer.json": b'{"a": 1}',
    "model.safetensors": bytes(range(256)) * 500,
}
WRONG = f"hf_{secrets.token_hex(8)}"
NOWHERE = "http://127.0.0.1:9"


def hub_with(*, gated: bool) -> FakeHub:
    one = FakeHub()
    one.add(MODEL, FILES, large={"model.safetensors"}, gated=gated)
    return one


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with hub_with(gated=False) as one:
        yield one


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    """Return the variables of a place that has nothing yet; no registry is asked there."""
    own = {"HF_HOME": str(tmp_path / "hf"), "TTCTL_BASE_IMAGE": "registry.example.org/base:1"}
    return {**alone(tmp_path), **own}


def pull(place: dict[str, str], **more: str) -> subprocess.CompletedProcess[str]:
    words = ("--json", "models", "pull", MODEL, "--device", "cpu")
    return run(*words, environ={**place, **more})


def error_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)["error"]
    return found


def folder_of(done: subprocess.CompletedProcess[str]) -> Path:
    assert done.returncode == 0, done.stderr + done.stdout
    return Path(json.loads(done.stdout)["data"]["folder"])


@pytest.mark.parametrize("name", ["HF_ENDPOINT", "TTCTL_HUB_ENDPOINT"])
def test_a_mirror_serves_the_weights(hub: FakeHub, place: dict[str, str], name: str) -> None:
    folder = folder_of(pull(place, **{name: hub.url}))
    assert {one: (folder / one).read_bytes() for one in FILES} == FILES
    assert folder.name == hub.repositories[MODEL].commit
    shown = run("config", "site", environ={**place, name: hub.url}).stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("hub_endpoint")]
    assert line.split()[1:] == [hub.url, name]


def test_ttctls_own_variable_wins_over_that_of_the_hubs_client(
    hub: FakeHub, place: dict[str, str]
) -> None:
    folder_of(pull(place, TTCTL_HUB_ENDPOINT=hub.url, HF_ENDPOINT=NOWHERE))
    # The hub's own cache has it now, too.
    elsewhere = dict.fromkeys(("XDG_CACHE_HOME", "HF_HOME"), place["XDG_STATE_HOME"])
    refused = pull({**place, **elsewhere}, HF_ENDPOINT=NOWHERE)
    assert refused.returncode == 8
    assert NOWHERE in error_of(refused)["what"]


def test_a_token_from_its_file_opens_a_gated_model_and_goes_to_the_hub_alone(
    place: dict[str, str], tmp_path: Path
) -> None:
    with hub_with(gated=True) as hub:
        closed = pull(place, HF_ENDPOINT=hub.url)
        assert closed.returncode == 6
        assert error_of(closed)["next_step"] == "hf auth login"
        assert "401" in error_of(closed)["evidence"]
        wrong = pull(place, HF_ENDPOINT=hub.url, HF_TOKEN=WRONG)
        assert wrong.returncode == 6
        assert "Without a token: " in error_of(wrong)["evidence"]
        assert "403; the token in HF_TOKEN was sent" in error_of(wrong)["evidence"]
        assert WRONG not in wrong.stdout + wrong.stderr
        (tmp_path / "hf").mkdir(exist_ok=True)
        (tmp_path / "hf/token").write_text(hub.accepted)
        done = pull(place, HF_ENDPOINT=hub.url)
        folder_of(done)
        assert {one.token for one in hub.seen if one.on_cdn} == {""}
        assert f"Bearer {hub.accepted}" in {one.token for one in hub.seen}
    logs = "".join(log.read_text() for log in (tmp_path / "state").rglob("*.log"))
    assert hub.accepted not in done.stdout + done.stderr + logs


@pytest.mark.parametrize(
    "where",
    ["--token-file", "TTCTL_TOKEN_FILE", "HF_TOKEN", "HF_TOKEN_PATH", "the hub's login"],
)
def test_a_token_is_taken_from_wherever_the_hubs_tools_keep_it_and_is_kept_nowhere_else(
    place: dict[str, str], tmp_path: Path, where: str
) -> None:
    file = tmp_path / "hf/token" if where == "the hub's login" else tmp_path / "secret"
    file.parent.mkdir(exist_ok=True)
    words = ("models", "pull", MODEL, "--device", "cpu")
    with hub_with(gated=True) as hub:
        if where == "HF_TOKEN":
            place["HF_TOKEN"] = hub.accepted
        else:
            file.write_text(hub.accepted)
        if where in {"TTCTL_TOKEN_FILE", "HF_TOKEN_PATH"}:
            place[where] = str(file)
        named = ("--token-file", str(file)) if where == "--token-file" else ()
        done = run("--json", *words, *named, environ={**place, "HF_ENDPOINT": hub.url})
        folder_of(done)
        assert f"Bearer {hub.accepted}" in {one.token for one in hub.seen}
    written = [one for one in tmp_path.rglob("*") if one.is_file() and one != file]
    assert not [one for one in written if hub.accepted.encode() in one.read_bytes()]
    assert hub.accepted not in done.stdout + done.stderr


def test_a_public_model_needs_no_token(hub: FakeHub, place: dict[str, str]) -> None:
    folder_of(pull(place, HF_ENDPOINT=hub.url))
    assert {one.token for one in hub.seen} == {""}


def test_a_hub_that_may_not_be_asked_is_not_and_what_is_here_serves(
    hub: FakeHub, place: dict[str, str]
) -> None:
    missing = pull(place, HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")
    assert missing.returncode == 8
    assert MODEL in error_of(missing)["what"]
    assert "HF_HUB_OFFLINE" in error_of(missing)["evidence"] + error_of(missing)["next_step"]
    assert hub.seen == []
    folder = folder_of(pull(place, HF_ENDPOINT=hub.url))
    asked = len(hub.seen)
    again = pull(place, HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")
    assert folder_of(again) == folder
    assert json.loads(again.stdout)["data"]["changed"] is False
    assert len(hub.seen) == asked


def test_a_token_file_opens_a_gated_model_and_is_in_no_file_that_is_written(
    place: dict[str, str], tmp_path: Path
) -> None:
    with hub_with(gated=True) as hub:
        file = tmp_path / "secret"
        file.write_text(hub.accepted)
        words = ("models", "pull", MODEL, "--device", "cpu", "--token-file", str(file))
        done = run("--json", *words, environ={**place, "HF_ENDPOINT": hub.url, "HF_TOKEN": WRONG})
        folder_of(done)
        assert WRONG not in " ".join(one.token for one in hub.seen)
    written = [one for one in tmp_path.rglob("*") if one.is_file() and one != file]
    assert not [one for one in written if hub.accepted.encode() in one.read_bytes()]
    assert hub.accepted not in done.stdout + done.stderr
