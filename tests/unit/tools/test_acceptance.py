# SPDX-License-Identifier: Apache-2.0
"""Does `make device` refuse where there is no card, and say what it found where there is one?"""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.standins.accepting_api import KEY, AcceptingApi
from tests.unit.accepted import RAN, ran

from tools.acceptance import asked, lines, main, requested
from ttctl.adapters.acceptance_place import LocalKit
from ttctl.adapters.hardware import KeptResults
from ttctl.errors import BadFileError
from ttctl.model.acceptance_kit import Accepted, Question
from ttctl.model.tls import At
from ttctl.rules.acceptance_private import leaks

ROOT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TTCTL_DEVICE_ROOT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def local_kit(home: Path, **changes: Path) -> LocalKit:
    return LocalKit(
        {},
        checkout=changes.get("checkout", ROOT),
        state=home / "state",
        results=home / "results",
        device_root="/",
        key=changes.get("key"),
    )


@pytest.mark.skipif(Path("/dev/tenstorrent").is_dir(), reason="there is a card here")
def test_without_a_card_the_exit_code_is_3_and_nothing_is_written(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo-llama", "--out", str(home / "results")]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "There is no Tenstorrent card" in err
    assert list(home.rglob("*.json")) == []
    assert not (home / ".local" / "state" / "ttctl" / "acceptance").exists()


def test_cards_of_a_made_up_tree_are_refused_with_3(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTCTL_DEVICE_ROOT", str(home))
    assert main(["demo-llama", "--out", str(home / "results")]) == 3
    assert "were made up" in capsys.readouterr().err


def test_what_was_found_is_told_with_the_file_and_what_to_do_with_it(tmp_path: Path) -> None:
    accepted = Accepted(ran=RAN, file=tmp_path / "x.json", details=(("vllm: user", "wanted 1"),))
    told = list(lines(accepted))
    assert told[0] == "acme/Small-1B on n150: passed"
    assert "checks    3 of 3 passed" in told
    assert "  vllm: user: wanted 1" in told
    assert "speed     text 128/128 x 1 ttft_ms 25.500, target 26: met" in told
    assert "tier      target reached" in told
    assert told[-2] == f"result    {tmp_path / 'x.json'}"


def test_a_failed_run_and_a_modified_ttctl_are_told_as_such(tmp_path: Path) -> None:
    dirty = replace(RAN.build, modified=True)
    accepted = Accepted(
        ran=ran(verdict="failed", build=dirty), file=tmp_path / "x.json", details=()
    )
    told = list(lines(accepted))
    assert told[0] == "acme/Small-1B on n150: failed (by a modified ttctl)"
    assert not [line for line in told if line.startswith("tier ")]


def test_a_kit_signs_what_it_keeps_and_its_words_are_those_of_the_machine(home: Path) -> None:
    kit = local_kit(home)
    kit.ready()
    path = kit.keep(RAN)
    (kept,) = KeptResults(home / "results").all()
    assert (kept.signature, path.name) == ("good", kept.file)
    place = kit.place()
    words = [one for one in place.private if len(one) > 5]
    assert words
    assert leaks(ran(model=f"of {words[0]}"), place.private)
    assert place.device_root == "/"


def test_a_checkout_is_told_by_its_commit_and_whether_it_was_changed(
    home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "checkout"
    git = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / "a").write_text("1")
    subprocess.run([*git, "add", "a"], check=True)
    subprocess.run([*git, "commit", "-qm", "a"], check=True)
    kit = local_kit(home, checkout=folder)
    first = kit.place().build
    assert len(first.commit) == 40
    assert not first.modified
    (folder / "a").write_text("2")
    assert kit.place().build.modified
    assert local_kit(home, checkout=tmp_path / "none").place().build.commit == ""


def test_a_key_that_does_not_sign_is_refused_before_anything_starts(home: Path) -> None:
    key = home / "key"
    key.write_text("no key")
    with pytest.raises(BadFileError, match="does not sign"):
        local_kit(home, key=key).ready()


def test_a_kits_client_asks_the_port_of_loopback(home: Path) -> None:
    with AcceptingApi("x") as api:
        client = local_kit(home).client(At(port=api.port))
        answer = client.ask(Question(path="/v1/models"), key=KEY, limit_s=10)
    assert answer.status == 200


def test_device_and_boards_are_passed_on_to_the_request() -> None:
    words = [
        "llama",
        "--device",
        "N150",
        "--board",
        "0000:01:00.0",
        "--board",
        "/dev/tenstorrent/3",
    ]
    request = requested(asked(words))
    assert (request.model, request.device, request.unattended) == ("llama", "n150", True)
    assert request.boards == ("0000:01:00.0", "/dev/tenstorrent/3")
    plain = requested(asked(["llama"]))
    assert (plain.device, plain.boards) == (None, ())


def test_a_device_that_is_none_is_refused_before_anything_is_looked_at(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        asked(["llama", "--device", "n15"])
    assert caught.value.code == 2
    assert "there is no device 'n15'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param((), ["llama"], id="the machine's own device"),
        pytest.param(("DEVICE=n150",), ["llama", "--device", "n150"], id="a device"),
        pytest.param(
            ("DEVICE=n300", "BOARD=0000:01:00.0 /dev/tenstorrent/3"),
            [
                "llama", "--device", "n300", "--board", "0000:01:00.0",
                "--board", "/dev/tenstorrent/3",
            ],
            id="two boards",
        ),
    ],
)  # fmt: skip
def test_make_device_tries_the_same_as_what_is_looked_at_afterwards(
    given: tuple[str, ...], words: list[str]
) -> None:
    line = ["make", "-n", "--no-print-directory", "-o", "setup-dev", "-o", "engine", "device"]
    line += ["MODEL=llama", *given]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    tried, after = (shlex.split(one) for one in done.stdout.splitlines()[-2:])
    assert tried[1:3] == ["-m", "tools.acceptance"]
    assert tried[3:] == words
    name, _, told = after[0].partition("=")
    assert shlex.split(told) == words
    # ttctl ends with 9 at a variable of its own prefix that it does not know.
    assert not name.startswith("TTCTL_")
    assert name in (ROOT / "tests" / "device" / "test_accepted.py").read_text(encoding="utf-8")
