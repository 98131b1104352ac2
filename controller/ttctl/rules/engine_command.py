# SPDX-License-Identifier: Apache-2.0
"""How the engine is started: `vllm serve` with the words that a card's start has too. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.parsers import told_arguments

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec


def model_folder(spec: ModelSpec, *, models: str) -> str:
    """Return where the weights lie inside the container."""
    return f"{models}/{spec.model.rpartition('/')[2]}"


def serve_arguments(spec: ModelSpec, *, models: str, port: int) -> tuple[str, ...]:
    """Return the arguments behind `vllm`.

    Source: https://docs.vllm.ai/en/latest/cli/serve.html, and the flags of vLLM 0.32.0 as tried.
    """
    arguments = [
        "serve",
        model_folder(spec, models=models),
        "--served-model-name",
        spec.model,
        "--host",
        "0.0.0.0",  # noqa: S104 - inside the stack's own network; nothing of it is published
        "--port",
        str(port),
        "--max-model-len",
        str(spec.limits.max_model_len),
        "--max-num-seqs",
        str(spec.limits.max_num_seqs),
        "--block-size",
        str(spec.limits.block_size),
    ]
    for name, value in told_arguments(spec):
        arguments.append(f"--{name}")
        if value:
            arguments.append(value)
    return tuple(arguments)
