# SPDX-License-Identifier: Apache-2.0
"""What is vLLM told, so that it reads calls of tools and thoughts out of a model's text? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

TOOLS, AUTOMATIC, THOUGHTS = "tool-call-parser", "enable-auto-tool-choice", "reasoning-parser"


def told_arguments(spec: ModelSpec) -> tuple[tuple[str, str], ...]:
    """Return the entry's arguments with the parsers that it names; what it says itself wins.

    Upstream's own server ignores these names, which its command line adds to a start's arguments.

    Source: tenstorrent/tt-inference-server, release_model_spec.json@v0.20.0, metadata
    """
    if spec.engine != "vllm":
        return spec.engine_args
    said = {name.replace("_", "-") for name, _ in spec.engine_args}
    tools = ((TOOLS, spec.tool_parser), (AUTOMATIC, "")) if spec.tool_parser else ()
    thoughts = ((THOUGHTS, spec.reasoning_parser),) if spec.reasoning_parser else ()
    added = tuple(one for one in (*tools, *thoughts) if one[0] not in said)
    return (*spec.engine_args, *added)
