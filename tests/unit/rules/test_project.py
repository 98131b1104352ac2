# SPDX-License-Identifier: Apache-2.0
"""Is each line of a project's `ttctl.toml` a setting, and is a lock told that is not as it says?"""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from tests.unit.fakes import Scene

from ttctl.model.settings import SETTINGS
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.rules.project import no_longer_locked, project_name, project_text
from ttctl.rules.settings import layer_of_file

CHOSEN = {"up.model": "demo-llama", "up.name": "bot", "up.device": "cpu", "up.port": 8055}
LOCK = desire(Scene().world, Request(model="llama", name="bot")).lock


def layer(text: str) -> dict[str, Any]:
    found = layer_of_file(
        tomllib.loads(text), path="/p/ttctl.toml", home="/h", line_of=lambda _: 1, next_step="ttctl"
    )
    return {key: one.value for key, one in found.items()}


def test_only_what_was_chosen_is_set() -> None:
    assert layer(project_text(CHOSEN)) == CHOSEN
    assert layer(project_text({})) == {}


def test_every_setting_is_in_it_and_each_line_made_a_setting_is_taken_by_the_reader() -> None:
    lines = project_text({}).splitlines()
    shown = [one for one in lines if one.startswith("# ") and " = " in one]
    assert len(shown) == len(SETTINGS)
    found = layer("\n".join(one.removeprefix("# ") if one in shown else one for one in lines))
    assert list(found) == list(SETTINGS)
    for key, setting in SETTINGS.items():
        if setting.default is not None:
            assert found[key] == setting.default, key
    alone = [
        "\n".join(one.removeprefix("# ") if one is line else one for one in lines) for line in shown
    ]
    assert [len(layer(text)) for text in alone] == [1] * len(SETTINGS)


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        pytest.param("Chat Bot", "chat-bot", id="in compose's alphabet"),
        pytest.param("2024_trial.v2", "2024-trial-v2", id="digits first"),
        pytest.param("---", "llama", id="nothing is left of it: the model's"),
        pytest.param("", "llama", id="the file system's root"),
    ],
)
def test_a_folder_names_its_stack(folder: str, expected: str) -> None:
    assert project_name(folder, "acme/Llama") == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({}, "", id="nothing is said"),
        pytest.param({"up.model": "llama", "up.device": LOCK.device}, "", id="the same"),
        pytest.param({"up.device": None}, "", id="not set"),
        pytest.param({"up.model": "qwen"}, "up.model is qwen, locked is llama", id="another model"),
        pytest.param(
            {"up.port": 9000}, f"up.port is 9000, locked is {LOCK.port}", id="another port"
        ),
    ],
)
def test_what_a_lock_does_not_say_any_more_is_told(said: dict[str, Any], expected: str) -> None:
    text = no_longer_locked(LOCK, said, stack="bot")
    assert expected in text
    assert bool(text) == bool(expected)


def test_a_lock_of_another_stack_is_told() -> None:
    assert "the stack is other, locked is bot" in no_longer_locked(LOCK, {}, stack="other")
