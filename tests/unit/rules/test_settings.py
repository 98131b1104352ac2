# SPDX-License-Identifier: Apache-2.0
"""Is the registry whole, and are unknown names refused with the nearest?"""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest

from ttctl.errors import BadFileError, UsageError
from ttctl.model.setting_rows import KEYS, OTHER_VARIABLES, ROWS, variable_of
from ttctl.model.settings import SETTINGS, FoundSetting
from ttctl.model.site import Site
from ttctl.model.spec import Request
from ttctl.model.talk import Talk
from ttctl.operations import up
from ttctl.rules.setting_kinds import from_toml
from ttctl.rules.settings import (
    known_setting,
    layer_of_variables,
    nearest_key,
    strongest,
    text_of,
    typed,
)


def test_the_site_settings_are_the_fields_of_the_site() -> None:
    keys = [key.removeprefix("site.") for key in KEYS if key.startswith("site.")]
    assert keys == [field.name for field in fields(Site)]


def test_the_settings_of_up_are_the_fields_of_a_request_and_how_it_is_done() -> None:
    keys = {key.removeprefix("up.") for key in KEYS if key.startswith("up.")}
    asked = {field.name for field in fields(Request)} - {
        "engine_args", "task", "experimental", "unattended", "guesses", "engine",
        "implementation", "boards", "sources", "services", "ejected", "values",
        "from_settings",
    }  # fmt: skip
    assert keys == asked | {"pull", "lock_timeout", "wait_timeout", "boot_reset"}


def test_defaults_are_those_of_the_product() -> None:
    defaults = {field.name: field.default for field in fields(Talk)}
    for name in ("max_tokens", "temperature", "system", "role"):
        assert SETTINGS[f"chat.{name}"].default == defaults[name]
    parameters = inspect.signature(up.up).parameters
    assert SETTINGS["up.wait_timeout"].default == parameters["wait_s"].default
    assert SETTINGS["up.lock_timeout"].default == parameters["lock_timeout_s"].default


def test_every_setting_has_a_variable_of_its_own_and_a_sentence() -> None:
    variables = [variable_of(key) for key in KEYS]
    assert len({*variables, *OTHER_VARIABLES}) == len(variables) + len(OTHER_VARIABLES)
    assert variable_of("site.registry") == "TTCTL_REGISTRY"
    assert variable_of("up.max_model_len") == "TTCTL_UP_MAX_MODEL_LEN"
    assert len(set(KEYS)) == len(ROWS)
    assert all(setting.help.endswith(".") for setting in SETTINGS.values())


@pytest.mark.parametrize("key", [key for key, one in SETTINGS.items() if one.default is not None])
def test_every_default_is_allowed(key: str) -> None:
    default = SETTINGS[key].default
    assert from_toml(SETTINGS[key], default) == default


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("up.prot", "up.port"),
        ("port", "up.port"),
        ("registri", "site.registry"),
        ("max-tokens", "chat.max_tokens"),
        ("chat.registry", "site.registry"),
        ("zzz", ""),
    ],
)
def test_the_nearest_setting_is_found(word: str, near: str) -> None:
    assert nearest_key(word) == near
    with pytest.raises(UsageError) as caught:
        known_setting(word)
    assert (near or "Tables: up, device, output, chat, weights, site.") in caught.value.evidence


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("TTCTL_UP_PROT", "Nearest: TTCTL_UP_PORT."),
        ("TTCTL_DEVICE", "Nearest: TTCTL_UP_DEVICE."),
        ("TTCTL_REGISTRI", "Nearest: TTCTL_REGISTRY."),
        ("TTCTL_XYZ", "ttctl config show --all names every setting."),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(BadFileError, match=name) as caught:
        layer_of_variables({name: "x"})
    assert caught.value.evidence == near
    assert caught.value.next_step == f"unset {name}"


def test_a_variable_with_a_wrong_value_is_named_with_what_is_allowed() -> None:
    with pytest.raises(BadFileError, match="TTCTL_UP_PORT") as caught:
        layer_of_variables({"TTCTL_UP_PORT": "x"})
    assert caught.value.why == "Allowed: a whole number from 1 to 65535."
    assert caught.value.evidence == "Found: x"


def test_variables_of_others_and_of_a_rendered_folder_are_left_alone() -> None:
    others = {"PATH": "/bin", "TTCTL_TEST_GATEWAY": "x", "TTCTL_GOLDEN": "write"}
    assert layer_of_variables({**others, **dict.fromkeys(OTHER_VARIABLES, "x")}) == {}


def test_the_first_layer_that_says_something_holds() -> None:
    low = {"up.port": FoundSetting(key="up.port", value=1, source="low")}
    high = {"up.port": FoundSetting(key="up.port", value=2, source="high")}
    assert strongest("up.port", ({}, high, low)) is high["up.port"]
    assert strongest("up.port", ({}, low)) is low["up.port"]
    assert strongest("output.color", ({}, low)).source == "default"


def test_what_is_typed_is_checked() -> None:
    assert typed(SETTINGS["up.port"], ("8001",)) == 8001
    assert typed(SETTINGS["site.wheelhouses"], ("/a", "/b")) == "/a\n/b"
    assert typed(SETTINGS["site.registry"], ("",)) == ""
    for key, words in (
        ("up.port", ("x",)),
        ("up.port", ("",)),
        ("up.port", ("1", "2")),
        ("site.registry", ("a", "b")),
    ):
        with pytest.raises(UsageError, match="cannot be") as caught:
            typed(SETTINGS[key], words)
        assert caught.value.why.startswith("Allowed: ")
        assert caught.value.next_step == f"ttctl config show {key}"


def test_a_wrong_value_that_is_typed_shows_no_password() -> None:
    with pytest.raises(UsageError) as caught:
        typed(SETTINGS["site.registry"], ("https://me:hidden@r.example.org",))
    assert "hidden" not in caught.value.message


def test_a_value_as_text_is_what_a_variable_would_say() -> None:
    assert [text_of(one) for one in (True, False, None, 5, 0.5, "x")] == [
        "1",
        "0",
        "",
        "5",
        "0.5",
        "x",
    ]
