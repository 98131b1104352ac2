# SPDX-License-Identifier: Apache-2.0
"""What a catalog entry says: one model on one device, and what it needs. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from ttctl.model.pins import Changed, Issue, Pins, Requirement, Target

WeightsKind = Literal["hub", "bundled", "folder"]

CatalogEngine = Literal["vllm", "media", "forge"]
"""Upstream's `inference_engine` in lower case."""

EngineName = Literal["vllm", "media", "forge", "direct", "sd"]
"""What owns the device and computes; the last two are programs of ours on an entry's tt-metal."""

ModelType = Literal[
    "LLM", "VLM", "IMAGE", "VIDEO", "AUDIO", "TEXT_TO_SPEECH", "EMBEDDING", "CNN", "OTHER"
]
"""Upstream's `model_type`; `OTHER` is a word that this version does not know."""

Status = Literal["EXPERIMENTAL", "FUNCTIONAL", "COMPLETE", "TOP_PERF"]
"""Upstream's words, the least first."""

MODEL_TYPES: tuple[str, ...] = get_args(ModelType)
STATUSES: tuple[str, ...] = get_args(Status)
ODD_STATUS = "status "
"""How the suspect line of a status begins that was not understood."""

Values = Literal["first", "latest"]
"""Whose arguments an image is started with: of its first validation, or of the newest release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Where the weights of a model come from."""

    kind: WeightsKind
    """`hub`: a repository on the model hub; `bundled`: a folder that ttctl ships; `folder`: one of
    the user's, of which no hub has told what it is."""
    repository: str
    """`owner/name` on the hub, or the image folder that holds the model."""
    revision: str = ""
    """40 hex digits, empty while unresolved."""
    size_bytes: int = 0
    """About how much will be fetched, for the check of free disk space."""
    original: bool = False
    """Whether Meta's own files are read, which lie in the repository's folder `original`."""


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
    """One catalog entry: model x device x engine x implementation."""

    id: str = ""
    """Upstream's `model_id`; made of model and device for our own entries."""
    model: str
    """Name as the OpenAI API shows it, and upstream's `hf_model_repo`."""
    device: str
    engine: EngineName
    implementation: str = ""
    """Upstream's `impl_id`, empty for our own images."""
    type: ModelType = "LLM"
    aliases: tuple[str, ...] = ()
    description: str = ""
    image: str
    """The folder under images/ that builds the engine's image; empty where `pins` say it all."""
    weights: Weights
    limits: Limits
    engine_args: tuple[tuple[str, str], ...] = ()
    """Further flags of `vllm serve`; an empty value is a bare flag.

    Of an entry with pins: all arguments as first validated, in upstream's spelling and order.
    """
    environment: tuple[tuple[str, str], ...] = ()
    changed: tuple[Changed, ...] = ()
    """What later releases changed for the same image."""
    memory_mib: int
    """Limit of the engine's container; 0 where the entry does not say."""
    disk_mib: int = 0
    """Room that weights and caches take, upstream's `min_disk_gb`; 0 where it does not say."""
    parameters: float = 0
    """Billions of parameters, 0 where the entry does not say."""
    status: str
    license: str = ""
    offline_model: str = ""
    """The entry that serves in this one's place where the hub cannot be reached."""
    default: bool = False
    """Whether an alias that several entries share means this one; upstream's `default_impl`."""
    demo: bool = False
    """Whether this is a demonstration and not a useful model."""
    source: str = ""
    """Where the entry's facts come from."""
    pins: Pins | None = None
    """What was validated together; None for our own images."""
    requirements: tuple[Requirement, ...] = ()
    tool_parser: str = ""
    reasoning_parser: str = ""
    modalities: tuple[str, ...] = ("text",)
    start_s: int = 0
    """Longest that the first start may take, upstream's `tensor_cache_timeout`; 0 if not said."""
    warms_up: bool = False
    """Whether the model captures its traces by itself, upstream's `has_builtin_warmup`."""
    targets: tuple[Target, ...] = ()
    issues: tuple[Issue, ...] = ()
    suspect: tuple[str, ...] = ()
    """Values out of line with those of sibling entries, each with its reason."""
    experimental: str = ""
    """Why it runs though nobody validated it on this device; empty for every catalog entry."""
    known_bad: tuple[str, ...] = ()
    """Where entries are listed: why it is known not to work; `models show` has the sources."""

    @property
    def derived_from(self) -> str:
        """The entry whose tt-metal a program of ours stands on; empty for a validated pairing."""
        return self.id if self.pins is not None and self.pins.is_derived else ""

    @property
    def engine_to_name(self) -> str:
        """The engine, where it serves another's entry and so has to be asked for; else empty."""
        return self.engine if self.derived_from or self.engine == "direct" else ""

    @property
    def status_is_told(self) -> bool:
        """Whether the status is upstream's word, and not what stands for one that is unknown."""
        return not any(one.startswith(ODD_STATUS) for one in self.suspect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked for. None means: as the catalog says."""

    model: str
    name: str | None = None
    """The stack's name; by default it follows from the model's."""
    device: str | None = None
    port: int | None = None
    host: str | None = None
    """Address of this host on which the gateway listens; None for the locked one, else loopback."""
    tls: str | None = None
    """`generated`, `none`, or a file with a certificate; None for what is locked, else `none`."""
    tls_key: str | None = None
    """The certificate's key, where that is in a file of its own."""
    max_model_len: int | None = None
    max_num_seqs: int | None = None
    block_size: int | None = None
    image_uid: int | None = None
    """User id in an image that ttctl builds for a card; None for the locked one, else the usual."""
    engine_args: tuple[tuple[str, str], ...] | None = None
    """Further flags of the engine, (name, value), checked by `rules/engine_flags`."""
    task: str | None = None
    """What the model has to be good for, one of `model/match.py`'s tasks."""
    experimental: bool = False
    """Whether what was not validated on the device may be taken, with smaller limits."""
    unattended: bool = False
    """Whether nobody is there to choose between several models."""
    guesses: bool = False
    """Whether a typo or a fragment is taken for the name that it is like."""
    engine: str | None = None
    """Only entries of this engine."""
    implementation: str | None = None
    """Only entries of this implementation, upstream's `impl_id`."""
    boards: tuple[str, ...] = ()
    """Names of the very boards that are wanted; none for any that are free."""
    sources: tuple[str, ...] = ()
    """Checkouts in place of pinned commits, `COMPONENT=PATH`."""
    services: tuple[str, ...] | None = None
    """Further services of the stack, `rules/beside.py` reads them; None for those locked."""
    ejected: tuple[str, ...] | None = None
    """Folders of services that the user edited; None for those locked."""
    values: Values | None = None
    """Whose arguments; None for those that are locked, else of the first validation."""
    from_settings: tuple[str, ...] = field(default=(), compare=False)
    """Fields that nobody typed: a setting filled them, which may say something else next time."""
