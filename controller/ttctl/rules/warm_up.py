# SPDX-License-Identifier: Apache-2.0
"""With what is an engine on a card asked before it is called ready? Pure.

The first prompt of each padded length compiles and captures traces, for 30 to 60 s each; a user's
own first question would wait for that. Source: tenstorrent/tt-inference-server#56.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

SHARE = 4
"""The long prompt takes a quarter of the context: it fits where a word is two tokens, too."""
LONGEST = 4096
"""Tokens of the long prompt at most: longer ones take minutes, and upstream computes them in
pieces. Source: the lengths in tenstorrent/tt-inference-server:utils/prompt_client.py@v0.20.0
"""
WORD = " a"
"""One token in the vocabularies of the catalog's models, as far as they are known."""


def long_tokens(spec: ModelSpec) -> int:
    """Return about how many tokens the long prompt has, 0 where none is sent.

    Models that capture their traces by themselves have done so before they say that they are
    healthy; engines for images, speech and vectors say it in their health.
    """
    if spec.pins is None or spec.engine != "vllm" or spec.warms_up:
        return 0
    return min(LONGEST, spec.limits.max_model_len // SHARE)


def long_prompt(tokens: int) -> str:
    """Return a prompt of about so many tokens."""
    return (WORD * tokens).strip()
