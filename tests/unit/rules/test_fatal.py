# SPDX-License-Identifier: Apache-2.0
"""Is a line that ends an engine told from one that only sounds so?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.fakes import container

from ttctl.adapters.failures import known_failures
from ttctl.rules.fatal import exact, found_in, said_since, state_of, told, works

FATAL = [
    (
        (
            "Error response from daemon: failed to create shim task: OCI runtime create failed:"
            " runc create failed: unable to start container process: error during container init:"
            " error setting rlimits for ready process: error setting rlimit type 8: operation not"
            " permitted: unknown"
        ),
        "may not lift the limit for locked memory",
    ),
    (
        "Error: crun: setrlimit `RLIMIT_MEMLOCK`: Operation not permitted: OCI permission denied",
        "may not lift the limit for locked memory",
    ),
    (
        (
            'Error response from daemon: invalid mount config for type "bind": bind source path'
            " does not exist: /dev/hugepages-1G"
        ),
        "no folder /dev/hugepages-1G: its hugepages of 1 GiB are not mounted",
    ),
    (
        (
            'Error response from daemon: container 0a1b: driver "overlay2" failed to remove root'
            " filesystem: unlinkat /var/lib/docker/overlay2/9f/merged: device or resource busy"
        ),
        "`sudo umount /var/lib/docker/overlay2/9f/merged` lets it",
    ),
    ("bind source path does not exist: /srv/weights", "finds no /srv/weights on its host"),
    ("bind source path does not exist: /dev/hugepages-1G-x", "finds no /dev/hugepages-1G-x"),
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


KNOWN = known_failures()
LOGS = Path(__file__).parents[2] / "failures"
"""A log for each row of catalog/failures.toml, NAME.log or NAME.N.log: captured, or put together
from the sources that the row names."""


def cause_of(line: str) -> str:
    found = found_in(line, KNOWN)
    return found.cause if found else ""


@pytest.mark.parametrize(("line", "cause"), FATAL, ids=[line[:40] for line, _ in FATAL])
def test_a_line_that_ends_the_engine_is_known_with_its_cause(line: str, cause: str) -> None:
    assert cause in cause_of(line)


@pytest.mark.parametrize("line", HARMLESS, ids=[line[:40] or "empty" for line in HARMLESS])
def test_a_line_that_ends_nothing_is_passed_over(line: str) -> None:
    assert found_in(line, KNOWN) is None


@pytest.mark.parametrize("log", sorted(LOGS.glob("*.log")), ids=lambda path: path.name)
def test_a_log_is_told_as_what_it_is(log: Path) -> None:
    found = told(log.read_text(encoding="utf-8").splitlines(), KNOWN)
    assert found is not None
    assert found.failure.name == log.name.split(".")[0]
    assert "{" not in found.cause


def test_every_failure_has_a_log_that_tries_it() -> None:
    tried = {path.name.split(".")[0] for path in LOGS.glob("*.log")}
    assert tried == {one.name for one in KNOWN.failures}


def test_a_row_names_only_places_that_can_be_filled() -> None:
    for one in KNOWN.failures:
        step = one.next_step.format(up="up", model="llama", cache="/cache/x", context=2048)
        assert "{" not in step, one.name
    for state in KNOWN.states:
        cause = state.cause.format(service="vllm", code=1, limit=" of 1 MiB", restarts=2)
        step = state.next_step.format(up="up", stack="llama", service="vllm")
        assert "{" not in f"{cause}{step}", state.name


def test_what_ended_with_open_boards_leaves_them_in_disorder() -> None:
    of_card = {one.name for one in KNOWN.failures if one.of_card}
    assert {"device", "links", "trace-region", "board-memory", "chip-firmware"} <= of_card
    assert not {"memory", "gated", "flag", "port", "sysmem", "board-in-use"} & of_card


def test_a_vague_line_gives_way_to_one_that_says_more() -> None:
    vague = "TT_FATAL @ x.cpp:1: false"
    exactly = "Device 0: Timed out while waiting for active ethernet core 29-25"
    found = found_in(vague, KNOWN)
    assert found is not None
    assert found.failure.vague
    assert exact(("begin", vague, "info:", exactly), found, KNOWN).line == exactly
    assert exact(("begin", vague, "info:"), found, KNOWN) == found


def test_the_last_exact_line_tells_and_a_vague_one_where_there_is_no_other() -> None:
    old, new = "MemoryError", "OSError: [Errno 28] No space left on device"
    vague = "RuntimeError: Engine core initialization failed."
    both = told((old, "begun again", new, vague), KNOWN)
    alone = told(("begin", vague), KNOWN)
    assert both is not None
    assert alone is not None
    assert (both.line, alone.line) == (new, vague)
    assert told(("all", "is well"), KNOWN) is None


STATES = [
    ("out-of-memory", {"state": "exited", "exit_code": 137, "oom_killed": True}),
    ("out-of-memory", {"state": "running", "health": "healthy", "oom_killed": True}),
    ("killed", {"state": "exited", "exit_code": 137}),
    ("terminated", {"state": "exited", "exit_code": 143}),
    ("ended", {"state": "exited", "exit_code": 1}),
    ("ended-well", {"state": "exited", "exit_code": 0}),
    ("crash-loop", {"state": "restarting", "exit_code": 1}),
    ("started-again", {"state": "running", "health": "starting", "restarts": 3}),
    ("starting", {"state": "running", "health": "starting", "restarts": 1}),
    ("paused", {"state": "paused", "health": "starting", "restarts": 3}),
    ("not-started", {"state": "created"}),
    ("paused", {"state": "paused", "health": "healthy"}),
    ("dead", {"state": "dead"}),
    ("unhealthy", {"state": "running", "health": "unhealthy"}),
    ("starting", {"state": "running", "health": "starting"}),
]
STOPPED = [
    ("stopped", {"state": "exited", "exit_code": 0}),
    ("stopped", {"state": "exited", "exit_code": 143}),
    ("stopped", {"state": "exited", "exit_code": 137}),
    ("out-of-memory", {"state": "exited", "exit_code": 137, "oom_killed": True}),
    ("not-started", {"state": "created"}),
]


@pytest.mark.parametrize(("name", "seen"), STATES)
def test_a_state_is_told_as_what_it_is(name: str, seen: dict[str, Any]) -> None:
    bad = container("vllm", **seen)
    found = state_of(bad, KNOWN)
    assert found is not None
    assert (found.name, works(bad)) == (name, False)


@pytest.mark.parametrize(("name", "seen"), STOPPED)
def test_what_a_stop_ended_with_its_stack_is_told_as_stopped(
    name: str, seen: dict[str, Any]
) -> None:
    found = state_of(container("vllm", **seen), KNOWN, stopped=True)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("started_at", "since"),
    [
        ("2026-01-31T10:00:00.123456789Z", 1769853600),
        ("2026-01-31T10:00:00Z", 1769853600),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
    ],
)
def test_a_log_counts_from_the_last_start_by_the_engines_own_clock(
    started_at: str, since: int | None
) -> None:
    assert said_since(container("vllm", started_at=started_at)) == since


def test_every_state_is_tried_and_a_container_that_works_has_none() -> None:
    assert {name for name, _ in (*STATES, *STOPPED)} == {one.name for one in KNOWN.states}
    for health in ("healthy", ""):
        well = container("vllm", state="running", health=health)
        assert (state_of(well, KNOWN), works(well)) == (None, True)
