# SPDX-License-Identifier: Apache-2.0
"""Is what draws offered on the devices that it was validated on, and said where it is not?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.standins import machines

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import Typed

XL = "stabilityai/stable-diffusion-xl-base-1.0"
V1_5 = "stable-diffusion-v1-5/stable-diffusion-v1-5"
SD35 = "stabilityai/stable-diffusion-3.5-large"


def machine(typed: Typed, root: Path, device: str) -> Typed:
    machines.tree(root, device)
    return typed


@pytest.mark.parametrize(
    ("device", "word", "model"),
    [
        pytest.param("n150", "sd", XL, id="one chip"),
        pytest.param("n300", "sd", XL, id="one board"),
        pytest.param("t3k", "sd", SD35, id="four boards"),
        pytest.param("galaxy", "sd", SD35, id="a galaxy"),
        pytest.param("t3k", "sdxl", XL, id="the smaller one on four boards"),
        pytest.param("galaxy", "sdxl", XL, id="the smaller one on a galaxy"),
        pytest.param("t3k", "stable-diffusion-3.5-large", SD35, id="by its name"),
        pytest.param("galaxy", "stable-diffusion-3.5-large", SD35, id="by its name, galaxy"),
    ],
)
def test_what_was_validated_on_a_device_is_planned_there(
    typed: Typed, tmp_path: Path, device: str, word: str, model: str
) -> None:
    _, out, _ = machine(typed, tmp_path / "root", device)(f"plan {word}")
    lines = out.splitlines()
    assert lines[0] == f"{model} on {device}: COMPLETE"
    assert "contract  media" in lines
    [boards] = [line for line in lines if line.startswith("  ok        boards")]
    assert f" {device} from board" in boards
    gated = [line for line in lines if line.startswith("mind") and "are gated" in line]
    assert bool(gated) is (model == SD35)


@pytest.mark.parametrize("word", ["stable-diffusion-3.5-large", "sd3.5", SD35])
@pytest.mark.parametrize(
    ("device", "offer"),
    [
        pytest.param("n150", f"{XL} --device n150", id="n150"),
        pytest.param("n300", f"{XL} --device n300", id="n300"),
        pytest.param("p150", f"{V1_5} --device cpu", id="p150"),
    ],
)
def test_where_it_was_not_validated_that_is_said_with_what_fits_there(
    typed: Typed, tmp_path: Path, word: str, device: str, offer: str
) -> None:
    on_device = machine(typed, tmp_path / "root", device)
    model, _, where = offer.split()
    for verb in ("plan", "up"):
        code, _, err = on_device(f"{verb} {word}")
        assert code == 7
        assert err.startswith(f"error:    No spec of '{word}' is validated on '{device}'.")
        assert "evidence: Validated on: galaxy, t3k." in err
        [fits] = [line for line in err.splitlines() if f"works here: {model} on {where} " in line]
        assert fits.endswith("no token needed)")
        assert f"next:     ttctl plan {offer}\n" in err


@pytest.mark.parametrize("verb", ["plan", "up"])
@pytest.mark.parametrize(
    ("word", "offer"),
    [
        pytest.param("whisper", "openai/whisper-large-v3", id="speech to text"),
        pytest.param("speech", "microsoft/speecht5_tts", id="text to speech"),
        pytest.param("embedding", "Qwen/Qwen3-Embedding-8B", id="vectors"),
    ],
)
def test_without_a_card_it_is_said_that_one_is_needed_and_which_is_enough(
    typed: Typed, verb: str, word: str, offer: str
) -> None:
    code, _, err = typed(f"{verb} {word}")
    assert code == 7
    assert "and needs a card: nothing of it runs on the processor." in err
    assert f"next:     ttctl plan {offer} --device n150\n" in err
    assert typed(f"plan {offer} --device n150")[0] == 0
