# SPDX-License-Identifier: Apache-2.0
"""Is a line that ends an engine told from one that only sounds so?"""

from __future__ import annotations

import pytest

from ttctl.rules.fatal import cause_of

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

HARMLESS = [
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
