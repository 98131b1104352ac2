# SPDX-License-Identifier: Apache-2.0
"""Lines of an engine's log that mean that it will not come up. Plain rows, and no logic.

The lines of vLLM were seen when each was provoked on the processor, with vLLM 0.32.0. Those of
tt-metal and of the driver's library are from their sources and issue reports: not yet seen on a
card.
"""

from __future__ import annotations

from typing import NamedTuple


class Sign(NamedTuple):
    """One kind of such a line."""

    name: str
    pattern: str
    """A regular expression, searched in one line."""
    cause: str
    """What it means; `{0}`, `{1}` are the pattern's groups."""
    next_step: str = ""
    """What to type; `{model}` is the word that was asked for, `{cache}` the cache's folder,
    `{context}` half of the context. Empty where only the log helps."""
    source: str = "vLLM 0.32.0, provoked on the processor"
    of_card: bool = False
    """Whether the engine had its boards open, so that they may be in disorder."""
    vague: bool = False
    """Whether a more exact line is usually near."""
    as_warning: bool = False
    """Whether it counts though it is logged as a warning."""


SIGNS: tuple[Sign, ...] = (
    Sign(
        "flag", r"error: (unrecognized arguments|argument )", "the engine refused one of its flags"
    ),
    Sign(
        "context",
        r"max_model_len .* is greater than the derived",
        "the model has a shorter context than --max-model-len asks for",
    ),
    Sign(
        "kv-cache",
        r"To serve at least one request .* KV cache",
        "the KV cache is too small for one request",
        "ttctl up {model} --max-model-len {context}",
    ),
    Sign(
        "memory-limit",
        r"Free memory .* is less than desired",
        "the memory limit is too small for the engine",
    ),
    Sign(
        "memlock",
        r"Failed to pin pages for|Failed pinning pages",
        "the driver could not lock memory: the container's limit for locked memory is too small, "
        "or the host has too few free hugepages",
        "ttctl doctor",
        "tenstorrent/tt-umd:device/pcie/pci_device.cpp; tenstorrent/tt-metal#21375",
        of_card=True,
    ),
    Sign(
        "hugepages",
        r"Hugepages must be successfully initialized|Hugepages are not allocated|"
        r"Mapping a hugepage failed",
        "the host has too few hugepages of 1 GiB for the boards",
        "ttctl doctor",
        "tenstorrent/tt-umd:device/chip_helpers/sysmem_manager.cpp; tenstorrent/tt-metal#13618",
        of_card=True,
    ),
    Sign(
        "trace-region",
        r"Creating trace buffers of size (\d+)B .*but only (\d+)B is allocated",
        "the trace region is too small: trace_region_size has to be {0} or more, and is {1}",
        "ttctl plan {model} --values latest",
        "tenstorrent/tt-metal:tt_metal/distributed/mesh_trace.cpp; "
        "tenstorrent/tt-inference-server#4005",
        of_card=True,
    ),
    Sign(
        "board-memory",
        r"Out of Memory: Not enough space to allocate (\d+) B (\w+) buffer",
        "the boards' memory is too small: {0} bytes of {1} could not be had",
        "ttctl up {model} --max-model-len {context}",
        "tenstorrent/tt-metal:tt_metal/impl/allocator/bank_manager.cpp",
        of_card=True,
    ),
    Sign(
        "memory",
        r"(MemoryError|OutOfMemoryError|Cannot allocate memory)",
        "the engine ran out of memory",
    ),
    Sign("disk", r"No space left on device", "a file system is full", "ttctl doctor"),
    Sign(
        "cache-owner",
        r"(PermissionError: \[Errno 13\]|filesystem error: .*Permission denied).*"
        r"(cache_root|TT_DIT_CACHE|tt-metal/built|['\"]/cache/)",
        "a cache belongs to another user, and the engine may not write it",
        "sudo chmod -R o+rwX {cache}",
        "tenstorrent/tt-inference-server#814, #255; Python's and libstdc++'s own words",
    ),
    Sign(
        "permission", r"PermissionError: \[Errno 13\]", "the container's user may not read a file"
    ),
    Sign(
        "gated",
        r"GatedRepoError|Cannot access gated repo|You are trying to access a gated repo",
        "the model hub keeps these weights for those who accepted their license",
        "hf auth login",
        "huggingface_hub, utils/_http.py; tenstorrent/tt-inference-server#37",
    ),
    Sign(
        "weights",
        r"SafetensorError|Error while deserializing header",
        "a weights file is damaged",
        "ttctl models verify {model}",
    ),
    Sign(
        "missing-file",
        r"(is not a local folder|does not appear to have a file named|No such file.*/models/)",
        "a file of the model is missing",
    ),
    Sign("port", r"Address already in use", "the engine's port is taken inside its container"),
    Sign(
        "links",
        r"Timed out (while )?waiting for (active ethernet core|ETH heartbeat)",
        "the card's links were left in disorder: it needs a reset",
        "ttctl up {model} --reset",
        "tenstorrent/tt-inference-server#4923; "
        "tenstorrent/tt-umd:device/topology/topology_discovery_error.cpp",
        of_card=True,
    ),
    Sign(
        "board-in-use",
        r"Waiting for lock '\w*CHIP_IN_USE\w*' which is currently held by .*PID: (\d+)",
        "another process has the chip open and this start would wait for it without end: "
        "process {0} of the host, or of its container",
        "ttctl devices",
        "tenstorrent/tt-umd:device/utils/robust_mutex.cpp, #973",
        as_warning=True,
    ),
    Sign(
        "windows-in-use",
        r"Failed to allocate (the )?TLB",
        "another process has the chip open",
        "ttctl devices",
        "tenstorrent/tt-umd:device/pcie/pci_device.cpp, #1756",
    ),
    Sign(
        "firmware",
        r"Firmware bundle version (\S+) on .*is older than the minimum compatible version (\S+)",
        "the boards' firmware {0} is too old for this image, which needs {1}",
        "ttctl devices check",
        "tenstorrent/tt-umd:device/topology/topology_discovery_error.cpp, #1719",
    ),
    Sign(
        "driver",
        r"Running UMD requires KMD version (\S+) or newer",
        "the driver is too old for this image, which needs {0}",
        "ttctl devices check",
        "tenstorrent/tt-umd:device/pcie/pci_device.cpp",
    ),
    Sign(
        "no-driver",
        r"No Tenstorrent driver detected|because no chips were detected",
        "the container sees no chip: the driver is not loaded, or its nodes are gone",
        "ttctl doctor",
        "tenstorrent/tt-umd:device/cluster_descriptor.cpp; tenstorrent/tt-installer#51",
    ),
    Sign(
        "versions",
        r"module 'ttnn[\w.]*' has no attribute|cannot import name .* from '(ttnn|models)\b",
        "tt-metal and vllm in this image do not fit together",
        "ttctl models show {model}",
        "tenstorrent/tt-inference-server#677; Python's own words",
    ),
    Sign(
        "device",
        r"TT_(THROW|FATAL)",
        "the Tenstorrent device did not start",
        source="tenstorrent/tt-metal:tt_metal/api/tt-metalium/assert.hpp",
        of_card=True,
        vague=True,
    ),
    Sign(
        "core",
        r"Engine core initialization failed",
        "the engine's core did not start",
        of_card=True,
        vague=True,
    ),
    Sign("module", r"^(ModuleNotFoundError|ImportError):", "the image lacks a Python module"),
)
"""The first that fits holds; the vague ones stand behind those that say more."""
