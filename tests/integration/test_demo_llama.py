# SPDX-License-Identifier: Apache-2.0
"""The demo model can be trained again: inside the product's own image, from what is committed."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.standins.product_images import product_images

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.docker

FOLDER = Path(__file__).parents[2] / "images" / "demo-llama"
TOLERANCE = 0.02
ENOUGH = 16
in_whole = pytest.mark.skipif(
    os.environ.get("TRAINING") != "whole",
    reason="six minutes of both processors, for `make integration`",
)
LIMIT_S = 2400


def in_the_image(out: Path, *command: str) -> str:
    """Run one of the model's scripts: no network, the source read-only, user 1000."""
    name = f"ttctl-test-{secrets.token_hex(4)}"
    docker = [
        "docker", "run", "--rm", "--init", f"--name={name}", "--network=none", "--read-only",
        "--user=1000:1000", "--cap-drop=ALL", "--security-opt=no-new-privileges:true",
        "--memory=6g", "--tmpfs=/tmp:size=512m,mode=1777", "--env=HOME=/tmp",
        "--env=HF_HUB_OFFLINE=1", f"--volume={FOLDER}:/source:ro", f"--volume={out}:/out",
        "--workdir=/source", "--entrypoint=python", product_images()["vllm-cpu"], "-B",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            [*docker, *command], capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    folder.chmod(0o777)
    return folder


@pytest.fixture(scope="module")
def trained(out: Path) -> float:
    """Train once; return the seconds."""
    started = time.monotonic()
    in_the_image(out, "train.py", "--out", "/out/model")
    return time.monotonic() - started


@pytest.fixture(scope="module")
def evaluated(out: Path, trained: float) -> str:
    assert trained
    return in_the_image(out, "evaluate.py", "--model", "/out/model")


@in_whole
def test_training_again_gives_the_recorded_loss(
    out: Path, trained: float, record_property: Callable[[str, object], None]
) -> None:
    recorded = json.loads((FOLDER / "model" / "training.json").read_text())
    again = json.loads((out / "model" / "training.json").read_text())
    away = abs(again["held_out_loss"] / recorded["held_out_loss"] - 1)
    record_property("training again", f"{trained:.0f} s")
    record_property(
        "held-out loss, trained again",
        f"{again['held_out_loss']} (recorded {recorded['held_out_loss']}, {away:.2%} away)",
    )
    assert away <= TOLERANCE
    same = ("corpus_sha256", "documents", "held_out_documents", "parameters", "seed", "steps")
    assert {name: again[name] for name in same} == {name: recorded[name] for name in same}


@in_whole
def test_the_model_that_was_trained_again_answers_as_many_questions(
    evaluated: str, record_property: Callable[[str, object], None]
) -> None:
    score = re.search(r"^score (\d+) of 20$", evaluated, re.MULTILINE)
    assert score, evaluated
    record_property("paraphrased questions, trained again", f"{score[1]} of 20")
    assert int(score[1]) >= ENOUGH, evaluated


def test_the_committed_weights_are_small() -> None:
    sizes = [path.stat().st_size for path in (FOLDER / "model").iterdir()]
    assert sum(sizes) <= 5_000_000
