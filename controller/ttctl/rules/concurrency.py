# SPDX-License-Identifier: Apache-2.0
"""How many requests does an entry's engine compute at a time? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

LARGEST = 5
"""Digits of a number of replicas that is believed."""


def replicas(spec: ModelSpec) -> int:
    """Return how many engines share an entry's requests, each with limits of its own.

    Only vLLM's own flag divides them: where an option of the chips says `data_parallel`, one
    engine has them all.

    Source: tenstorrent/tt-inference-server, release_model_spec.json@v0.20.0, where Llama-3.1-8B
    on P150X8 has max_concurrency 256, max_num_seqs 32 and data_parallel_size 8
    """
    said = {name.replace("-", "_"): value for name, value in spec.engine_args}
    number = said.get("data_parallel_size", "")
    if not (number.isascii() and number.isdecimal() and len(number) <= LARGEST):
        return 1
    return max(int(number), 1)


def requests_text(spec: ModelSpec, what: str = "") -> str:
    """Say how many requests are computed at a time, `what` behind the number.

    Their sum is not told: some entries of upstream name another one than these two make.
    """
    number, each = replicas(spec), f"{spec.limits.max_num_seqs} {what}".rstrip()
    return f"{each} for each of {number} replicas" if number > 1 else each
