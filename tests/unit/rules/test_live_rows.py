# SPDX-License-Identifier: Apache-2.0
"""Does a live screen say what counts in any width, with no word or figure cut or wrapped?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl.model.live import (
    Doing,
    LiveBoard,
    LiveEvent,
    LiveFrame,
    LiveService,
    LiveSource,
    LiveStack,
)
from ttctl.rules.live_rows import rows
from ttctl.rules.live_text import (
    MORE,
    count_text,
    memory_text,
    rate_text,
    shortened,
    time_text,
    wide,
)

GIB = 2**30
BOARD = LiveBoard(
    id="0000014031900000",
    name="0",
    family="n300",
    health="healthy",
    temperature_c=45.2,
    power_w=35.4,
    clock_mhz=1000,
    free="held",
    holders=("stack llama",),
)
VLLM = LiveService(
    service="vllm",
    state="running",
    health="healthy",
    uptime_s=3750,
    requests=12345,
    requests_per_s=12.34,
    tokens=99,
    tokens_per_s=1803.2,
    running=8,
    waiting=3,
    memory_bytes=int(1.25 * GIB),
    memory_limit_bytes=4 * GIB,
)
GATEWAY = LiveService(
    service="gateway",
    state="running",
    health="healthy",
    uptime_s=3751,
    requests=12346,
    requests_per_s=12.34,
    waiting=0,
    memory_bytes=17 * 2**20,
    memory_limit_bytes=256 * 2**20,
)
FRAME = LiveFrame(
    time="2026-01-31T10:00:00Z",
    at=1000.0,
    boards=(BOARD, replace(BOARD, name="1", free="free", holders=(), temperature_c=None)),
    stacks=(
        LiveStack(
            stack="llama",
            state="ready",
            model="Llama-3.1-8B-Instruct",
            device="n300",
            url="http://127.0.0.1:8000",
            services=(GATEWAY, VLLM),
        ),
        LiveStack(
            stack="qwen",
            state="degraded",
            model="",
            device="",
            url="",
            services=(LiveService(service="vllm", state="exited", health="", exit_code=137),),
        ),
    ),
    doing=(
        Doing(
            stack="qwen",
            pid=7,
            title="Fetch weights Qwen/Qwen3-32B from the model hub",
            began=880.0,
            done=1.2e9,
            total=4e9,
            unit="bytes",
        ),
    ),
    events=(
        LiveEvent(at=1.0, stack="llama", service="vllm", text="started"),
        LiveEvent(at=2.0, stack="qwen", service="vllm", text="ended with 137"),
    ),
    sources=(
        LiveSource(name="engine", state="ok", age_s=0.1),
        LiveSource(name="boards", state="old", age_s=8.0, note="no answer for 7 s"),
    ),
)


def clock(at: float) -> str:
    return f"10:00:{at:02.0f}"


def lines(frame: LiveFrame, width: int, height: int | None = None) -> list[str]:
    found = rows(frame, width=width, height=height, clock=clock)
    return ["".join(text for text, _ in line).rstrip() for line in found]


def test_80_columns_have_everything() -> None:
    assert (
        lines(replace(FRAME, at=1000.0), 80)
        == """\
ttctl status  10:00:1000

BOARD  FAMILY  HEALTH   TEMP  POWER     CLOCK  HOLDER
0      n300    healthy  45 C   35 W  1000 MHz  stack llama
1      n300    healthy     -   35 W  1000 MHz  free

SERVICE    STATE            UP   REQS  REQ/S  TOK/S  RUN  WAIT       MEMORY
llama  ready  Llama-3.1-8B-Instruct on n300  http://127.0.0.1:8000/v1
  gateway  healthy       1h02m  12346   12.3      -    -     0   17/256 MiB
  vllm     healthy       1h02m  12345   12.3   1803    8     3  1.2/4.0 GiB
qwen  degraded
  vllm     exited (137)      -      -      -      -    -     -            -

qwen  Fetch weights Qwen/Qwen3-32B from the model hub  30%  1.2 of 4.0 GB  2m00s

old  boards, 8s ago: no answer for 7 s

EVENTS
10:00:01  llama vllm started
10:00:02  qwen vllm ended with 137""".splitlines()
    )


def test_60_columns_leave_out_what_is_worth_least() -> None:
    found = lines(FRAME, 60)
    assert found[2] == "BOARD  FAMILY  HEALTH   TEMP  POWER     CLOCK  HOLDER"
    assert found[6] == "SERVICE    STATE         REQ/S  TOK/S  WAIT       MEMORY"
    assert found[7] == "llama  ready  Llama-3.1-8B-Instruct on n300"
    assert found[9] == "  vllm     healthy        12.3   1803     3  1.2/4.0 GiB"
    assert "qwen  Fetch weights Qwen/Qwen3-32B from the …  30%  2m00s" in found


def test_120_columns_are_as_wide_as_they_must_be() -> None:
    assert lines(FRAME, 120)[6:10] == lines(FRAME, 80)[6:10]


@pytest.mark.parametrize("width", [40, 59, 60, 79, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(wide(line) for line in lines(FRAME, width)) <= width


@given(st.integers(min_value=1, max_value=200), st.text(max_size=120), st.integers(1, 40))
def test_hostile_names_neither_move_the_cursor_nor_widen_a_line(
    width: int, name: str, height: int
) -> None:
    service = replace(VLLM, service=name, state=name, health=name)
    frame = replace(
        FRAME,
        boards=(replace(BOARD, family=name, holders=(name,)),),
        stacks=(replace(FRAME.stacks[0], stack=name, model=name, services=(service,)),),
        doing=(replace(FRAME.doing[0], stack=name, title=name, text=name, total=0),),
        events=(LiveEvent(at=1.0, stack=name, service=name, text=name),),
        sources=(LiveSource(name=name, state="old", age_s=1, note=name),),
    )
    found = lines(frame, width, height)
    assert len(found) <= max(height, 1)
    assert all("\x1b" not in line and "\n" not in line for line in found)


@pytest.mark.parametrize("height", [3, 8, 12, 17, 20, 50])
def test_a_low_window_gets_no_more_lines_than_it_has(height: int) -> None:
    found = lines(FRAME, 80, height)
    assert len(found) <= height
    whole = lines(FRAME, 80)
    if height >= len(whole):
        assert found == whole
    elif height < len(whole) - 4:
        assert found[-1] == f"{len(whole) - 4 - height + 1} more lines: a larger window shows them"


def test_the_newest_events_stay_where_there_is_little_room() -> None:
    whole = lines(FRAME, 80)
    assert lines(FRAME, 80, len(whole) - 1)[-2:] == ["EVENTS", "10:00:02  qwen vllm ended with 137"]


def test_a_machine_with_nothing_on_it_says_so() -> None:
    told = (LiveSource(name="chips", state="ok", age_s=0),)
    frame = replace(FRAME, boards=(), stacks=(), doing=(), events=(), sources=told)
    assert lines(frame, 80)[2:] == ["boards  none", "", "no stack yet: ttctl up llama"]


def test_boards_that_nobody_tells_of_are_not_called_none() -> None:
    told = (LiveSource(name="chips", state="unknown", age_s=None, note="no answer for 20 s"),)
    frame = replace(FRAME, boards=(), sources=told)
    assert "boards  none" not in lines(frame, 80)
    assert "unknown  chips: no answer for 20 s" in lines(frame, 80)


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        pytest.param("one two three", 13, "one two three", id="it fits"),
        pytest.param("one two three", 12, f"one two {MORE}", id="whole words"),
        pytest.param("a-long-stack-name", 8, f"a-long-{MORE}", id="one long word"),
        pytest.param("日本語", 5, f"日本{MORE}", id="wide letters"),
        pytest.param("x\x1b[2Jy", 9, "x?[2Jy", id="no control"),
        pytest.param("word", 0, "", id="no room"),
    ],
)
def test_what_does_not_fit_is_shortened_at_a_blank(text: str, width: int, expected: str) -> None:
    assert shortened(text, width) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (count_text(None), "-"),
        (count_text(0), "0"),
        (count_text(99_999), "99999"),
        (count_text(123_456), "123k"),
        (count_text(1_234_567), "1.2M"),
        (count_text(5e12), "5000G"),
        (rate_text(0.44), "0.4"),
        (rate_text(99.96), "100"),
        (time_text(59.9), "59s"),
        (time_text(3599), "59m59s"),
        (time_text(86399), "23h59m"),
        (time_text(400_000), "4d15h"),
        (memory_text(None, None), "-"),
        (memory_text(GIB, 0), "1.0 GiB"),
        (memory_text(10 * 2**20, 640 * 2**20), "10/640 MiB"),
        (memory_text(0, 256 * 2**20), "0/256 MiB"),
    ],
)
def test_figures_are_short(found: str, expected: str) -> None:
    assert found == expected
