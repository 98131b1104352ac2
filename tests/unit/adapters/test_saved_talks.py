# SPDX-License-Identifier: Apache-2.0
"""Does a saved conversation come back as it was, and is every bad file a refusal?"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.saved_talks import SavedTalks
from ttctl.errors import BadFileError, UsageError
from ttctl.model.talk import Message, Talk

if TYPE_CHECKING:
    from pathlib import Path

TALK = Talk(
    model="acme/Small-1B",
    name="mine",
    system="Be short.",
    role="brief",
    messages=(
        Message(role="user", text='A "?" \u00e4\ud800\n'),
        Message(role="assistant", text="B.", stopped=True),
    ),
    max_tokens=7,
    temperature=0.5,
    context_tokens=10,
    prompt_tokens=20,
    completion_tokens=5,
)


@pytest.fixture
def talks(tmp_path: Path) -> SavedTalks:
    return SavedTalks(tmp_path / "state" / "talks")


def test_a_conversation_comes_back_as_it_was(talks: SavedTalks) -> None:
    assert talks.names() == ()
    path = talks.save("mine", TALK)
    assert talks.names() == ("mine",)
    # What is no whole character is a question mark; all else is as it was.
    said = (replace(TALK.messages[0], text='A "?" \u00e4?\n'), TALK.messages[1])
    assert talks.load("mine") == replace(TALK, messages=said)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["../x", "a/b", ".x", ""])
def test_a_name_cannot_lead_out_of_the_folder(talks: SavedTalks, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        talks.save(name, TALK)
    with pytest.raises(UsageError):
        talks.load(name)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_name_is_refused_with_the_nearest(talks: SavedTalks) -> None:
    talks.save("mine", TALK)
    with pytest.raises(UsageError, match="no conversation 'mien'") as caught:
        talks.load("mien")
    assert caught.value.next_step == "ttctl chat --load mine"
    assert SavedTalks(talks.save("x", TALK).parent / "none").names() == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"schema": "ttctl.talk/9"}, "schema", id="another schema"),
        pytest.param({"messages": [{"role": "system", "text": ""}]}, "messages.0.role", id="role"),
        pytest.param({"messages": None}, "messages", id="no messages"),
        pytest.param({"temperature": 9}, "temperature", id="too hot"),
        pytest.param({"max_tokens": "7"}, "max_tokens", id="a text for a number"),
    ],
)
def test_a_file_that_was_changed_is_refused_with_its_key(
    talks: SavedTalks, change: dict[str, object], said: str
) -> None:
    path = talks.save("mine", TALK)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(BadFileError, match="'mine' cannot be read") as caught:
        talks.load("mine")
    assert caught.value.why.startswith(said)
    assert caught.value.evidence == str(path)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe", b"null"], ids=repr)
def test_a_file_that_is_no_conversation_is_refused(talks: SavedTalks, raw: bytes) -> None:
    talks.save("mine", TALK).write_bytes(raw)
    with pytest.raises(BadFileError):
        talks.load("mine")


def test_what_a_newer_version_adds_is_ignored(talks: SavedTalks) -> None:
    path = talks.save("mine", TALK)
    path.write_text(json.dumps({**json.loads(path.read_text()), "newer": 1}))
    assert talks.load("mine").role == "brief"


def test_a_folder_in_the_place_of_a_file_is_refused(talks: SavedTalks) -> None:
    path = talks.save("mine", TALK)
    path.unlink()
    path.mkdir()
    with pytest.raises(BadFileError):
        talks.load("mine")
