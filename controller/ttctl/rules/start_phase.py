# SPDX-License-Identifier: Apache-2.0
"""What does an engine do while it starts? By its log, and by what grows. Pure.

A first start on a card converts the weights, compiles kernels and captures traces, and is silent
for long stretches of that. None of this was seen on a card yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SILENT_S = 60.0
"""Seconds without a line after which it is said what the engine probably does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One stretch of a start."""

    name: str
    said: str
    """What it is, for people."""
    silent: str
    """What an engine that says nothing probably does then."""


PHASES: tuple[Phase, ...] = (
    Phase(name="container", said="starting the container", silent="it loads its libraries"),
    Phase(name="engine", said="starting the engine", silent="it imports Python modules"),
    Phase(name="device", said="opening the boards", silent="it trains links between the chips"),
    Phase(name="download", said="fetching weights", silent="it fetches files from the hub"),
    Phase(name="weights", said="loading weights", silent="it reads or converts the weights"),
    Phase(name="tensors", said="building the tensor cache", silent="it converts the weights"),
    Phase(name="kernels", said="compiling kernels", silent="it compiles kernels for the chips"),
    Phase(name="traces", said="capturing traces", silent="it compiles and captures traces"),
    Phase(name="serving", said="starting the server", silent="it waits for its health check"),
    Phase(name="answer", said="waiting for its answer", silent="it computes the first prompt"),
)
"""In the order of a start."""

LINES: tuple[tuple[str, str, str], ...] = (
    (r"Container \S+ +Started\b", "engine", "docker/compose"),
    (r"vLLM API server version", "engine", "vllm/entrypoints/openai/api_server.py"),
    (
        r"Worker \S+ started with device runner",
        "engine",
        "tt-inference-server:tt-media-server/device_workers/device_worker.py@v0.20.0",
    ),
    (
        r"Opening user mode device driver|Opened PCI device \d+",
        "device",
        "tt-metal:tt_metal/llrt/tt_cluster.cpp; tt-umd:device/pcie/pci_device.cpp",
    ),
    (r"Downloading weights (from|for model)", "download", "run_vllm_api_server.py@v0.20.0"),
    (
        r"multidevice with \d+ devices and grid",
        "weights",
        "tt-inference-server:tt-vllm-plugin/tt_vllm_plugin/worker/tt_worker.py@v0.20.0",
    ),
    (
        r"Loading (TT|TT pooling) model\.\.\.|Loading (safetensors )?checkpoint shards",
        "weights",
        "tt_vllm_plugin/v1/worker/tt_model_runner.py@v0.20.0; transformers",
    ),
    (
        r"Warmup run for (prefill|decode)|Compile run for (prefill|decode)",
        "traces",
        "tenstorrent/vllm#254: vllm/v1/worker/tt_model_runner.py",
    ),
    (
        r"Warming up prefill for sequence length|Done Compiling Model|Done Capturing \w+ Trace",
        "traces",
        "tt-metal:models/tt_transformers/tt/generator.py",
    ),
    (
        r"Model warmup\.\.\.|Starting model warmup",
        "traces",
        "tt-inference-server:tt-media-server/tt_model_runners/embedding_runner.py@v0.20.0",
    ),
    (
        r"Capturing traces for input|background trace capture process",
        "traces",
        "tt-inference-server:utils/prompt_client.py@v0.20.0",
    ),
    (r"Application startup complete", "serving", "uvicorn"),
)
"""(pattern, name of the phase that such a line begins or shows, where upstream writes it)."""

FOLDERS: tuple[tuple[str, str], ...] = (
    ("huggingface", "download"),
    ("weights", "download"),
    ("tt_metal_cache", "tensors"),
    ("dit", "tensors"),
    ("kernels", "kernels"),
)
"""(folder of a cache, phase in which it grows): the folders of compose/contracts.toml."""

USUAL = (
    "a cache makes later starts faster: elsewhere 291 s became 80 s with converted weights "
    "(FLUX.2), and 15 min became 6 min with compiled kernels"
)
"""Source: tenstorrent/tt-model-manager:src/tt_kernel/container.py and its notes."""

LESS = "usually less"

ANSWER = PHASES[-1].name
"""The engine is up and was asked: no line shows it."""

_ORDER = {phase.name: index for index, phase in enumerate(PHASES)}


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    # Made when a log is read: whoever only starts does without.
    return tuple((re.compile(pattern), phase) for pattern, phase, _ in LINES)


def heard(before: str, line: str) -> str:
    """Return the phase after a line of the log; a start never goes back to an earlier one."""
    found = next((phase for pattern, phase in _patterns() if pattern.search(line)), before)
    return found if _ORDER[found] >= _ORDER[before] else before


def phase_now(told: str, grown: Mapping[str, int]) -> Phase:
    """Return the phase by the log or by the folder that grew most, whichever is further.

    Args:
        told: The phase that the log told last.
        grown: Folder of the cache to the bytes that it grew by since it was looked at last.
    """
    seen = {name: bytes_ for name, bytes_ in grown.items() if bytes_ > 0}
    folders = dict(FOLDERS)
    most = max(seen, key=lambda name: seen[name], default="")
    by_growth = folders.get(most, told)
    return PHASES[max(_ORDER[told], _ORDER[by_growth])]


def said_of(phase: Phase, *, had_tensors: bool, grew: bool) -> str:
    """Return what the phase is called, for people.

    Args:
        phase: Which.
        had_tensors: Whether converted weights were there before the start.
        grew: Whether the cache grows right now.
    """
    if phase.name == "weights" and had_tensors and not grew:
        return "reading the tensor cache"
    return phase.said


def budget_text(*, limit_s: float, cache_bytes: int, usual: str = "") -> str:
    """Return what to expect of a start before it begins.

    Args:
        limit_s: Seconds until the wait ends.
        cache_bytes: What earlier starts left.
        usual: What such starts took here; empty where there was none.
    """
    minutes = f"{limit_s / 60:.0f} min"
    if cache_bytes:
        return f"a start with {size_text(cache_bytes)} of caches: up to {minutes}, {usual or LESS}"
    return f"a first start: up to {minutes}; {usual or USUAL}"


def size_text(size_bytes: float) -> str:
    """Return a size in the unit that suits it."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size_bytes >= unit:
            return f"{size_bytes / unit:.1f} {name}"
    return f"{size_bytes:.0f} B"


def look_text(
    said: str, *, cache_bytes: int, rate: float, gone_s: float, limit_s: float, usual: str = ""
) -> str:
    """Return one line about a running start.

    Args:
        said: What it does.
        cache_bytes: Size of the cache.
        rate: Bytes per second that the cache grows by.
        gone_s: Seconds since the start.
        limit_s: Seconds until the wait ends.
        usual: What such starts took here; empty where there was none.
    """
    growth = f", +{size_text(rate)}/s" if rate > 0 else ""
    cache = f"; caches {size_text(cache_bytes)}{growth}" if cache_bytes else ""
    text = f"{said}{cache}; {_clock(gone_s)} of at most {_clock(limit_s)}"
    return f"{text}, {usual}" if usual else text


def silence_text(phase: Phase, silent_s: float) -> str:
    """Return what a silent engine probably does, empty where it has not been silent for long."""
    if silent_s < SILENT_S:
        return ""
    return f"no line for {_clock(silent_s)}: probably {phase.silent}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
