# SPDX-License-Identifier: Apache-2.0
"""Are a person's settings found, with where they came from, and wrong ones told?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.adapters import places
from ttctl.adapters.settings import SITE_KEYS, site_settings
from ttctl.errors import BadFileError
from ttctl.model.site import Sourced

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_no_file_and_no_variable_set_nothing(config: Path) -> None:
    assert site_settings({}, config) == {}


def test_a_setting_of_the_file_names_the_file(config: Path) -> None:
    config.write_text("[site]\nregistry = 'r.example.org'\noffline = true\n", encoding="utf-8")
    assert site_settings({}, config) == {
        "registry": Sourced(value="r.example.org", source=str(config)),
        "offline": Sourced(value="1", source=str(config)),
    }


def test_a_switch_that_is_off_is_off(config: Path) -> None:
    config.write_text("[site]\noffline = false\n", encoding="utf-8")
    assert site_settings({}, config)["offline"].value == "0"


def test_a_variable_wins_over_the_file_even_when_it_is_empty(config: Path) -> None:
    config.write_text("[site]\nregistry = 'a'\ngit_mirror = 'b'\n", encoding="utf-8")
    found = site_settings({"TTCTL_REGISTRY": "", "TTCTL_GIT_MIRROR": "c"}, config)
    assert found["registry"] == Sourced(value="", source="TTCTL_REGISTRY")
    assert found["git_mirror"] == Sourced(value="c", source="TTCTL_GIT_MIRROR")


@pytest.mark.parametrize("key", SITE_KEYS)
def test_every_setting_can_be_a_variable(config: Path, key: str) -> None:
    assert site_settings({f"TTCTL_{key.upper()}": "x"}, config)[key].value == "x"


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        pytest.param(
            "[site]\nregistry = 'a'\nregsitry = 'b'\n",
            "line 3, key site.regsitry.[key]: Value error, unknown key 'regsitry'; did you mean"
            " 'registry'?",
            id="unknown, near to one",
        ),
        pytest.param("[site]\nzzz = 'b'\n", "unknown key 'zzz' (found", id="near to none"),
        pytest.param("[stie]\nregistry = 'b'\n", "line 1, key stie", id="unknown table"),
        pytest.param("[site]\n\nregistry = 5\n", "line 3, key site.registry", id="a number"),
        pytest.param("registry = 'b'\n", "line 1, key registry", id="outside of the table"),
    ],
)
def test_a_wrong_setting_is_told_with_line_and_key(config: Path, text: str, evidence: str) -> None:
    config.write_text(text, encoding="utf-8")
    with pytest.raises(BadFileError) as caught:
        site_settings({}, config)
    assert evidence in caught.value.evidence


def test_a_wrong_key_shows_no_password_of_the_others(config: Path) -> None:
    config.write_text(
        "[site]\nhttp_proxy = 'http://me:hidden@p.example.org'\nzzz = 'x'\n", encoding="utf-8"
    )
    with pytest.raises(BadFileError) as caught:
        site_settings({}, config)
    assert "hidden" not in caught.value.evidence


def test_folders_follow_the_xdg_variables_where_they_are_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert places.state({}) == tmp_path / ".local/state/ttctl"
    assert places.cache({}) == tmp_path / ".cache/ttctl"
    assert places.config({}) == tmp_path / ".config/ttctl/config.toml"
    given = {"XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "relative", "XDG_CONFIG_HOME": ""}
    assert str(places.state(given)) == "/s/ttctl"
    assert places.cache(given) == tmp_path / ".cache/ttctl"
    assert places.config(given) == tmp_path / ".config/ttctl/config.toml"


def test_what_is_shipped_is_found_in_a_checkout() -> None:
    assert (places.shipped() / "compose/services.toml").is_file()
    assert (places.shipped() / "images/base/image.toml").is_file()
    assert (places.catalog() / "sources.toml").is_file()
