# SPDX-License-Identifier: Apache-2.0
"""Which fields of an upstream entry are read? Each may be absent, null or of another type.

Source: tenstorrent/tt-inference-server:workflows/model_spec.py, releases 0.1.0 to 0.20.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from ttctl.adapters.upstream_values import (  # noqa: TC001 - pydantic reads them
    Count,
    Items,
    Map,
    Number,
    Text,
    Yes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class DeviceEntry(BaseModel):
    """`device_model_spec`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    device: Text = ""
    max_concurrency: Count = 0
    max_context: Count = 0
    default_impl: Yes = False
    perf_reference: Items = Field(default_factory=list)
    vllm_args: Map = Field(default_factory=dict)
    env_vars: Map = Field(default_factory=dict)
    tensor_cache_timeout: Count = 0
    system_requirements: Map = Field(default_factory=dict)
    known_issues: Items = Field(default_factory=list)


class Entry(BaseModel):
    """One entry, of whatever release."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model_id: Text = ""
    impl: Map = Field(default_factory=dict)
    hf_model_repo: Text = ""
    hf_weights_repo: Text = ""
    inference_engine: Text = ""
    device_type: Text = ""
    device_model_spec: Map = Field(default_factory=dict)
    system_requirements: Map = Field(default_factory=dict)
    env_vars: Map = Field(default_factory=dict)
    tt_metal_commit: Text = ""
    vllm_commit: Text = ""
    param_count: Number = 0
    min_disk_gb: Number = 0
    min_ram_gb: Number = 0
    model_type: Text = ""
    version: Text = ""
    docker_image: Text = ""
    status: Text = ""
    supported_modalities: Items = Field(default_factory=list)
    metadata: Map = Field(default_factory=dict)
    has_builtin_warmup: Yes = False


def same_keys(raw: Mapping[str, object]) -> dict[str, object]:
    """Return the fields under the names of release 0.20.0: `docker-image` is `docker_image`."""
    return {key.replace("-", "_").lower(): value for key, value in raw.items()} | dict(raw)
