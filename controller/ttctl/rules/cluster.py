# SPDX-License-Identifier: Apache-2.0
"""What does an engine read of the hosts that its entry spans? Pure.

Which hosts these are is not known when a folder is rendered: a mark stands for what names them, and
`hosts.sh` of the folder fills it in.

Source: tenstorrent/tt-inference-server:workflows/multihost_config.py@v0.12.0
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.rules.tt_options import options_of, spelled

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract
    from ttctl.model.spec import ModelSpec

CLUSTER = "/etc/ttctl/cluster"
"""Where a container reads what names the hosts, and its part of their ssh key."""
SHARED = "/home/container_app_user/shared"
"""Where the storage that all hosts share is mounted: at the same path in every container."""
PICKLES = "config_pkl"
"""Folder of the shared storage in which vLLM hands its settings to the other hosts."""
HOSTS, INTERFACE = "@TTCTL_HOSTS@", "@TTCTL_INTERFACE@"
SSH_PORT = 2200
PASSED_ON = (
    "VLLM_*", "MESH_DEVICE", "HF_TOKEN", "TT_METAL_HOME", "GLOO_SOCKET_IFNAME",
    "NCCL_SOCKET_IFNAME",
)  # fmt: skip
"""Variables that upstream passes on from the server to the processes on every host."""
OF_THE_HUB = ("HF_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
"""What ttctl passes on besides: where names are found without the network."""


def clustered(spec: ModelSpec, contract: LaunchContract) -> ModelSpec:
    """Return the entry with the options that start its processes on every host."""
    own = options_of(spec.engine_args)
    before = own.get("env_passthrough")
    names = [*(before if isinstance(before, list) else ()), *PASSED_ON, *OF_THE_HUB]
    options = {**own, **_options(spec, contract), "env_passthrough": names}
    flag = spec.pins.flag if spec.pins else ""
    return replace(spec, engine_args=spelled(spec.engine_args, flag, options))


def _options(spec: ModelSpec, contract: LaunchContract) -> dict[str, object]:
    folder = f"{contract.metal}/tests/tt_metal/distributed/config"
    ranks = f"--map-by rankfile:file={CLUSTER}/rankfile --bind-to none"
    return {
        "rank_binding": f"{folder}/{spec.device}_rank_bindings.yaml",
        "mpi_args": f"--host {HOSTS} {ranks}",
        "extra_ttrun_args": f"--tcp-interface {INTERFACE}",
        "config_pkl_dir": f"{SHARED}/{PICKLES}",
    }
