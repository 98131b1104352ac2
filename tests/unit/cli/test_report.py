# SPDX-License-Identifier: Apache-2.0
"""Does `report` list before it writes, ask, keep to its promises, and pack nothing private?"""

from __future__ import annotations

import base64
import json
import shlex
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import typer
from tests.unit.fakes import Scene, at

from ttctl.cli import report as module
from ttctl.cli.session import Flags, Session
from ttctl.errors import UsageError
from ttctl.model.site import Site
from ttctl.model.spec import Request
from ttctl.operations.up import up

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.conftest import Typed

CANARIES = {
    "env file": "canary-of-the-env-file",
    "log line": "hf_canaryOfTheLogLine00",
    "settings": "canary/of the@settings",
    "token file": "canary-of-the-token-file",
    "key file": "c5" * 32,
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Session]:
    """Return what runs the command on a machine that a test makes up."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def with_words(scene: Scene, *words: str, **flags: bool) -> Session:
        session = Session(Flags(**flags))
        vars(session).update(world=scene.world, offline_world=scene.world)
        command = typer.main.get_command(module.app)
        command.main(list(words), "ttctl report", standalone_mode=False, obj=session)
        return session

    return with_words


def unpacked(file: Path) -> str:
    with tarfile.open(file) as archive:
        read = [(one.name, archive.extractfile(one)) for one in archive.getmembers()]
        return "\0".join(name + (data.read().decode() if data else "") for name, data in read)


def test_a_dry_run_lists_and_writes_nothing(
    run: Callable[..., Session], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run(Scene(), "--dry-run")
    out = capsys.readouterr().out
    assert out.startswith("Would be in it:\n  README.txt  ")
    assert "  versions.json  " in out
    assert not list(tmp_path.glob("*.gz"))


def test_with_consent_it_is_listed_then_written_and_says_how_to_look_into_it(
    run: Callable[..., Session], capsys: pytest.CaptureFixture[str]
) -> None:
    run(Scene(), "-o", "r.tar.gz", yes=True)
    out, err = capsys.readouterr()
    assert "  versions.json  " in err
    assert "look      tar -xOzf r.tar.gz ttctl-report/README.txt\n" in out
    assert "ttctl-report/README.txt" in unpacked(Path("r.tar.gz"))


def test_where_nobody_can_be_asked_nothing_is_gathered(run: Callable[..., Session]) -> None:
    with pytest.raises(UsageError, match="consent") as caught:
        run(Scene(), "llama", "-o", "a b")
    assert caught.value.next_step == "ttctl report llama -o 'a b' --yes"
    assert not Path("a b").exists()


def test_a_no_writes_nothing(
    run: Callable[..., Session],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal:
        closed = False

        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return "n\n"

    monkeypatch.setattr("sys.stdin", Terminal())
    run(Scene(), "-o", "r")
    out, err = capsys.readouterr()
    assert err.index("versions.json") < err.index("Write these to r?")
    assert out == "Nothing was written.\n"
    assert not Path("r").exists()


def test_another_file_is_refused_before_anything_is_gathered(run: Callable[..., Session]) -> None:
    Path("mine").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        run(Scene(), "-o", "mine", yes=True)
    assert Path("mine").read_text() == "mine"
    run(Scene(), "-o", "mine", "--force", yes=True)
    assert tarfile.is_tarfile("mine")


def test_the_answer_for_programs_is_one_envelope(
    run: Callable[..., Session], capsys: pytest.CaptureFixture[str]
) -> None:
    run(Scene(), "-o", "r", yes=True, as_json=True)
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "ttctl.report/1"
    assert (answer["data"]["file"], answer["data"]["written"]) == ("r", True)
    assert answer["data"]["size_bytes"] == Path("r").stat().st_size


def test_a_machine_without_an_engine_and_with_a_spoiled_lock_gets_its_report(
    typed: Typed, tmp_path: Path
) -> None:
    lock = tmp_path / "XDG_STATE_HOME/ttctl/stacks/llama/rendered/ttctl.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("{ damaged")
    file = tmp_path / "r"
    code, out, _ = typed(f"report -o {shlex.quote(str(file))} --yes")
    assert code == 0
    assert "not had   ps.json: No container engine answers." in out
    assert "not had   stacks/llama/plan.json: " in out
    packed = unpacked(file)
    assert "stacks/llama/ttctl.lock{ damaged" in packed
    assert "none answers" in packed


def test_no_canary_of_any_place_is_in_the_archive(
    run: Callable[..., Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state/ttctl/stacks/llama"
    for name, text in {
        "rendered/.env": f"MY_TOKEN='{CANARIES['env file']}'\n",
        "secrets/api-key": CANARIES["key file"] + "\n",
    }.items():
        (state / name).parent.mkdir(parents=True, exist_ok=True)
        (state / name).write_text(text)
    (tmp_path / "token").write_text(CANARIES["token file"])
    proxy = f"http://someone:{quote(CANARIES['settings'], safe='')}@proxy.example.org:1"
    monkeypatch.setenv("USER", "lovelace")
    monkeypatch.setenv("HOSTNAME", "difference-engine")
    config = f"{tmp_path}/config.toml"
    token = at(f"{tmp_path}/token", config)
    scene = Scene(site=Site(https_proxy=at(proxy, config), token_file=token))
    up(scene.world, Request(model="llama"))
    names = f"/home/lovelace {tmp_path}/x lovelace difference-engine"
    everything = " ".join(CANARIES.values())
    for one in scene.engine.states.values():
        scene.engine.logs[one.container_id] = (
            f"it was {CANARIES['log line']} in {proxy}",
            json.dumps({"said": json.dumps(everything)}) + names,
            quote(everything) + " " + base64.b64encode(everything.encode()).decode(),
        )
    folder = str(scene.store.folder("llama"))
    scene.store.rendered[folder][".env"] = ((state / "rendered/.env").read_text(), False)
    run(scene, "-o", "r", yes=True)
    packed = unpacked(tmp_path / "r")
    assert "logs/vllm.log" in packed
    assert '"source": "~/config.toml"' in packed
    for name, secret in CANARIES.items():
        raw = secret.encode()
        coded = {base64.b64encode(b"\0" * pad + raw).decode()[(0, 2, 3)[pad] :] for pad in range(3)}
        hidden = {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}
        for writing in hidden | {one.rstrip("=")[:-1] for one in coded}:
            assert writing not in packed, (name, writing)
    for word in ("lovelace", "difference-engine", str(tmp_path)):
        assert word not in packed
