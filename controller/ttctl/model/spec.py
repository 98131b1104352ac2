# SPDX-License-Identifier: Apache-2.0
"""What a catalog entry says: one model on one device, and what it needs. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WeightsKind = Literal["hub", "bundled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Where the weights of a model come from."""

    kind: WeightsKind
    """`hub`: a repository on the model hub; `bundled`: a folder that ttctl ships."""
    repository: str
    """`owner/name` on the hub, or the image folder that holds the model."""
    revision: str = ""
    """40 hex digits, empty while unresolved."""
    size_bytes: int = 0
    """About how much will be fetched, for the check of free disk space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the engine is started with, in vLLM's own words."""

    max_model_len: int
    """Tokens of prompt and answer together."""
    max_num_seqs: int
    """Requests that are computed at the same time."""
    block_size: int
    """Tokens in one block of the KV cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One catalog entry: model x device x engine."""

    model: str
    """Name as the OpenAI API shows it."""
    device: str
    engine: Literal["vllm"]
    aliases: tuple[str, ...] = ()
    description: str = ""
    image: str
    """The folder under images/ that builds the engine's image."""
    weights: Weights
    limits: Limits
    engine_args: tuple[tuple[str, str], ...] = ()
    """Further flags of `vllm serve`; an empty value is a bare flag."""
    environment: tuple[tuple[str, str], ...] = ()
    memory_mib: int
    """Limit of the engine's container."""
    status: str
    license: str = ""
    offline_model: str = ""
    """The entry that serves in this one's place where the hub cannot be reached."""
    default: bool = False
    """Whether an alias that several entries share means this one."""
    demo: bool = False
    """Whether this is a demonstration and not a useful model."""
    source: str = ""
    """Where the entry's facts come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked for. None means: as the catalog says."""

    model: str
    name: str | None = None
    """The stack's name; by default it follows from the model's."""
    device: str | None = None
    port: int | None = None
    max_model_len: int | None = None
    max_num_seqs: int | None = None
    block_size: int | None = None
    engine_args: tuple[tuple[str, str], ...] | None = None
    """Further flags of the engine, (name, value), checked by `rules/engine_flags`."""
