# SPDX-License-Identifier: Apache-2.0
"""Are a person's settings found, with where they came from, and wrong ones told?"""

from __future__ import annotations

import itertools
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from ttctl.adapters import places, settings_reader
from ttctl.adapters.settings import Settings
from ttctl.errors import BadFileError, PrivilegeError, UsageError
from ttctl.model.setting_rows import KEYS, variable_of
from ttctl.model.settings import SETTINGS, FoundSetting
from ttctl.model.site import Sourced

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Home:
    """A home folder with a project in it, and the settings that its user would get."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = folder / ".config/ttctl/config.toml"
        self.project = folder / "work/ttctl.toml"
        self.user.parent.mkdir(parents=True)
        self.project.parent.mkdir()
        self.environ = {"XDG_CONFIG_HOME": str(folder / ".config")}

    def settings(self, **values: Any) -> Settings:  # noqa: ANN401 - options
        options = {"folder": self.project.parent, "home": self.folder, **values}
        environ = {**self.environ, **options.pop("environ", {})}
        return Settings(environ, read=settings_reader.read_settings, **options)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def put_variable(home: Home) -> str:
    home.environ["TTCTL_UP_PORT"] = "1001"
    return "TTCTL_UP_PORT"


def put_project(home: Home) -> str:
    return str(write(home.project, "[up]\nport = 1002\n"))


def put_user(home: Home) -> str:
    return str(write(home.user, "[up]\nport = 1003\n"))


Layer = tuple["Callable[[Home], str]", int]
LAYERS: list[Layer] = [(put_variable, 1001), (put_project, 1002), (put_user, 1003)]


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        pytest.param(one, other, id=f"{one[0].__name__} over {other[0].__name__}")
        for one, other in itertools.combinations(LAYERS, 2)
    ],
)
def test_the_stronger_of_two_layers_holds(home: Home, stronger: Layer, weaker: Layer) -> None:
    weaker[0](home)
    source = stronger[0](home)
    found = home.settings().find("up.port")
    assert found == FoundSetting(key="up.port", value=stronger[1], source=source)


@pytest.mark.parametrize("layer", [pytest.param(one, id=one[0].__name__) for one in LAYERS])
def test_every_layer_holds_over_the_default(home: Home, layer: Layer) -> None:
    source = layer[0](home)
    assert home.settings().find("up.port").source == source
    assert home.settings().find("chat.max_tokens") == FoundSetting(
        key="chat.max_tokens", value=512, source="default"
    )


def test_what_nobody_set_has_no_value_and_no_source(home: Home) -> None:
    assert home.settings().find("up.port") == FoundSetting(key="up.port", value=None, source="")
    assert home.settings().site() == {}


def test_an_unknown_setting_is_refused_with_the_nearest(home: Home) -> None:
    with pytest.raises(UsageError, match=r"There is no setting 'up\.prot'") as caught:
        home.settings().find("up.prot")
    assert caught.value.evidence == "Nearest: up.port."


def test_the_flag_names_a_file_in_place_of_the_users(home: Home, tmp_path: Path) -> None:
    put_user(home)
    other = write(tmp_path / "other.toml", "[up]\nport = 1004\n")
    for found in (
        home.settings(named=str(other)),
        home.settings(environ={"TTCTL_CONFIG": str(other)}),
        home.settings(named=str(other), environ={"TTCTL_CONFIG": str(home.user)}),
    ):
        assert found.find("up.port") == FoundSetting(key="up.port", value=1004, source=str(other))


def test_a_named_file_that_is_not_there_is_refused(home: Home, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.toml")
    with pytest.raises(BadFileError) as caught:
        home.settings(named=missing).find("up.port")
    assert caught.value.why == "--config names it."
    with pytest.raises(BadFileError) as caught:
        home.settings(environ={"TTCTL_CONFIG": missing}).find("up.port")
    assert caught.value.why == "TTCTL_CONFIG names it."


def test_a_home_that_nobody_lets_us_look_into_is_said(home: Home) -> None:
    too_long = "/" + "x" * 300
    with pytest.raises(PrivilegeError, match="cannot be looked for") as caught:
        home.settings(environ={"XDG_CONFIG_HOME": too_long}).find("up.port")
    assert caught.value.why == "File name too long"


def test_everything_is_read_and_checked_on_demand(home: Home) -> None:
    home.settings().check()
    with pytest.raises(BadFileError, match="TTCTL_UP_PROT"):
        home.settings(environ={"TTCTL_UP_PROT": "1"}).check()
    write(home.project, "[up\n")
    home.settings().check_file_is_there()
    with pytest.raises(BadFileError, match="not valid TOML"):
        home.settings().check()
    with pytest.raises(BadFileError, match="There is no settings file"):
        home.settings(named="/nonexistent.toml").check_file_is_there()


def test_a_flag_without_its_file_is_refused(home: Home) -> None:
    with pytest.raises(UsageError, match="--config names no file"):
        home.settings(named="").find("up.port")


def test_the_null_device_is_a_file_that_sets_nothing(home: Home) -> None:
    put_user(home)
    assert home.settings(named=os.devnull).find("up.port").value is None


def test_the_nearest_project_file_is_found_from_within(home: Home) -> None:
    inner = home.project.parent / "a" / "b"
    inner.mkdir(parents=True)
    put_project(home)
    assert home.settings(folder=inner).project_file == home.project
    nearer = write(inner.parent / "ttctl.toml", "[up]\nport = 5\n")
    assert home.settings(folder=inner).find("up.port").source == str(nearer)


def test_no_project_file_above_the_home_folder_counts(home: Home, tmp_path: Path) -> None:
    write(tmp_path / "ttctl.toml", "[up]\nport = 5\n")
    inner = tmp_path / "people" / "me" / "work"
    inner.mkdir(parents=True)
    assert places.project(inner, inner.parent) is None
    assert places.project(inner, tmp_path) == tmp_path / "ttctl.toml"
    assert places.project(inner, tmp_path / "elsewhere") == tmp_path / "ttctl.toml"
    assert home.settings(folder=tmp_path).place(project=True).path == str(tmp_path / "ttctl.toml")


def test_a_folder_of_that_name_is_no_project_file(home: Home) -> None:
    home.project.mkdir()
    assert home.settings().project_file is None


def test_one_file_in_both_places_is_read_once(home: Home) -> None:
    put_project(home)
    found = home.settings(named=str(home.project))
    assert found.project_file is None
    assert found.find("up.port").value == 1002


def test_a_setting_of_the_file_names_the_file(home: Home) -> None:
    write(home.user, "[site]\nregistry = 'r.example.org'\noffline = true\n")
    assert home.settings().site() == {
        "registry": Sourced(value="r.example.org", source=str(home.user)),
        "offline": Sourced(value="1", source=str(home.user)),
    }


def test_a_switch_that_is_off_is_off(home: Home) -> None:
    write(home.user, "[site]\noffline = false\n")
    assert home.settings().site()["offline"].value == "0"


def test_an_empty_variable_of_the_site_wins_over_the_file(home: Home) -> None:
    write(home.user, "[site]\nregistry = 'a'\nhub_endpoint = 'https://b.example.org'\n")
    environ = {"TTCTL_REGISTRY": "", "TTCTL_HUB_ENDPOINT": "https://c.example.org"}
    found = home.settings(environ=environ).site()
    assert found["registry"] == Sourced(value="", source="TTCTL_REGISTRY")
    assert found["hub_endpoint"].value == "https://c.example.org"


def test_any_other_empty_variable_says_nothing(home: Home) -> None:
    put_user(home)
    environ = {"TTCTL_UP_PORT": "", "TTCTL_CHAT_SYSTEM": ""}
    found = home.settings(environ=environ)
    assert found.find("up.port").value == 1003
    assert found.find("chat.system").source == "TTCTL_CHAT_SYSTEM"


EXAMPLES = {
    "model": "llama",
    "stack": "mine",
    "device": "cpu",
    "number": "1.5",
    "seconds": "2.5",
    "switch": "yes",
    "text": "a text",
    "word": "pirate",
    "url": "https://m.example.org/simple",
    "urls": "https://m.example.org/a https://m.example.org/b",
    "proxy": "proxy.example.org:3128",
    "registry": "r.example.org:5000/mirror",
    "image": "r.example.org/vllm:1",
    "path": "/etc/ca.pem",
    "catalog": "built-in",
    "certificate": "/etc/cert.pem",
    "paths": "/wheels:/more",
    "exempt": "localhost, 10.0.0.0/8",
    "hosts": "one.example.org two.example.org:8080",
    "mirrors": "https://m.example.org/ https://h.example.org/=https://m.example.org/",
    "sources": "deb https://m.example.org/debian stable main",
}


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_can_be_a_variable(home: Home, key: str) -> None:
    setting = SETTINGS[key]
    text = (
        str(setting.allowed[-1])
        if setting.kind in {"choice", "integer"}
        else EXAMPLES[setting.kind]
    )
    found = home.settings(environ={variable_of(key): text}).find(key)
    assert found.source == variable_of(key)
    assert str(found.value) == {"yes": "True"}.get(text, text)


def test_paths_of_a_file_start_in_its_folder(home: Home) -> None:
    write(
        home.project,
        "[site]\nca_bundle = 'certs/ca.pem'\nvllm_requirements = '/r.txt'\n"
        "wheelhouses = ['wheels', '~/more', 'https://w.example.org/']\n",
    )
    found = home.settings().site()
    assert found["ca_bundle"].value == str(home.project.parent / "certs/ca.pem")
    assert found["vllm_requirements"].value == "/r.txt"
    assert found["wheelhouses"].value.splitlines() == [
        str(home.project.parent / "wheels"),
        str(home.folder / "more"),
        "https://w.example.org/",
    ]


@pytest.mark.parametrize("layer", ["project", "user"])
@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        pytest.param(
            "[site]\nregistry = 'a'\nregsitry = 'b'\n",
            "line 3, key site.regsitry: there is no such setting; nearest: site.registry",
            id="unknown, near to one",
        ),
        pytest.param(
            "[site]\nzzz = 'b'\n",
            "line 2, key site.zzz: there is no such setting; tables: up, device, output",
            id="near to none",
        ),
        pytest.param("[stie]\nx = 'b'\n", "line 1, key stie: there is no such", id="table"),
        pytest.param("[stie]\n", "nearest: [site]", id="near to a table"),
        pytest.param("[site]\n\nregistry = 5\n", "line 3, key site.registry", id="a number"),
        pytest.param(
            "registry = 'b'\n",
            "line 1, key registry: there is no such setting; nearest: site.reg",
            id="outside of its table",
        ),
        pytest.param("up = 5\n", "a table is needed here, [up]", id="no table"),
        pytest.param(
            "[up]\nport = '8000'\n",
            'line 2, key up.port: allowed: a whole number from 1 to 65535 (found "8000")',
            id="another type",
        ),
        pytest.param("[up]\nmax-model-len = 16\n", "nearest: up.max_model_len", id="dashes"),
        pytest.param("[up\n", "line 1", id="no TOML"),
    ],
)
def test_a_wrong_file_is_told_with_line_and_key(
    home: Home, layer: str, text: str, evidence: str
) -> None:
    path = write(home.project if layer == "project" else home.user, text)
    with pytest.raises(BadFileError) as caught:
        home.settings().find("up.model")
    assert str(path) in caught.value.evidence
    assert evidence in caught.value.evidence
    flag = " --project" if layer == "project" else ""
    assert caught.value.next_step == f"ttctl config edit{flag}"


def test_a_wrong_file_that_was_named_is_repaired_by_its_name(home: Home, tmp_path: Path) -> None:
    named = str(write(tmp_path / "a b.toml", "x = 1\n"))
    with pytest.raises(BadFileError) as caught:
        home.settings(named=named).find("up.port")
    assert caught.value.next_step == f"ttctl --config '{named}' config edit"


def test_no_more_than_three_faults_are_shown(home: Home) -> None:
    write(home.user, "[up]\na1 = 1\nb2 = 1\nc3 = 1\nd4 = 1\n")
    with pytest.raises(BadFileError) as caught:
        home.settings().find("up.port")
    assert len(caught.value.evidence.splitlines()) == 3


def test_a_file_that_cannot_be_read_is_refused(home: Home) -> None:
    home.user.write_bytes(b"\xff\xfe")
    with pytest.raises(BadFileError, match="cannot be read"):
        home.settings().find("up.port")


def test_a_wrong_value_shows_no_password(home: Home) -> None:
    write(home.user, "[site]\nregistry = 'https://me:hidden@p.example.org'\n")
    with pytest.raises(BadFileError) as caught:
        home.settings().find("up.port")
    assert "hidden" not in caught.value.evidence
    with pytest.raises(BadFileError) as caught:
        home.settings(environ={"TTCTL_REGISTRY": "https://me:hidden@p.example.org"}).find("up.port")
    assert "hidden" not in caught.value.evidence


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize(("mode", "refused"), [(0o777, True), (0o755, False)])
def test_a_file_that_another_user_laid_in_a_shared_folder_is_refused(
    home: Home, mode: int, *, refused: bool
) -> None:
    put_project(home)
    os.chown(home.project, 65534, 65534)
    home.project.parent.chmod(mode)
    if refused:
        with pytest.raises(BadFileError, match="belongs to another user"):
            home.settings().find("up.port")
    else:
        assert home.settings().find("up.port").value == 1002


def test_the_colour_is_found_without_parsing_what_does_not_name_it(home: Home) -> None:
    write(home.project, "[up]\nport = broken\n")
    assert home.settings().find_quickly("output.color").value == "auto"
    write(home.user, "[output]\ncolor = 'never'\n")
    with pytest.raises(BadFileError):
        home.settings().find_quickly("output.color")
    home.project.unlink()
    assert home.settings().find_quickly("output.color").value == "never"
    environ = {"TTCTL_OUTPUT_COLOR": "always"}
    assert home.settings(environ=environ).find_quickly("output.color").value == "always"


def test_the_readers_of_files_are_not_loaded_with_the_settings(tmp_path: Path) -> None:
    code = (
        "import sys; import ttctl.adapters.settings, ttctl.rules.settings; "
        "slow = {'tomllib', 'tomlkit', 'pydantic', 'asyncio', 'rich'} & set(sys.modules); "
        "sys.exit(str(slow) if slow else 0)"
    )
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0  # noqa: S606
    assert list(tmp_path.iterdir()) == []


def test_what_completion_reads_imports_nothing() -> None:
    code = (
        "import sys; import ttctl; before = set(sys.modules); import ttctl.model.setting_rows; "
        "new = set(sys.modules) - before - {'ttctl.model', 'ttctl.model.setting_rows'}; "
        "sys.exit(str(new) if new - {'__future__'} else 0)"
    )
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0  # noqa: S606


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
    assert places.config({"XDG_CONFIG_HOME": "/c"}) == places.Path("/c/ttctl/config.toml")
    assert places.config({"TTCTL_CONFIG": "~/x.toml"}) == tmp_path / "x.toml"


def test_a_current_folder_that_is_gone_has_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert places.current_folder() == places.Path("/")


def test_what_is_shipped_is_found_in_a_checkout() -> None:
    assert (places.shipped() / "compose/services.toml").is_file()
    assert (places.shipped() / "images/base/image.toml").is_file()
    assert (places.catalog() / "sources.toml").is_file()
