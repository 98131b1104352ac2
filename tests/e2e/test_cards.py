# SPDX-License-Identifier: Apache-2.0
"""Does `ttctl up` serve a catalog entry on a card: from the registry to an answer, on own boards?

The machine is made up, its nodes are real ones that no driver answers for, and the images are
stand-ins that check what the real ones read and need. Not yet run on a card.
"""

from __future__ import annotations

import secrets
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.driver import Ran, Ttctl, docker, free_port
from tests.e2e.made_machine import lay_over, made_machine, serve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.docker

MODEL = "meta-llama/Llama-3.1-8B-Instruct"
SECOND = "meta-llama/Llama-3.2-1B-Instruct"
LIMIT_S = 240
IMAGE = "/v1/images/generations"
ENTRIES = [
    pytest.param("meta-llama/Llama-3.2-1B-Instruct", "n300", "0.11.1", "", id="current"),
    pytest.param("openai/whisper-large-v3", "n300", "0.17.0", "", id="media"),
    pytest.param(
        "stabilityai/stable-diffusion-xl-base-1.0", "n300", "0.11.1", IMAGE, id="media with a key"
    ),
    pytest.param("Qwen/Qwen3-Embedding-4B", "n300", "0.20.0", "", id="forge"),
]
"""Model, device, release of the image, and a path that is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """A machine with cards, a registry and a hub; and ttctl on it."""

    ttctl: Ttctl
    registry: str
    mark: str
    """What the names of all stacks here begin with, since the engine is everybody's."""

    def name(self, stack: str) -> str:
        return f"{self.mark}-{stack}"

    def engine(self, stack: str, engine: str = "vllm") -> str:
        return f"ttctl-{self.name(stack)}-{engine}-1"

    def serve(
        self, model: str, device: str, release: str, *, faults: Mapping[str, str] | None = None
    ) -> str:
        """Put a stand-in into the registry under the name of an entry's pins; return the engine."""
        return serve((self.ttctl, self.registry), model, release, device=device, faults=faults)

    def lay_over(self, stack: str, *engines: str) -> None:
        """Say what this machine cannot give."""
        lay_over(self.ttctl.stacks / self.name(stack) / "rendered", *engines)

    def up(self, stack: str, *words: str, model: str = MODEL, exits: int = 0) -> Ran:
        """Bring a stack up on a port of its own."""
        given = ("up", model, "--name", self.name(stack), "--json", *words)
        given = (*given, "--port", str(free_port()))
        return self.ttctl.run(*given, exits=exits, limit_s=LIMIT_S)

    def boards(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ttctl.run("devices", "ls", "--json").data["boards"]
        return found


@pytest.fixture
def cards(ttctl: Ttctl, tmp_path: Path) -> Iterator[Cards]:
    """Give a machine of four n300 with a registry and a hub of its own."""
    models = (MODEL, *(str(case.values[0]) for case in ENTRIES))
    with made_machine(ttctl, tmp_path, models) as (own, served):
        made = Cards(ttctl=own, registry=served, mark=f"e2e-{secrets.token_hex(4)}")
        yield made
        for one in own.run("ps", "--all", "--json").data:
            if one["stack"].startswith(made.mark) and one["service"] == "gateway":
                own.run("down", one["stack"], "--timeout", "1", limit_s=LIMIT_S)


def nodes_of(container: str) -> list[str]:
    asked = "{{range .HostConfig.Devices}}{{.PathInContainer}} {{end}}"
    return docker("inspect", "--format", asked, container).split()


def test_an_image_below_0_11_serves_on_boards_of_its_own_until_it_is_taken_down(
    cards: Cards,
) -> None:
    cards.serve(MODEL, "n300", "0.9.0")
    cards.lay_over("one", "vllm")
    cards.lay_over("two", "vllm")
    first = cards.up("one", "--device", "n300").data
    assert (first["device"], first["answers"], first["changed"]) == ("n300", True, True)
    again = cards.ttctl.run("up", MODEL, "--name", cards.name("one"), "--json").data
    assert again["changed"] is False
    cards.up("two", "--device", "n300")
    one, two = nodes_of(cards.engine("one")), nodes_of(cards.engine("two"))
    assert len(one) == len(two) == 1
    assert one != two
    held = {board["nodes"][0]: board["free"] for board in cards.boards()}
    assert [held[one[0]], held[two[0]]] == ["held", "held"]
    refused = cards.up("four", "--device", "t3k", exits=75)
    assert f"stack {cards.name('one')}" in refused.out
    cards.ttctl.run("down", cards.name("one"), limit_s=LIMIT_S)
    assert {board["nodes"][0]: board["free"] for board in cards.boards()}[one[0]] == "free"


@pytest.mark.parametrize(("model", "device", "release", "path"), ENTRIES)
def test_an_entry_of_each_contract_is_pulled_started_and_answers_through_the_gateway(
    cards: Cards, model: str, device: str, release: str, path: str
) -> None:
    engine = cards.serve(model, device, release)
    cards.lay_over("one", engine)
    told = cards.up("one", "--device", device, model=model).data
    assert (told["device"], told["answers"]) == (device, True)
    assert len(nodes_of(cards.engine("one", engine))) == 1
    request = urllib.request.Request(  # noqa: S310 - the gateway's address
        f"{told['url']}{path or '/v1/models'}",
        data=b'{"prompt": "a red circle", "guidance_scale": 5}' if path else None,
        headers={
            "Authorization": f"Bearer {Path(told['key_file']).read_text(encoding='ascii').strip()}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
        assert answer.status == 200
    said = cards.ttctl.run("exec", "--stack", cards.name("one"), engine, "--", "id", "-u").out
    assert said.strip() != "0"
    cards.ttctl.run("down", cards.name("one"), limit_s=LIMIT_S)
    assert not [board for board in cards.boards() if board["dirty"]]


def test_a_board_whose_engine_was_killed_is_left_alone_until_it_is_in_order(cards: Cards) -> None:
    cards.serve(MODEL, "n300", "0.9.0")
    cards.lay_over("one", "vllm")
    cards.up("one", "--device", "n300")
    [node] = nodes_of(cards.engine("one"))
    docker("kill", "--signal", "KILL", cards.engine("one"))
    [dirty] = [board for board in cards.boards() if board["dirty"]]
    assert dirty["nodes"] == [node]
    assert "137" in dirty["dirty"]
    refused = cards.up("one", "--device", "n300", "--board", node, exits=1)
    assert "--reset" in refused.out
    cards.up("one", "--device", "n300")
    assert nodes_of(cards.engine("one")) != [node]
    cards.ttctl.run("devices", "clear", "--yes")
    assert not [board for board in cards.boards() if board["dirty"]]


def test_a_replaced_engine_keeps_its_board_and_a_stack_that_nobody_gave_a_port_gets_a_free_one(
    cards: Cards,
) -> None:
    cards.serve(MODEL, "n300", "0.9.0")
    cards.lay_over("one", "vllm")
    cards.lay_over("two", "vllm")
    words = ("up", MODEL, "--device", "n300", "--json", "--name")
    third = ("--board", "/dev/tenstorrent/2")
    one = cards.ttctl.run(*words, cards.name("one"), *third, limit_s=LIMIT_S).data
    # The next port is free though nobody asked for one, also while a gateway waits for its engine.
    two = cards.ttctl.run(*words, cards.name("two"), limit_s=LIMIT_S).data
    assert one["url"] != two["url"]
    again = cards.ttctl.run(*words, cards.name("one"), "--force-recreate", limit_s=LIMIT_S).data
    assert (again["changed"], again["url"]) == (True, one["url"])
    assert nodes_of(cards.engine("one")) == ["/dev/tenstorrent/2"]
    assert nodes_of(cards.engine("two")) == ["/dev/tenstorrent/0"]
    assert not [board for board in cards.boards() if board["dirty"]]


def test_containers_that_were_made_and_never_started_come_up_and_no_tool_is_told(
    cards: Cards,
) -> None:
    cards.serve(MODEL, "n300", "0.9.0")
    cards.lay_over("one", "vllm")
    cards.up("one", "--device", "n300")
    folder = cards.ttctl.stacks / cards.name("one") / "rendered"
    own = [f"--file={folder / name}" for name in ("compose.yaml", "compose.override.yaml")]
    both = (cards.engine("one"), cards.engine("one", "gateway"))
    docker("rm", "--force", *both)
    docker("compose", f"--project-directory={folder}", *own, "up", "--no-start")
    cards.up("one", "--device", "n300")
    # Killed, made anew and not started: the reset that is needed next finds no tt-smi anywhere.
    docker("kill", "--signal", "KILL", both[0])
    assert [board for board in cards.boards() if board["dirty"]]
    docker("rm", "--force", *both)
    docker("compose", f"--project-directory={folder}", *own, "up", "--no-start")
    board = ("--board", nodes_of(both[0])[0])
    refused = cards.up("one", "--device", "n300", *board, "--reset", exits=4).out
    assert "neither on this machine nor in the image" in refused
    assert "pipx install tt-smi" in refused
    cleared = cards.ttctl.run("devices", "clear", "0", "--yes", "--json").data
    assert cleared["boards"]
    cards.up("one", "--device", "n300", *board)


def test_two_engines_of_one_stack_each_open_a_node_of_their_own(cards: Cards) -> None:
    cards.serve(MODEL, "n300", "0.9.0")
    cards.serve(SECOND, "n300", "0.11.1")
    beside = "llama-3-2-1b-instruct"
    cards.lay_over("one", "vllm", beside)
    told = cards.up("one", "--device", "n300", "--with", SECOND).data
    assert [one["name"] for one in told["services"]] == [beside]
    own, other = nodes_of(cards.engine("one")), nodes_of(cards.engine("one", beside))
    assert (len(own), len(other)) == (1, 1)
    assert own != other
    holders = {board["nodes"][0]: " ".join(board["holders"]) for board in cards.boards()}
    assert cards.engine("one") in holders[own[0]]
    assert cards.engine("one", beside) in holders[other[0]]
    again = cards.ttctl.run("up", MODEL, "--name", cards.name("one"), "--json").data
    assert again["changed"] is False
    cards.lay_over("two", "vllm", beside)
    cards.up("two", "--device", "n300", "--with", SECOND)
    taken = [*own, *other, *nodes_of(cards.engine("two")), *nodes_of(cards.engine("two", beside))]
    assert len(set(taken)) == 4
    refused = cards.up("three", "--device", "n300", exits=75)
    assert f"stack {cards.name('one')}" in refused.out
    cards.ttctl.run("down", cards.name("one"), limit_s=LIMIT_S)
    free = {board["nodes"][0]: board["free"] for board in cards.boards()}
    assert [free[node] for node in (*own, *other)] == ["free", "free"]


def test_a_swap_hands_its_boards_over_and_nobody_else_gets_them(cards: Cards) -> None:
    cards.serve(MODEL, "n300", "0.9.0")
    for name in ("one", "two", "three"):
        cards.lay_over(name, "vllm")
    given = ("--device", "n300", "--board", "0", "--json", "--port", str(free_port()))
    cards.up("one", "--device", "n300", "--board", "0")
    words = ("swap", cards.name("one"), MODEL, "--name", cards.name("two"), *given)
    with ThreadPoolExecutor() as pool:
        swap = pool.submit(cards.ttctl.run, *words, limit_s=LIMIT_S)
        refused = cards.up("three", "--device", "n300", "--board", "0", exits=75)
        assert swap.result().data["stopped"] == cards.name("one")
    assert cards.mark in refused.out
    held = next(
        board for board in cards.boards() if nodes_of(cards.engine("two")) == board["nodes"]
    )
    assert cards.engine("two") in " ".join(held["holders"])
