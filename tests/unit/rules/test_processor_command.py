# SPDX-License-Identifier: Apache-2.0
"""Are our own servers started on the processor as on a card, with words that they read?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.fakes import CONTRACTS, HUB_MODEL, RECIPES

from ttctl.model.spec import EngineName, ModelSpec, Weights
from ttctl.rules.processor_command import direct_arguments, sd_arguments
from ttctl_direct.arguments import arguments_of
from ttctl_sd.__main__ import options

DIRECT = replace(HUB_MODEL, engine="direct", image="direct-cpu")
SD = replace(
    HUB_MODEL,
    model="demo-sd",
    engine="sd",
    image="sd-cpu",
    type="IMAGE",
    weights=Weights(kind="bundled", repository="demo-sd", size_bytes=1_000),
)


def on_a_card(engine: EngineName, spec: ModelSpec) -> tuple[str, ...]:
    """Return the words of the card's contract, for the same folder."""
    values = {
        "weights": f"/models/{spec.model.rpartition('/')[2]}",
        "model": spec.model,
        "port": "8000",
        "max_model_len": str(spec.limits.max_model_len),
    }
    return tuple(word.format(**values) for word in CONTRACTS[engine].command)


def test_direct_is_told_weights_name_port_and_context() -> None:
    assert direct_arguments(DIRECT, models="/models", port=8000) == (
        "--weights", "/models/Small-1B", "--name", "acme/Small-1B", "--port", "8000",
        "--max-model-len", "4096",
    )  # fmt: skip


def test_sd_is_told_weights_name_and_port() -> None:
    assert sd_arguments(SD, models="/models", port=8000) == (
        "--weights", "/models/demo-sd", "--name", "demo-sd", "--port", "8000",
    )  # fmt: skip


def test_both_are_started_with_the_words_of_the_cards_contracts() -> None:
    assert direct_arguments(DIRECT, models="/models", port=8000) == on_a_card("direct", DIRECT)
    assert sd_arguments(SD, models="/models", port=8000) == on_a_card("sd", SD)


def test_the_programs_read_what_they_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for image in ("direct-cpu", "sd-cpu"):
        (said,) = [word for word in RECIPES.recipe(image).template.split() if "_BACKEND=" in word]
        monkeypatch.setenv(*said.split("="))
    direct = arguments_of(direct_arguments(DIRECT, models="/models", port=8000))
    assert (direct.weights, direct.name) == (Path("/models/Small-1B"), "acme/Small-1B")
    assert (direct.backend, direct.port, direct.context) == ("cpu", 8000, 4096)
    sd = options(sd_arguments(SD, models="/models", port=8000))
    assert (sd.weights, sd.name) == (Path("/models/demo-sd"), "demo-sd")
    assert (sd.backend, sd.port, sd.check) == ("cpu", 8000, False)


@pytest.mark.parametrize("length", [16, 1 << 20])
def test_the_shortest_and_the_longest_context_of_a_catalog_entry_are_taken(length: int) -> None:
    spec = replace(DIRECT, limits=replace(DIRECT.limits, max_model_len=length))
    assert arguments_of(direct_arguments(spec, models="/m", port=1)).context == length
