# SPDX-License-Identifier: Apache-2.0
"""Do the readers for completion find what the real ones find?"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.golden.rendering import rendered

from ttctl.adapters import places
from ttctl.adapters.names import model_names, role_names, service_names, stack_names
from ttctl.adapters.roles import read_roles
from ttctl.adapters.store import StateFolder

if TYPE_CHECKING:
    from pathlib import Path

SPEC = '[[spec]]\nmodel = "{model}"\ndevice = "cpu"\n'


def test_every_model_and_alias_of_the_shipped_catalog_is_found_and_nothing_else() -> None:
    expected: list[str] = []
    folder = places.catalog()
    for path in (*sorted(folder.glob("*.toml")), *sorted(folder.glob("*/*.toml"))):
        for spec in tomllib.loads(path.read_text()).get("spec", ()):
            expected += [spec["model"], *spec.get("aliases", ())]
    assert expected
    assert model_names(places.catalog()) == tuple(dict.fromkeys(expected))


def test_a_changed_catalog_is_seen_at_once(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(SPEC.format(model="first"))
    assert model_names(tmp_path) == ("first",)
    file.write_text(SPEC.format(model="first") + SPEC.format(model="second"))
    assert model_names(tmp_path) == ("first", "second")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('[[spec]]\nmodel="a/b"\naliases=["c","d"]\n', id="close"),
        pytest.param("[[spec]]\nmodel = 'a/b'\naliases = ['c', \"d\"]\n", id="both quotes"),
        pytest.param(
            '[[spec]] # one\nmodel = "a/b" # "x"\naliases = [ # y\n  "c", # "z"\n  "d",\n]\n'
            '[spec.weights]\nmodel = "no"\n',
            id="many lines, comments, another table",
        ),
        pytest.param(
            'model = "no"\n[[spec]]\ndescription = "model = x"\nmodel = "a/b"\n'
            'aliases = ["c", "d"]\n[spec.limits]\nblock_size = 16\n',
            id="elsewhere",
        ),
    ],
)
def test_what_toml_may_look_like_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.toml").write_text(text)
    (spec,) = tomllib.loads(text)["spec"]
    assert model_names(tmp_path) == ("a/b", "c", "d") == (spec["model"], *spec["aliases"])


def test_stacks_are_those_of_the_store(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / "ttctl" / "stacks" / name / "rendered").mkdir(parents=True)
        (tmp_path / "ttctl" / "stacks" / name / "rendered" / "ttctl.lock").write_text("")
    (tmp_path / "ttctl" / "stacks" / "begun").mkdir()
    found = stack_names({"XDG_STATE_HOME": str(tmp_path)})
    assert found == StateFolder(tmp_path / "ttctl" / "stacks").stacks() == ("a", "b")


def test_services_are_those_that_are_rendered(tmp_path: Path) -> None:
    text = rendered()["compose.yaml"][0]
    folder = tmp_path / "ttctl" / "stacks" / "x" / "rendered"
    folder.mkdir(parents=True)
    (folder / "compose.yaml").write_text(text)
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    assert service_names(environ, "x") == tuple(yaml.safe_load(text)["services"])
    assert service_names(environ, "") == service_names(environ, "x")
    assert service_names(environ, "y") == ()


def test_roles_are_the_shipped_ones_and_the_users_own(tmp_path: Path) -> None:
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    own = places.config(environ).parent / "roles"
    own.mkdir(parents=True)
    (own / "pirate.md").write_text("Arr.")
    shipped = places.shipped() / "controller" / "talk" / "roles"
    expected = {role.name for role in read_roles(shipped, own)}
    assert "pirate" in expected
    assert set(role_names(environ)) == expected
