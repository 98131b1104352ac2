# SPDX-License-Identifier: Apache-2.0
"""A model on a card, by tt-metal's Generator API. It never met the real API: not yet run on a card.

One sequence, without paged attention and without traces, as the toolkit's direct chat does it.

Source: tenstorrent/tt-vscode-toolkit:content/templates/tt-chat-direct.py at 36d3c0e.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ttctl_direct.generator_api import DECODE, PACKAGE, PREFILL, called, named, takes
from ttctl_serving.log import log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ttctl_direct.backend import Candidates
    from ttctl_direct.tensors import Tensors

GALAXY = (32, (8, 4))
"""Chips of a Galaxy, and its mesh (rows, cols); smaller ones are one row."""


class Tenstorrent:
    """A Generator with its model, on an open mesh of chips."""

    survives = False

    def __init__(
        self,
        generator: Any,  # noqa: ANN401 - tt-metal's own
        model_args: Any,  # noqa: ANN401
        kv_cache: Any,  # noqa: ANN401
        *,
        tensors: Tensors,
        context: int,
        greedy_on_device: Any = None,  # noqa: ANN401
        put_away: Callable[[], object] = lambda: None,
    ) -> None:
        """Use a generator that is loaded.

        Args:
            generator: tt-metal's `Generator`.
            model_args: The model's, for its vocabulary and the longest prompt.
            kv_cache: Its cache.
            tensors: How tokens become tensors.
            context: Tokens of prompt and answer together that the model was made for.
            greedy_on_device: What `decode` is given so that the card chooses the likeliest token;
                None where the host has to.
            put_away: Closes the mesh.
        """
        self._prefill, self._decode = named(generator, PREFILL), named(generator, DECODE)
        self._cache, self._tensors, self._put_away = kv_cache, tensors, put_away
        self._vocabulary = int(model_args.vocab_size)
        self.context = context
        # Longer ones are computed in pieces, which takes paged attention.
        chunk = int(getattr(model_args, "max_prefill_chunk_size", 0) or context)
        self.longest_prompt = min(context - 1, chunk)
        on_device = takes(self._decode, "sampling_params")
        self._greedy = greedy_on_device if on_device else None
        self._prompt: list[int] = []
        self._position = 0

    @property
    def samples_on_device(self) -> bool:
        """Whether the card itself chooses the likeliest token."""
        return self._greedy is not None

    def prefill(self, tokens: Sequence[int], *, greedy: bool) -> Candidates:
        """Begin a sequence; its cache is written from the beginning."""
        del greedy  # The first token is chosen here: prefill gives logits in every version.
        found = called(
            self._prefill,
            self._tensors.row(tokens),
            page_table=None,
            kv_cache=[self._cache],
            prompt_lens=[len(tokens)],
            enable_trace=False,
            # Newer ones would compile every length that the model knows, before the first answer.
            warmup_prefill=False,
        )
        self._prompt, self._position = list(tokens), len(tokens)
        return self._read(found)

    def decode(self, token: int, *, greedy: bool) -> Candidates:
        """Append a token at the next position."""
        last = self._tensors.row([token])
        found = called(
            self._decode,
            last,
            self._tensors.numbers([self._position]),
            page_table=None,
            kv_cache=[self._cache],
            # A trace takes room that has to be set aside when the mesh is opened.
            enable_trace=False,
            read_from_device=True,
            # Newer ones count on the device what was said, for penalties that are not asked for.
            reset_batch=self._position == len(self._prompt),
            prompt_tokens=self._tensors.row(self._prompt),
            output_tokens=last,
            sampling_params=self._greedy if greedy else None,
        )
        self._position += 1
        return self._read(found)

    def warm_up(self, tokens: Sequence[int]) -> None:
        """Compile what a first answer needs; the card chooses only what the host would choose."""
        first = self.prefill(tokens, greedy=False)[0][0]
        [(wanted, _), *_] = self.decode(first, greedy=False)
        if self._greedy is None:
            return
        try:
            self.prefill(tokens, greedy=True)
            [(found, _), *_] = self.decode(first, greedy=True)
        except Exception as refused:  # noqa: BLE001 - whatever tt-metal raises
            log("the host chooses", why="the card refused", error=type(refused).__name__)
            self._greedy = None
        else:
            if found != wanted:
                log("the host chooses", why="the card chose another token")
                self._greedy = None

    def close(self) -> None:
        """Close the mesh: a card that is not closed may have to be reset."""
        self._put_away()

    def _read(self, found: Any) -> Candidates:  # noqa: ANN401
        # Newer versions give the tokens' probabilities beside them.
        first = found[0] if isinstance(found, tuple) else found
        return self._tensors.candidates(first, vocabulary=self._vocabulary)


def load(weights: Path, *, context: int, tensors: Tensors) -> Tenstorrent:
    """Open all chips that are here as one mesh, and load the model.

    Args:
        weights: Folder in the hub's format.
        context: Tokens of prompt and answer together.
        tensors: How tokens become tensors.

    Raises:
        NoGeneratorError: This tt-metal has no such API.
    """
    os.environ["HF_MODEL"] = str(weights)
    ttnn = import_module("ttnn")
    mesh = _open(ttnn)

    def put_away() -> None:
        ttnn.close_mesh_device(mesh)

    try:
        return _on(mesh, ttnn, context, tensors, put_away)
    except BaseException:
        put_away()
        raise


def _on(
    mesh: Any,  # noqa: ANN401
    ttnn: Any,  # noqa: ANN401
    context: int,
    tensors: Tensors,
    put_away: Callable[[], object],
) -> Tenstorrent:
    common, generator, config = (
        import_module(f"{PACKAGE}.{name}") for name in ("common", "generator", "model_config")
    )
    made = called(
        named(common, ("create_tt_model",)),
        mesh,
        instruct=True,
        max_batch_size=1,
        optimizations=_optimizations(config),
        max_seq_len=context,
        paged_attention_config=None,
        dtype=ttnn.bfloat8_b,
        state_dict=None,
    )
    model_args, model, kv_cache = made[:3]
    tokenizer = getattr(model_args, "tokenizer", None)
    parameters = getattr(generator, "SamplingParams", None)
    return Tenstorrent(
        called(generator.Generator, [model], [model_args], mesh, tokenizer=tokenizer),
        model_args,
        kv_cache,
        tensors=tensors,
        context=context,
        greedy_on_device=parameters(temperature=0.0, top_k=-1, top_p=1.0) if parameters else None,
        put_away=put_away,
    )


def _open(ttnn: Any) -> Any:  # noqa: ANN401
    chips = len(ttnn.get_device_ids())
    rows, columns = GALAXY[1] if chips == GALAXY[0] else (1, chips)
    if chips > 1 and hasattr(ttnn, "set_fabric_config"):
        # Deduced: newer collectives between chips run over the fabric, which opens off.
        ttnn.set_fabric_config(ttnn.FabricConfig.FABRIC_1D)
    return ttnn.open_mesh_device(ttnn.MeshShape(rows, columns))


def _optimizations(config: Any) -> Callable[..., Any]:  # noqa: ANN401
    """Return what makes the decoders fast rather than exact; older commits have one for all."""
    precision = getattr(config, "DecodersPrecision", None)
    if precision is None:
        return named(config.ModelOptimizations, ("performance",))

    def performance(args: Any) -> Any:  # noqa: ANN401
        return precision.performance(args.n_layers, args.model_name)

    return performance
