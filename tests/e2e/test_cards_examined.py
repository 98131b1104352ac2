# SPDX-License-Identifier: Apache-2.0
"""Does the examination of `make device` see what runs, by its real kit, on a started stand-in?

The machine is made up and the image is a stand-in: what is held to account here is the kit, and no
speed or word of it is a result. Not yet run on a card.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.e2e.test_cards import Cards, cards

from ttctl.adapters.acceptance_place import LocalKit
from ttctl.adapters.hardware import KeptResults
from ttctl.cli.console import Console
from ttctl.cli.wiring import wire
from ttctl.cli.wiring_files import wire_settings
from ttctl.model.spec import Request
from ttctl.operations.acceptance import examine
from ttctl.operations.desire import desire
from ttctl.operations.start import on_free_boards
from ttctl.rules.acceptance import overall

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ttctl.model.acceptance import Ran

__all__ = ["cards"]
pytestmark = pytest.mark.docker
MODEL = "meta-llama/Llama-3.2-1B-Instruct"


NOT_HERE = {"vllm: locked memory", "vllm: memory", "vllm: no swap", "vllm: nodes of leased boards"}
"""What a machine that is small and made up cannot give; see `Cards.lay_over`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What the examination found, and the folder that the kit keeps results in."""

    ran: Ran
    details: dict[str, str]
    kept: Path

    @property
    def failed(self) -> set[str]:
        return {one.name for one in self.ran.checks if one.outcome == "failed"}

    def worth(self) -> str:
        """Return the verdict but for what this machine cannot give."""
        rest = [one for one in self.ran.checks if one.name not in NOT_HERE]
        return overall(rest, self.ran.tiers, targets=())


def examined(
    cards: Cards,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    faults: Mapping[str, str] | None = None,
) -> Examined:
    """Bring the model up as a user does, and examine it in this process as `make device` does."""
    cards.serve(MODEL, "n300", "0.11.1", faults=faults)
    cards.lay_over("seen", "vllm")
    cards.up("seen", "--device", "n300", model=MODEL)
    for name, value in cards.ttctl.environ.items():
        monkeypatch.setenv(name, value)
    world = wire(Console(), settings=wire_settings(None))
    kit = LocalKit(
        dict(os.environ), checkout=folder, state=folder / "kit", results=folder / "kept",
        device_root="/",
    )  # fmt: skip
    kit.ready()
    request = Request(model=MODEL, name=cards.name("seen"), device="n300")
    wanted = on_free_boards(world, desire(world, request))
    found = examine(world, kit, wanted, kit.place(), started_s=1, measure=True)
    return Examined(ran=found.ran, details=dict(found.details), kept=found.file.parent)


def test_the_examination_by_the_real_kit_sees_what_runs_and_keeps_a_signed_result(
    cards: Cards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = examined(cards, tmp_path, monkeypatch)
    assert found.failed == NOT_HERE, found.details
    assert found.worth() in {"passed", "below target"}
    assert {one.part for one in found.ran.checks} == {"contract", "door", "smoke"}
    assert found.ran.tiers[0].failed == 0
    (kept,) = KeptResults(found.kept).all()
    assert (kept.signature, kept.verdict, kept.reached) == ("good", "failed", "")


def test_a_server_that_drops_most_of_a_prompt_fails_the_examination(
    cards: Cards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = examined(cards, tmp_path, monkeypatch, faults={"STANDIN_READS": "7"})
    assert found.failed == NOT_HERE | {"a long prompt"}
    assert found.details["a long prompt"].endswith("tokens or more it read 7")
    assert found.worth() == "failed"
