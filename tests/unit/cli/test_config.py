# SPDX-License-Identifier: Apache-2.0
"""Do the verbs of `config` show and change what they should, and nothing else?"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.standins.terminal import Terminal

from ttctl.cli.app import run_command
from ttctl.cli.chat import begun
from ttctl.cli.door import split_values
from ttctl.cli.session import Session, flags_of
from ttctl.model.setting_rows import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
SITE = ("PIP_", "HTTP", "http", "NO_PROXY", "no_proxy", "TTCTL_", "XDG_", "HF_", "ALL_", "all_")
SITE += ("SSL_", "REQUESTS_", "CURL_", "VISUAL", "EDITOR")


class Place:
    """A home folder with a project, and a command line in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.user = folder / ".config/ttctl/config.toml"
        self.project = folder / "work/ttctl.toml"
        self.capsys = capsys

    def run(self, *words: str, exits: int = 0, **flags: Any) -> str:  # noqa: ANN401 - flags
        values = {"config": flags.pop("config")} if "config" in flags else {}
        code = run_command(["config", *words], frozenset(flags), values)
        self.out, self.err = self.capsys.readouterr()
        assert code == exits, self.err
        return self.out

    def data(self, *words: str, **flags: Any) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.run(*words, as_json=True, **flags))["data"]

    def rows(self, *words: str) -> dict[str, tuple[Any, str]]:
        return {one["key"]: (one["value"], one["source"]) for one in self.data("show", *words)}


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Place]:
    for name in [name for name in os.environ if name.startswith(SITE)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP)}
    yield Place(tmp_path, capsys)
    for one, handler in before.items():
        signal.signal(one, handler)


def test_what_somebody_set_is_shown_with_its_source(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.run("set", "up.port", "8001")
    place.run("set", "up.max_num_seqs", "4", "--project")
    monkeypatch.setenv("TTCTL_CHAT_TEMPERATURE", "0.5")
    made = {key: one for key, one in place.rows().items() if not key.startswith("site.")}
    assert made == {
        "up.port": (8001, str(place.user)),
        "up.max_num_seqs": (4, str(place.project)),
        "chat.temperature": (0.5, "TTCTL_CHAT_TEMPERATURE"),
    }
    rows = [line.split() for line in place.run("show").splitlines()]
    assert ["up.port", "8001", str(place.user)] in rows


def test_all_shows_every_setting_that_there_is(place: Place) -> None:
    found = place.rows("--all")
    assert list(found) == list(KEYS)
    assert found["up.wait_timeout"] == (None, "")
    assert found["up.model"] == (None, "")


def test_plain_config_is_config_show(place: Place) -> None:
    place.run("set", "up.port", "8001")
    assert place.run() == place.run("show")


def test_one_setting_or_one_table_can_be_shown(place: Place) -> None:
    assert list(place.rows("up.port")) == ["up.port"]
    assert list(place.rows("chat")) == [key for key in KEYS if key.startswith("chat.")]
    place.run("show", "up.prot", exits=2)
    assert "Nearest: up.port." in place.err


def test_nothing_that_is_set_says_what_could_be(place: Place) -> None:
    out = place.run("show", config=os.devnull)
    assert "site." in out or "ttctl config show --all" in out


def test_get_prints_the_value_alone(place: Place) -> None:
    place.run("set", "up.port", "8001")
    place.run("set", "site.wheelhouses", "/a", "/b")
    assert place.run("get", "up.port") == "8001\n"
    assert place.run("get", "site.wheelhouses") == "/a\n/b\n"
    assert place.run("get", "up.model") == ""
    assert place.run("get", "output.color") == "auto\n"
    place.run("get", "port", exits=2)
    assert "Nearest: up.port." in place.err


def test_passwords_are_shown_nowhere(place: Place) -> None:
    shown = place.run("set", "site.https_proxy", "http://me:hidden@p.example.org:1")
    shown += place.run("set", "site.pip_index_url", "https://me:hidden@i.example.org", "--project")
    shown += place.err
    assert "keep it out of version control" in place.err
    for words in (["show"], ["show", "--all"], ["get", "site.https_proxy"], ["site"], []):
        shown += place.run(*words) + place.err
        shown += place.run(*words, as_json=True) + place.err
    shown += place.run("set", "site.registry", "https://me:hidden@r", exits=2) + place.err
    shown += place.run("unset", "site.https_proxy", "--dry-run") + place.err
    shown += place.run("unset", "site.https_proxy") + place.err
    assert "hidden" not in shown
    assert "http://***@p.example.org:1" in shown
    assert "hidden" in place.project.read_text()
    assert place.project.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "variable", ["HTTP_PROXY", "HTTPS_PROXY", "HF_ENDPOINT", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"]
)
def test_a_password_with_a_blank_in_it_is_shown_nowhere(
    place: Place, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://me:hid den@h.example.org:1")
    shown = place.run("site") + place.run("site", as_json=True) + place.run("show")
    assert variable in shown
    assert not {"me:hid", "den@"} & set(shown.replace("/", " ").split())
    assert "me:hid" not in shown


@pytest.mark.parametrize(
    "key", ["site.http_proxy", "site.registry", "up.model", "site.git_mirror", "site.no_proxy"]
)
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_refusal_shows_no_password_with_a_blank_in_it(
    place: Place, key: str, scheme: str
) -> None:
    out = place.run("set", key, f"{scheme}me:hid den@h:1", exits=2)
    assert "cannot be" in place.err
    assert "hid" not in out + place.err


def test_comments_stay_when_a_setting_comes_and_goes(place: Place) -> None:
    text = "# mine\n[up]  # of this project\nport = 1  # why\n\n# the end\n"
    place.project.write_text(text)
    place.run("set", "up.port", "2", "--project")
    assert place.project.read_text() == text.replace("port = 1", "port = 2")
    place.run("unset", "up.port", "--project")
    assert place.project.read_text() == text.replace("port = 1  # why\n", "")


def test_a_dry_run_shows_the_difference_and_writes_nothing(place: Place) -> None:
    out = place.run("set", "up.port", "8001", "--dry-run")
    assert "+port = 8001" in out
    assert not place.user.exists()
    assert place.data("set", "up.port", "8001", "--dry-run")["dry_run"] is True
    place.run("set", "up.port", "8001")
    assert "-port = 8001" in place.run("unset", "up.port", "--dry-run")
    assert place.run("get", "up.port") == "8001\n"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param("[up]\nprot = 3\n", "up.prot", id="no setting"),
        pytest.param('[up]\nport = "8001"\n', "up.port", id="another type"),
        pytest.param("other = 1\n[up]\n", "other", id="no table"),
        pytest.param("[up]\n[upp]\nport = 1\n", "upp", id="a table"),
    ],
)
def test_a_key_that_makes_a_file_wrong_can_be_unset(place: Place, text: str, key: str) -> None:
    place.project.write_text(text)
    place.run("show", exits=9)
    if '"' in text:
        assert 'found "8001"' in place.err
    place.run("unset", key, "--project")
    assert place.project.read_text() == "[up]\n"
    place.run("unset", "up.prot", "--project", exits=2)


def test_a_port_that_nobody_set_is_shown_as_it_will_be_used(place: Place) -> None:
    assert place.run("get", "up.port") == "8000\n"
    assert place.rows("--all")["up.port"] == (8000, "default")
    assert "up.port" not in place.rows()


def test_what_is_not_set_can_be_unset(place: Place) -> None:
    assert place.run("unset", "up.port") == f"{place.user}: nothing to change\n"
    assert not place.user.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["up.port", "0"], "Allowed: a whole number from 1 to 65535.", id="range"),
        pytest.param(["up.prot", "1"], "Nearest: up.port.", id="key"),
        pytest.param(["up.port", "1", "2"], "cannot be '1 2'", id="two"),
    ],
)
def test_what_is_wrong_is_not_written(place: Place, words: list[str], said: str) -> None:
    place.run("set", *words, exits=2)
    assert said in place.err
    assert not place.user.exists()


def test_a_file_that_does_not_parse_is_never_overwritten(place: Place) -> None:
    place.project.write_text("[up\n")
    for words in (["set", "up.port", "1"], ["unset", "up.port"]):
        place.run(*words, "--project", exits=9)
        assert f"{place.project}, line 1" in place.err
        assert "ttctl config edit --project" in place.err
    assert place.project.read_text() == "[up\n"
    place.run("show", exits=9)
    assert place.run("path") == f"{place.user}\n"


def test_a_stronger_source_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTCTL_UP_PORT", "9000")
    place.run("set", "up.port", "8001")
    assert place.err == "TTCTL_UP_PORT is stronger: up.port is 9000 here.\n"


@pytest.mark.parametrize("key", ["site.ca_bundle", "site.vllm_requirements"])
def test_a_file_that_is_not_there_is_not_set(place: Place, key: str) -> None:
    place.run("set", key, "/nonexistent.pem", exits=2)
    assert "Found: No such file or directory." in place.err
    assert "next:     ls -l /nonexistent.pem" in place.err
    place.run("set", key, "")
    assert place.user.read_text().endswith(' = ""\n')


def test_a_bundle_without_a_certificate_is_not_set(place: Place) -> None:
    (place.project.parent / "ca.pem").write_text("none")
    place.run("set", "site.ca_bundle", "ca.pem", exits=2)
    assert "Found: no certificate." in place.err
    assert not place.user.exists()


def test_paths_are_stored_whole_or_beside_the_projects_file(place: Place) -> None:
    (place.project.parent / "certs").mkdir()
    for name in ("ca.pem", "certs/ca.pem"):
        (place.project.parent / name).write_text("-----BEGIN CERTIFICATE-----\n")
    place.run("set", "site.ca_bundle", "ca.pem")
    assert str(place.project.parent / "ca.pem") in place.user.read_text()
    place.run("set", "site.ca_bundle", "certs/ca.pem", "--project")
    assert 'ca_bundle = "certs/ca.pem"' in place.project.read_text()
    expected = f"{place.project.parent / 'certs/ca.pem'}\n"
    assert place.run("get", "site.ca_bundle") == expected


def test_the_flag_names_the_file_that_is_shown_and_changed(place: Place, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    place.run("set", "up.port", "8001", config=str(other))
    assert other.read_text() == "[up]\nport = 8001\n"
    assert place.run("get", "up.port", config=str(other)) == "8001\n"
    assert place.run("get", "up.port") == "8000\n"
    place.run("get", "up.port", config=str(tmp_path / "none.toml"), exits=9)
    place.run("get", "up.port", config="", exits=2)


def test_the_paths_of_both_files_are_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.run("path") == f"{place.user}\n"
    assert place.run("path", "--project") == f"{place.project}\n"
    assert place.data("path") == {"layer": "user", "path": str(place.user), "exists": False}
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    assert place.run("path") == "/c/ttctl/config.toml\n"


def test_the_site_shows_what_is_not_set_on_demand(place: Place) -> None:
    place.run("set", "site.registry", "r.example.org")
    found = {one["name"]: one["source"] for one in place.data("site")}
    assert found["registry"] == str(place.user)
    assert "" not in found.values()
    every = {one["name"] for one in place.data("site", "--all")}
    assert every == {key.removeprefix("site.") for key in KEYS if key.startswith("site.")}


def editor(tmp_path: Path, code: str) -> str:
    path = tmp_path / "editor"
    path.write_text(f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\n{code}\n")
    path.chmod(0o755)
    return str(path)


def edits(place: Place, tmp_path: Path, *words: str, **environ: str) -> Terminal:
    """Start `config edit --project` at a terminal."""
    fixed = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "ttctl.cli.main", *words, "config", "edit", "--project"]
    return Terminal(command, cwd=place.project.parent, environ=fixed | environ)


def test_the_editor_changes_the_file(place: Place, tmp_path: Path) -> None:
    code = "Path(sys.argv[1]).write_text('[up]\\nport = 8001  # edited\\n')"
    with edits(place, tmp_path, EDITOR=editor(tmp_path, code)) as terminal:
        terminal.see("+port = 8001  # edited")
        assert terminal.ends() == 0
    assert place.project.read_text() == "[up]\nport = 8001  # edited\n"


def test_off_a_terminal_no_editor_is_opened(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", editor(tmp_path, "Path(sys.argv[1]).write_text('[up]')"))
    for flags in ({}, {"yes": True}, {"as_json": True}):
        place.run("edit", "--project", exits=2, **flags)
        assert "An editor needs a terminal." in place.err + place.out
        assert "ttctl config set --help" in place.err + place.out
    assert not place.project.exists()


def test_at_a_terminal_programs_get_no_editor_either(place: Place, tmp_path: Path) -> None:
    with edits(place, tmp_path, "--json", EDITOR="false") as terminal:
        terminal.see("An editor needs a terminal.")
        assert terminal.ends() == 2


def test_a_wrong_edit_keeps_the_old_file_and_with_yes_nobody_is_asked(
    place: Place, tmp_path: Path
) -> None:
    place.project.write_text("[up]\nport = 1\n")
    code = "Path(sys.argv[1]).write_text('[up]\\nprot = 1\\n')"
    with edits(place, tmp_path, "--yes", EDITOR=editor(tmp_path, code)) as terminal:
        terminal.see("nearest: up.port")
        assert terminal.ends() == 9
    assert place.project.read_text() == "[up]\nport = 1\n"


def test_an_editor_that_fails_is_replaced_for_the_same_file(place: Place, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    Path(editor(tmp_path, "")).rename(tmp_path / "bin" / "nano")
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    with edits(place, tmp_path, VISUAL="false", EDITOR="vi", PATH=path) as terminal:
        terminal.see("VISUAL=nano ttctl config edit --project")
        assert terminal.ends() == 1


@pytest.mark.parametrize(("answer", "expected"), [("y", "port = 2"), ("n", "port = 1")])
def test_on_a_terminal_a_wrong_edit_can_be_put_right(
    place: Place, tmp_path: Path, answer: str, expected: str
) -> None:
    place.project.write_text("[up]\nport = 1\n")
    code = (
        "file = Path(sys.argv[1]); text = file.read_text()\n"
        "file.write_text(text.replace('port = 1', 'port = x').replace('prot = x', 'port = 2')"
        ".replace('port = x', 'prot = x'))"
    )
    with edits(place, tmp_path, EDITOR=editor(tmp_path, code)) as terminal:
        terminal.see("Edit again? [y/N]")
        terminal.type(f"{answer}\n")
        assert terminal.ends() == (0 if answer == "y" else 9)
    assert place.project.read_text() == f"[up]\n{expected}\n"


@pytest.mark.parametrize(
    ("arguments", "words", "values"),
    [
        (["--config", "a", "ps"], ["ps"], {"config": "a"}),
        (["ps", "--config=a"], ["ps"], {"config": "a"}),
        (["--config=a", "ps", "--config", "b"], ["ps"], {"config": "b"}),
        (["ps", "--config"], ["ps"], {"config": ""}),
        (["ps", "--config="], ["ps"], {"config": ""}),
        (["exec", "x", "--", "--config", "a"], ["exec", "x", "--", "--config", "a"], {}),
        (["config", "--configure=a"], ["config", "--configure=a"], {}),
        ([], [], {}),
    ],
)
def test_global_flags_with_a_value_stand_anywhere(
    arguments: list[str], words: list[str], values: dict[str, str]
) -> None:
    assert split_values(arguments) == (words, values)


@pytest.mark.parametrize(
    ("text", "flags", "coloured"),
    [
        pytest.param("[output]\ncolor = 'always'\n", {}, True, id="always"),
        pytest.param("[output]\ncolor = 'always'\n", {"no_color"}, False, id="the flag wins"),
        pytest.param("[output]\ncolor = 'never'\n", {}, False, id="never"),
        pytest.param("[output]\ncolor = 'auto'\n", {}, False, id="auto, and no terminal"),
        pytest.param("[output]\ncolor = 'pink'\n", {}, False, id="wrong, and still it prints"),
    ],
)
def test_colours_are_a_setting(place: Place, text: str, flags: set[str], *, coloured: bool) -> None:
    place.project.write_text(text)
    console = Session(flags_of(flags, {})).console
    assert (console.out.paint("x", "good") != "x") is coloured


def test_a_program_gets_no_colour_whatever_is_set(place: Place) -> None:
    place.project.write_text("[output]\ncolor = 'always'\n")
    console = Session(flags_of({"as_json"}, {})).console
    assert console.out.paint("x", "good") == "x"


def test_a_conversation_begins_as_the_settings_say(place: Place) -> None:
    place.project.write_text(
        "[chat]\nmax_tokens = 64\ntemperature = 0.5\nsystem = 'In verse.'\n", encoding="utf-8"
    )
    session = Session(flags_of((), {}))
    talk = begun(session, "small", own_words=False)
    assert (talk.max_tokens, talk.temperature, talk.system) == (64, 0.5, "In verse.")
    assert begun(session, "small", own_words=True).system == ""


def test_a_role_of_the_settings_comes_before_their_words(place: Place) -> None:
    role = Session(flags_of((), {})).world.shelf.roles()[0]
    place.project.write_text(f"[chat]\nrole = '{role.name}'\nsystem = 'In verse.'\n")
    talk = begun(Session(flags_of((), {})), "small", own_words=False)
    assert (talk.role, talk.system) == (role.name, role.text)
