# SPDX-License-Identifier: Apache-2.0
"""A model on the processor, by transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoModelForCausalLM

from ttctl_direct.tensors import Torch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ttctl_direct.backend import Candidates


class Processor:
    """A causal language model of the hub's format, in torch."""

    survives = True

    def __init__(self, weights: Path, *, context: int) -> None:
        """Load it; `context` may be less than the model's own."""
        self._model: Any = AutoModelForCausalLM.from_pretrained(
            weights, local_files_only=True, torch_dtype="auto"
        ).eval()
        own = int(getattr(self._model.config, "max_position_embeddings", 0) or context)
        self.context = min(context, own) if context else own
        self.longest_prompt = self.context - 1
        self._tensors = Torch()
        self._past: Any = None

    def prefill(self, tokens: Sequence[int], *, greedy: bool) -> Candidates:
        """Begin a sequence."""
        self._past = None
        return self._step(tokens, greedy=greedy)

    def decode(self, token: int, *, greedy: bool) -> Candidates:
        """Append a token."""
        return self._step([token], greedy=greedy)

    def close(self) -> None:
        """Let go of what the last sequence left."""
        self._past = None

    def _step(self, tokens: Sequence[int], *, greedy: bool) -> Candidates:
        with torch.inference_mode():
            out = self._model(
                input_ids=self._tensors.row(tokens),
                past_key_values=self._past,
                use_cache=True,
                logits_to_keep=1,
            )
        self._past = out.past_key_values
        last = out.logits[:, -1]
        if greedy:
            return [(int(last.argmax()), 0.0)]
        return self._tensors.candidates(last, vocabulary=last.shape[-1])
