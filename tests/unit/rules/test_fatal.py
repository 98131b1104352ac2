# SPDX-License-Identifier: Apache-2.0
"""Is a line that ends an engine told from one that only sounds so?"""

from __future__ import annotations

import pytest

from ttctl.rules.fatal import card_cause_of, cause_of, exact, is_vague, sign_of
from ttctl.rules.fatal_signs import SIGNS

FATAL = [
    ("vllm: error: unrecognized arguments: --bogus", "refused one of its flags"),
    ("vllm serve: error: argument --block-size: invalid choice: 48", "refused one of its flags"),
    (
        (
            "ValueError: User-specified max_model_len (9000) is greater than the derived"
            " max_model_len (max_position_embeddings=2048.0 or model_max_length=None)."
        ),
        "shorter context",
    ),
    (
        (
            "ValueError: To serve at least one request with the models's max seq len (4096), (0.06"
            " GiB KV cache is needed, which is larger than the available memory (0.01 GiB)."
        ),
        "KV cache is too small",
    ),
    (
        (
            "ValueError: Free memory on device (3.1/6.0 GiB) on startup is less than desired CPU"
            " memory utilization (0.9, 5.4 GiB)."
        ),
        "memory limit is too small",
    ),
    ("MemoryError", "ran out of memory"),
    ("OSError: [Errno 12] Cannot allocate memory", "ran out of memory"),
    ("OSError: [Errno 28] No space left on device", "file system is full"),
    ("PermissionError: [Errno 13] Permission denied: '/models/x'", "may not read a file"),
    (
        "safetensors_rust.SafetensorError: Error while deserializing header: InvalidHeader",
        "weights file is damaged",
    ),
    ("OSError: acme/x is not a local folder and is not a valid model identifier", "is missing"),
    ("OSError: /models/x does not appear to have a file named config.json.", "is missing"),
    ("FileNotFoundError: [Errno 2] No such file or directory: '/models/x/a'", "is missing"),
    ("OSError: [Errno 98] Address already in use", "port is taken"),
    (
        (
            "TT_FATAL: Creating trace buffers of size 30712832B on MeshDevice 0, but only"
            " 25000000B is allocated for trace region."
        ),
        "trace_region_size has to be 30712832 or more, and is 25000000",
    ),
    ("TT_FATAL @ tt_metal/llrt/x.cpp:1: false", "Tenstorrent device"),
    ("terminate called: TT_THROW @ device.cpp:2", "Tenstorrent device"),
    ("RuntimeError: Engine core initialization failed. See root cause above.", "core did not"),
    ("ModuleNotFoundError: No module named 'vllm._C'", "lacks a Python module"),
    ("ERROR 11-21 08:00:00 [core.py:1] MemoryError", "ran out of memory"),
    ("(EngineCore_DP0 pid=61) ERROR 11-21 [core.py:1] SafetensorError: x", "is damaged"),
]

OF_CARDS = [
    (
        "memlock",
        (
            "Failed to pin pages for DMA buffer at virtual address 0x7f00 with size 0x40000000 and"
            " flags 0x2: Cannot allocate memory"
        ),
    ),
    ("memlock", "RuntimeError: Failed to pin pages for hugepage at virtual address 0x0 with size"),
    (
        "hugepages",
        (
            "2026-02-03 10:00:00.834 | FATAL    | Always          - Hugepages must be successfully"
            " initialized if workload contains remote chips!"
        ),
    ),
    ("hugepages", "write_buffer: Hugepages are not allocated ch: 0. - Ensure sufficient number"),
    (
        "trace-region",
        (
            "| critical | Always | TT_FATAL: Creating trace buffers of size 30712832B on MeshDevice"
            " 0, but only 25000000B is allocated for trace region. (assert.hpp:1)"
        ),
    ),
    (
        "board-memory",
        (
            "TT_FATAL: Out of Memory: Not enough space to allocate 335544320 B DRAM buffer across 8"
            " banks, where each bank needs to store 41943040 B, but bank size is 4273390016 B"
        ),
    ),
    (
        "cache-owner",
        "PermissionError: [Errno 13] Permission denied: '/home/container_app_user/cache_root/logs'",
    ),
    (
        "cache-owner",
        (
            "what(): filesystem error: cannot create directories: Permission denied"
            " [/home/container_app_user/cache_root/kernels/abc]"
        ),
    ),
    ("permission", "PermissionError: [Errno 13] Permission denied: '/models/x'"),
    (
        "gated",
        "huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-6)",
    ),
    ("gated", "Cannot access gated repo for url https://hub.example.org/acme/x"),
    (
        "links",
        "Device 0: Timed out while waiting for active ethernet core 29-25 to become active again.",
    ),
    ("links", "Timed out waiting for ETH heartbeat on device ASIC ID: 1, ETH core (1, 2)"),
    (
        "board-in-use",
        (
            "2026-02-03 10:00:00.1 | warning  |             UMD | Waiting for lock"
            " 'CHIP_IN_USE_0_PCIe' which is currently held by thread TID: 60481, PID: 60407"
            " (robust_mutex.cpp:473)"
        ),
    ),
    ("windows-in-use", "RuntimeError: Failed to allocate TLB window. Note that the resource"),
    (
        "firmware",
        (
            "Firmware bundle version 18.4.0 on device 0 is older than the minimum compatible"
            " version 18.5.0 for blackhole architecture."
        ),
    ),
    ("driver", "RuntimeError: Running UMD requires KMD version 1.33.0 or newer."),
    ("no-driver", "No Tenstorrent driver detected! Please install driver using tt-kmd"),
    ("no-driver", "Unable to determine architecture because no chips were detected."),
    ("versions", "AttributeError: module 'ttnn' has no attribute 'set_fabric_config'"),
    ("versions", "ImportError: cannot import name 'x' from 'models.tt_transformers.tt' (/a)"),
    ("device", "terminate called: TT_THROW @ device.cpp:2"),
    ("core", "RuntimeError: Engine core initialization failed. See root cause above."),
]
"""Lines as upstream's sources and issue reports spell them."""

HARMLESS = [
    (
        "2026-02-03 10:00:00.1 | warning  | UMD | Waiting for lock 'MEM_BARRIER_0' which is"
        " currently held by thread TID: 1, PID: 2"
    ),
    "2026-02-03 10:00:00.1 | warning  | UMD | UMD: Mapping a hugepage failed. (device: 0, 1/2)",
    "2026-02-03 10:00:00.1 | info     | UMD | Opened PCI device 0; KMD version: 2.3.0",
    "INFO 11-21 08:36:10 [api_server.py:1] vLLM API server version 0.32.0",
    "WARNING 11-21 08:36:10 [_logger.py:1] ImportError: libcuda.so.1: No such file or directory",
    "(APIServer pid=1) WARNING 11-21 08:36:10 [x.py:1] Address already in use, trying the next",
    "INFO 11-21 08:36:10 [importing.py:1] Triton not installed: ModuleNotFoundError: triton",
    "DEBUG 11-21 08:36:10 [x.py:1] MemoryError was handled",
    (
        "[W1121 08:36:10.123 socket.cpp:464] [c10d] The server socket has failed to bind to"
        " [::]:29500 (errno: 98 - Address already in use)."
    ),
    "[W1121 08:36:10.5 x.cpp:1] Cannot allocate memory for the large pages, using small ones",
    "/opt/venv/lib/python3.11/site-packages/x.py:1: UserWarning: No such file: /proc/driver/nvidia",
    'INFO:     127.0.0.1:40000 - "GET /health HTTP/1.1" 200 OK',
    "INFO:     Application startup complete.",
    "Loading safetensors checkpoint shards: 100% Completed | 1/1 [00:00<00:00,  3.2it/s]",
    "the model loads ImportError-prone code",
    "",
    "   ",
]


@pytest.mark.parametrize(("line", "cause"), FATAL, ids=[line[:40] for line, _ in FATAL])
def test_a_line_that_ends_the_engine_is_known_with_its_cause(line: str, cause: str) -> None:
    assert cause in (cause_of(line) or "")


@pytest.mark.parametrize("line", HARMLESS, ids=[line[:40] or "empty" for line in HARMLESS])
def test_a_line_that_ends_nothing_is_passed_over(line: str) -> None:
    assert cause_of(line) is None


@pytest.mark.parametrize(("name", "line"), OF_CARDS, ids=[line[:50] for _, line in OF_CARDS])
def test_a_line_of_a_card_is_told_as_what_it_is(name: str, line: str) -> None:
    found = sign_of(line)
    assert found is not None
    assert found[0].name == name
    assert "{" not in (cause_of(line) or "{")


def test_every_sign_has_a_line_that_tries_it_and_a_source() -> None:
    tried = {line for line, _ in FATAL} | {line for _, line in OF_CARDS}
    seen = {found[0].name for line in tried if (found := sign_of(line))}
    assert seen == {sign.name for sign in SIGNS}
    assert all(sign.source for sign in SIGNS)


def test_a_sign_names_only_places_that_can_be_filled() -> None:
    for sign in SIGNS:
        step = sign.next_step.format(model="llama", cache="/cache/x", context=2048)
        assert "{" not in step, sign.name


def test_what_ended_with_open_boards_leaves_them_in_disorder() -> None:
    assert card_cause_of("TT_FATAL @ x.cpp:1: false")
    assert card_cause_of("Device 0: Timed out while waiting for active ethernet core 29-25")
    assert card_cause_of("MemoryError") is None
    assert card_cause_of("Cannot access gated repo for url") is None
    assert card_cause_of("all is well") is None


def test_a_vague_line_gives_way_to_one_that_says_more() -> None:
    vague = "TT_FATAL @ x.cpp:1: false"
    exactly = "Device 0: Timed out while waiting for active ethernet core 29-25"
    assert is_vague(vague)
    assert not is_vague(exactly)
    assert not is_vague("all is well")
    assert exact(("begin", vague, "info:", exactly), vague) == exactly
    assert exact(("begin", vague, "info:"), vague) == vague
