# SPDX-License-Identifier: Apache-2.0
"""Is it told what a starting engine does, by its log or by what grows?"""

from __future__ import annotations

import re

import pytest

from ttctl.rules.start_phase import (
    FOLDERS,
    LINES,
    PHASES,
    budget_text,
    heard,
    look_text,
    phase_now,
    said_of,
    silence_text,
    size_text,
)

NAMES = [phase.name for phase in PHASES]
BY_NAME = {phase.name: phase for phase in PHASES}
LOG = [
    (" Container ttctl-llama-vllm-1  Started", "engine"),
    ("INFO 11-21 08:36:10 [api_server.py:1] vLLM API server version 0.11.0", "engine"),
    ("2026-02-03 - INFO - Worker 0 started with device runner: TTWhisperRunner", "engine"),
    (
        "10:00:00.162 | info | Device | Opening user mode device driver (tt_x:1)",
        "device",
    ),
    ("| info | SiliconDriver | Opened PCI device 0; KMD version: 2.3.0; IOMMU: enabled", "device"),
    ("run_vllm_api_server:316 - INFO: Downloading weights from acme/x to /cache/w", "download"),
    ("INFO [tt_worker.py:344] multidevice with 8 devices and grid (1, 8) is created", "weights"),
    ("INFO [tt_model_runner.py:95] Loading TT model...", "weights"),
    ("Loading checkpoint shards:  20%|##        | 1/5 [00:01<00:06,  1.50s/it]", "weights"),
    ("INFO [tt_model_runner.py:9] Warmup run for prefill started", "traces"),
    ("| INFO | models.tt_transformers.tt.generator:x:9 - Done Capturing Decode Trace", "traces"),
    ("| INFO | generator:y:1 - Warming up prefill for sequence length: 128", "traces"),
    ("2026-02-03 - INFO - Device 0: Model warmup...", "traces"),
    ("INFO: Capturing traces for input_seq_len=32, output_seq_len=4", "traces"),
    ("INFO:     Application startup complete.", "serving"),
]


@pytest.mark.parametrize(("line", "phase"), LOG, ids=[line[:30] for line, _ in LOG])
def test_a_line_of_the_log_tells_the_phase(line: str, phase: str) -> None:
    assert heard("container", line) == phase


def test_every_pattern_is_tried_by_a_line_and_says_where_it_is_from() -> None:
    for pattern, phase, source in LINES:
        assert any(re.search(pattern, line) for line, _ in LOG), pattern
        assert phase in NAMES
        assert source


def test_a_start_never_goes_back_and_other_lines_tell_nothing() -> None:
    assert heard("traces", "INFO Loading TT model...") == "traces"
    assert heard("weights", "INFO something else") == "weights"


@pytest.mark.parametrize(
    ("told", "grown", "phase"),
    [
        pytest.param("weights", {}, "weights", id="nothing grows: as the log says"),
        pytest.param("weights", {"tt_metal_cache": 9, "kernels": 1}, "tensors", id="the most"),
        pytest.param("weights", {"tt_metal_cache": 1, "kernels": 9}, "kernels", id="kernels"),
        pytest.param("engine", {"huggingface": 9}, "download", id="a download"),
        pytest.param("device", {"dit": 9}, "tensors", id="diffusion"),
        pytest.param("traces", {"kernels": 9}, "traces", id="traces compile kernels too"),
        pytest.param("device", {"logs": 9}, "device", id="logs tell nothing"),
        pytest.param("device", {"kernels": 0, "dit": -5}, "device", id="nothing grew"),
    ],
)
def test_what_grows_tells_the_phase_where_the_log_is_behind(
    told: str, grown: dict[str, int], phase: str
) -> None:
    assert phase_now(told, grown).name == phase


def test_folders_stand_for_phases_that_there_are() -> None:
    assert {phase for _, phase in FOLDERS} <= set(NAMES)


def test_weights_that_were_converted_before_are_read() -> None:
    weights = BY_NAME["weights"]
    assert said_of(weights, had_tensors=True, grew=False) == "reading the tensor cache"
    assert said_of(weights, had_tensors=True, grew=True) == "loading weights"
    assert said_of(weights, had_tensors=False, grew=False) == "loading weights"
    assert said_of(BY_NAME["tensors"], had_tensors=True, grew=True) == "building the tensor cache"


def test_a_first_start_is_told_its_limit_and_that_later_ones_are_faster() -> None:
    first = budget_text(limit_s=6400, cache_bytes=0)
    assert first.startswith("a first start: up to 107 min; ")
    assert "291 s became 80 s" in first
    later = budget_text(limit_s=3600, cache_bytes=12_300_000_000)
    assert later == "a start with 12.3 GB of caches: up to 60 min, usually less"


def test_what_starts_took_here_is_told_in_place_of_what_they_took_elsewhere() -> None:
    usual = "usually 12 min (from 3 earlier starts here)"
    first = budget_text(limit_s=6400, cache_bytes=0, usual=usual)
    assert first == f"a first start: up to 107 min; {usual}"
    later = budget_text(limit_s=3600, cache_bytes=12_300_000_000, usual=usual)
    assert later == f"a start with 12.3 GB of caches: up to 60 min, {usual}"
    line = look_text("x", cache_bytes=0, rate=0, gone_s=5, limit_s=60, usual=usual)
    assert line == f"x; 0:05 of at most 1:00, {usual}"


def test_a_look_is_one_line_with_growth_and_time() -> None:
    line = look_text(
        "loading weights", cache_bytes=3_200_000_000, rate=41e6, gone_s=75, limit_s=3600
    )
    assert line == "loading weights; caches 3.2 GB, +41.0 MB/s; 1:15 of at most 60:00"
    bare = look_text("opening the boards", cache_bytes=0, rate=0, gone_s=5, limit_s=60)
    assert bare == "opening the boards; 0:05 of at most 1:00"


def test_a_silent_start_is_told_what_it_probably_does() -> None:
    assert silence_text(BY_NAME["traces"], 59) == ""
    assert silence_text(BY_NAME["traces"], 180) == (
        "no line for 3:00: probably it compiles and captures traces"
    )


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (7e6, "7.0 MB"), (1e9, "1.0 GB")],
)
def test_a_size_has_the_unit_that_suits_it(size: float, text: str) -> None:
    assert size_text(size) == text
