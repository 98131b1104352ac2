# SPDX-License-Identifier: Apache-2.0
"""Do the verbs of `models` show what the catalog says, in a screen's width, and fetch another?"""

from __future__ import annotations

import json
import os
import re
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.standins.catalog_server import CatalogServer, catalog_server
from tests.standins.exports import entry, export

from ttctl.cli.app import run_command
from ttctl.cli.door import split_flags, split_values
from ttctl.cli.model_text import ran_text
from ttctl.model.acceptance import RanOn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEWEST = "/tenstorrent/tt-inference-server/HEAD/release_model_spec.json"


class Shell:
    """A command line in a home folder of its own."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.err = ""

    def run(self, *words: str, exits: int = 0) -> str:
        rest, values = split_values(list(words))
        rest, flags = split_flags(rest)
        code = run_command(rest, flags, values)
        out, self.err = self.capsys.readouterr()
        assert code == exits, self.err + out
        return out

    def data(self, *words: str, exits: int = 0) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.run(*words, "--json", exits=exits))["data"]


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shell]:
    for name in [n for n in os.environ if n.startswith(("TTCTL_", "XDG_")) or "proxy" in n.lower()]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    yield Shell(capsys)
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[CatalogServer]:
    """Serve a mirror with one release that has one entry, and name it."""
    with catalog_server() as here:
        here.files[NEWEST] = export(entry("acme/New-1B", "N150"))
        monkeypatch.setenv("TTCTL_CATALOG_MIRROR", here.url("/"))
        yield here


def test_the_list_has_every_model_once_and_fits_a_screen(shell: Shell) -> None:
    out = shell.run("models", "ls")
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "  Llama-3.1-8B-Instruct" in out
    assert shell.err.startswith("catalog: release 0.20.0, built-in, 2026-08-14")
    data = shell.data("models", "ls")
    names = {one["model"].rpartition("/")[2] for one in data}
    assert len(data) == 231
    assert all(out.count(f"  {name}") for name in names)
    assert {"schema", "event", "text"} <= json.loads(shell.err).keys()


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--device", "n150"), 32),
        (("--engine", "forge"), 28),
        (("--type", "video"), 10),
        (("--status", "top_perf"), 0),
        (("--experimental", "--device", "p100"), 2),
        (("--task", "classification", "--device", "p150"), 1),
    ],
)
def test_filters_count_what_the_facts_count(
    shell: Shell, words: tuple[str, ...], count: int
) -> None:
    assert len(shell.data("models", "ls", *words)) == count
    assert shell.run("models", "ls", *words)


def test_what_is_known_not_to_work_is_marked_where_models_are_listed(shell: Shell) -> None:
    text = shell.run("models", "ls", "--device", "p300x2")
    line = next(one for one in text.splitlines() if "gpt-oss-120b" in one)
    assert "p300x2!" in line or "p300x2*!" in line
    assert (
        "! known not to work there, some only with one firmware; why:\n  ttctl models show " in text
    )
    assert max(map(len, text.splitlines())) <= 80
    found = {one["model"]: one for one in shell.data("models", "ls", "--device", "p300x2")}
    assert found["openai/gpt-oss-120b"]["known_bad"] == [
        "listed as broken upstream: it never becomes healthy"
    ]
    assert found["Tongyi-MAI/Z-Image-Turbo"]["known_bad"] == [
        "wedges the device on firmware 19.7.0 (with firmware ==19.7.0 only)"
    ]
    assert not found["meta-llama/Llama-3.1-8B-Instruct"]["known_bad"]
    page = shell.run("models", "show", "gpt-oss-120b", "--device", "p300x2")
    assert "it never becomes healthy (tenstorrent/tt-cli" in page


def test_what_is_known_not_to_work_is_marked_in_a_search_too(shell: Shell) -> None:
    assert "p300x2" in shell.run("models", "search", "gpt-oss-120b")
    assert "! known not to work there" in shell.run("models", "search", "gpt-oss-120b")
    assert "! known not to work there" in shell.run("models", "search", "gpt-oss-12b")
    [hit] = shell.data("models", "search", "gpt-oss-120b")
    bad = {one["device"] for one in hit["specs"] if one["known_bad"]}
    assert bad == {"p300x2"}
    assert "!" not in shell.run("models", "search", "whisper")


def test_a_search_finds_words_and_else_what_is_near_with_its_score(shell: Shell) -> None:
    exact = shell.data("models", "search", "qwen3", "embedding")
    assert {one["score"] for one in exact} == {100.0}
    assert all("Qwen3-Embedding" in one["model"] for one in exact)
    near = shell.data("models", "search", "Lamma-3.1-8B-Instrukt")
    assert near[0]["model"] == "meta-llama/Llama-3.1-8B-Instruct"
    assert 60 <= near[0]["score"] < 100
    assert "Near:" in shell.run("models", "search", "Lamma-3.1-8B-Instrukt")
    assert "no name is near" in shell.run("models", "search", "\x01\x02")


def test_a_page_shows_pins_needs_targets_and_what_is_known_against_it(shell: Shell) -> None:
    out = shell.run("models", "show", "Llama-3.1-8B-Instruct", "--device", "p150")
    rows = [line.split("  ", 1) for line in out.splitlines()]
    found = {row[0].strip(): row[1].strip() for row in rows if len(row) == 2}
    assert found["tt-metal"] == "c49bb76"
    assert found["recipe"].endswith("(inferred)")
    assert found["downloaded"] == "no"
    assert "900000000" in found["suspect"]
    assert "ms to the first token" in found["target"]
    assert found["targets from"].startswith("tenstorrent/tt-inference-server:")
    assert "n150 vllm COMPLETE" in found["other entries"]
    data = shell.data("models", "show", "Llama-3.1-8B-Instruct", "--device", "p150")
    assert data["spec"]["pins"]["inferred"]
    assert data["here"]


@pytest.mark.parametrize("word", ["llama", "Llama-3.1-8B", "qwen", "whisper"])
def test_a_page_is_of_the_entry_that_a_plan_takes(shell: Shell, word: str) -> None:
    page = shell.data("models", "show", word, "--device", "n300")
    plan = shell.data("plan", word, "--device", "n300")
    assert page["spec"]["id"] == plan["match"]["spec"]["id"]


def test_a_device_that_a_model_is_not_listed_for_is_refused_with_those_that_it_is(
    shell: Shell,
) -> None:
    shell.run("models", "show", "yolox_nano", "--device", "t3k", exits=7)
    assert "n150, p150" in shell.err


def test_first_validated_values_stand_beside_the_latest(shell: Shell) -> None:
    changed = next(one for one in shell.data("models", "ls") if one["changed"])
    words = ("models", "show", changed["model"], "--device", changed["device"], "--delta")
    assert "FIRST VALIDATED" in shell.run(*words)
    assert changed["changed"][0]["name"] in shell.run(*words)


def test_a_page_says_that_an_entry_did_not_run_on_a_card_yet(shell: Shell) -> None:
    words = ("models", "show", "Llama-3.1-8B-Instruct", "--device", "p150")
    assert re.search(r"^ran on +not yet run on a card$", shell.run(*words), re.MULTILINE)
    assert shell.data(*words)["ran"] == []
    assert "ran on" not in shell.run("models", "show", "demo-llama", "--device", "cpu")


def test_a_page_says_where_an_entry_ran_when_from_which_file_and_by_whose_word() -> None:
    run = RanOn(
        entry="x", model="acme/Small-1B", device="n150", date="2026-01-31", verdict="passed",
        reached="target", file="a.json", signer="SHA256:abc", signature="good", driver="2.0.0",
        firmware=("19.2.0.0",), contract="vllm-current", ttctl="0.1.0",
    )  # fmt: skip
    said = "n150, 2026-01-31, a.json: passed, tier target reached; signed by SHA256:abc"
    assert ran_text(run) == said
    moved = replace(run, reached="", same_pins=False, verdict="below target")
    assert "a.json: below target, with other pins than these; signed" in ran_text(moved)
    unchecked = replace(run, signature="not checked")
    assert ran_text(unchecked) == (
        "n150, 2026-01-31, a.json: signature not checked (ssh-keygen is not installed); it says: "
        "passed, tier target reached; signed by SHA256:abc"
    )
    other = replace(run, modified=True, ahead=True)
    assert "a.json: passed (by a modified ttctl, dated in the future), tier" in ran_text(other)


def test_raw_shows_keys_that_ttctl_does_not_know(
    shell: Shell, server: CatalogServer, tmp_path: Path
) -> None:
    file = tmp_path / "mine.json"
    file.write_bytes(server.files[NEWEST])
    words = ("models", "show", "New-1B", "--device", "n150", "--catalog", str(file))
    assert '"made_up_key": "kept"' in shell.run(*words, "--raw")
    assert "made_up_key" not in shell.run(*words)
    assert json.loads(shell.data(*words, "--raw")["raw"])["made_up_key"] == "kept"


def test_a_refreshed_catalog_is_used_by_every_verb_until_it_goes_back(
    shell: Shell, server: CatalogServer
) -> None:
    told = shell.data("models", "refresh")
    assert (told["outcome"], told["catalog"]["release"], told["entries"]) == (
        "fetched",
        "0.21.0",
        7,
    )
    assert "New-1B" in shell.run("models", "ls")
    assert "release 0.21.0" in shell.err
    assert "an hour ago" in shell.run("models", "refresh")
    assert len(server.asked) == 1
    assert shell.data("models", "refresh", "--refresh")["outcome"] == "unchanged"
    diff = shell.data("models", "diff", "built-in")
    assert diff["after"]["release"] == "0.21.0"
    assert {one["move"] for one in diff["moved"]} == {"added", "removed"}
    assert diff["same"] == 6
    assert "added    New-1B" in shell.run("models", "diff", "built-in", "0.21.0")
    assert "New-1B" not in shell.run("models", "ls", "--catalog", "built-in")
    shell.run("models", "refresh", "--built-in")
    assert "New-1B" not in shell.run("models", "ls")


def test_a_refresh_that_fails_says_so_and_exits_so_and_keeps_the_last_good_one(
    shell: Shell, server: CatalogServer
) -> None:
    server.faults[NEWEST] = "500"
    shell.run("models", "refresh", exits=8)
    server.faults.clear()
    shell.run("models", "refresh")
    server.faults[NEWEST] = "500"
    told = shell.data("models", "refresh", "--refresh", exits=8)
    assert (told["outcome"], told["exit_code"]) == ("kept", 8)
    assert "It answered 500" in told["failure"]
    assert "It answered 500" in shell.err
    assert "New-1B" in shell.run("models", "ls")


def test_an_entry_that_could_do_harm_is_named_and_the_rest_is_listed(
    shell: Shell, server: CatalogServer
) -> None:
    server.files[NEWEST] = export(
        entry("acme/New-1B", "N150"), entry("acme/Evil-1B", "N150", tt_metal_commit="a\nRUN rm")
    )
    assert shell.data("models", "refresh")["quarantined"] == 1
    assert "Evil-1B" not in shell.run("models", "ls")
    assert "not used: id_made-up_Evil-1B_n150: " in shell.err


def test_offline_refuses_what_needs_a_network_and_dry_run_asks_nobody(
    shell: Shell, server: CatalogServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = shell.data("models", "refresh", "--dry-run")
    assert (told["outcome"], server.asked) == ("would-ask", [])
    monkeypatch.setenv("TTCTL_CATALOG_MIRROR", "https://mirror.example.org/")
    shell.run("models", "refresh", "--offline", exits=8)
    assert "may not be asked for" in shell.err
    assert "ttctl models refresh release_model_spec.json" in shell.err


def test_a_refresh_takes_one_catalog_only(shell: Shell) -> None:
    shell.run("models", "refresh", "--built-in", "0.19.0", exits=2)
    assert "Typed: 0.19.0 and --built-in." in shell.err


def test_a_variable_a_flag_and_a_file_name_the_catalog_and_the_flag_wins(
    shell: Shell, server: CatalogServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.json").write_bytes(server.files[NEWEST])
    (tmp_path / "ttctl.toml").write_text('[site]\ncatalog = "a.json"\n')
    assert "New-1B" in shell.run("models", "ls")
    monkeypatch.setenv("TTCTL_CATALOG", "0.20.0")
    assert "New-1B" not in shell.run("models", "ls")
    assert "New-1B" in shell.run("models", "ls", f"--catalog={tmp_path / 'a.json'}")
    shell.run("models", "ls", "--catalog", exits=2)
    assert "names no catalog" in shell.err


def test_a_plan_fetches_the_catalog_that_its_address_names_and_a_list_does_not(
    shell: Shell, server: CatalogServer
) -> None:
    server.files["/mine.json"] = export(entry("acme/Mine-1B", "N150"))
    url = server.url("/mine.json")
    shell.run("models", "ls", "--catalog", url, exits=2)
    assert server.asked == []
    assert f"next:     ttctl models refresh {url}" in shell.err
    shell.run("plan", "no-such-model", "--catalog", url, exits=2)
    assert [path for path, _ in server.asked] == ["/mine.json"]
    assert "Mine-1B" in shell.run("models", "ls", "--catalog", url)


@pytest.mark.parametrize("verb", ["ls", "search"])
def test_the_help_of_a_list_says_that_it_is_of_every_device(shell: Shell, verb: str) -> None:
    said = " ".join(shell.run("models", verb, "--help").split())
    assert "Only what runs on this device type, such as n150 [default: on any]." in said
    assert "what is found" not in said


def test_the_help_says_what_a_size_is_without_the_line_before(shell: Shell) -> None:
    said = " ".join(shell.run("models", "ls", "--help").split())
    assert "--size As --cached, the largest first, with the free room." in said


@pytest.mark.parametrize("option", ["--port", "--with"])
def test_a_pull_takes_what_decides_about_weights_and_nothing_else(
    capsys: pytest.CaptureFixture[str], option: str
) -> None:
    words, values = split_values(["models", "pull", "llama", option, "8001"])
    assert run_command(*split_flags(words), values) == 2
    assert f"There is no option {option!r}." in capsys.readouterr().err
    words, values = split_values(["models", "pull", "--help"])
    assert run_command(*split_flags(words), values) == 0
    shown = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert shown == {
        "--name", "--project", "--project-name", "--device", "--task", "--experimental",
        "--engine", "--impl", "--dry-run", "--help",
    }  # fmt: skip
