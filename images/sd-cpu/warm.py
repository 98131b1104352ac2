# SPDX-License-Identifier: Apache-2.0
"""Load a pipeline as small as can be and let it draw: the root of a container is read-only.

So the bytecode of all that a start imports is in the image.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import diffusers
import small

from ttctl_sd.asked import Limits
from ttctl_sd.drawing import Drawing
from ttctl_sd.processor import ProcessorBackend
from ttctl_sd.schema import openapi
from ttctl_sd.wire import Wire
from ttctl_serving.server import Server

LIKELY = (
    "AutoencoderTiny", "DDPMScheduler", "DPMSolverMultistepScheduler", "EulerDiscreteScheduler",
    "FlowMatchEulerDiscreteScheduler", "LCMScheduler", "PNDMScheduler", "StableDiffusion3Pipeline",
    "StableDiffusionXLPipeline",
)  # fmt: skip
"""What other folders of weights than the small one name in their indexes."""

with tempfile.TemporaryDirectory() as made:
    small.make(Path(made))
    backend = ProcessorBackend(Path(made))
    abilities = backend.load()
    width, height = abilities.default_size
    drawing = Drawing(
        prompt="a", negative_prompt="b", width=width, height=height, steps=1, guidance=2.0, seed=1
    )
    drawn = backend.draw(drawing, lambda _done, _steps: None)
print(f"warm: {len(drawn.rgb)} bytes, {Server.__name__}, {Wire.__name__}")
print(f"warm: {len(openapi('m', Limits())['paths'])} paths")
print(f"warm: {', '.join(getattr(diffusers, name).__name__ for name in LIKELY)}")
