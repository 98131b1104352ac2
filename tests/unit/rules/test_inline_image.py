# SPDX-License-Identifier: Apache-2.0
"""Is a picture sent to a terminal as its makers document it, and only to one that shows it?"""

from __future__ import annotations

import base64
import re

import pytest

from ttctl.rules.inline_image import columns_for, encoded, is_multiplexed, protocol_for

KITTY = re.compile(r"\x1b_G([^;]*);([A-Za-z0-9+/=]*)\x1b\\")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({"TERM": "xterm-kitty"}, "kitty", id="kitty"),
        pytest.param({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty", id="its window"),
        pytest.param({"TERM": "xterm-ghostty"}, "kitty", id="ghostty"),
        pytest.param({"TERM_PROGRAM": "ghostty"}, "kitty", id="ghostty by name"),
        pytest.param({"TERM_PROGRAM": "iTerm.app"}, "iterm", id="iTerm2"),
        pytest.param({"LC_TERMINAL": "iTerm2"}, "iterm", id="iTerm2 through ssh"),
        pytest.param({"TERM_PROGRAM": "WezTerm"}, "iterm", id="WezTerm"),
        pytest.param({"TERM_PROGRAM": "vscode"}, "iterm", id="VS Code"),
        pytest.param({"TERM_PROGRAM": "vscode", "KITTY_WINDOW_ID": "1"}, "iterm", id="inherited"),
        pytest.param({"TERM": "xterm-256color"}, "none", id="any other"),
        pytest.param({}, "none", id="nothing said"),
        pytest.param({"TERM": "xterm-kitty", "TMUX": "/tmp/x,1,0"}, "none", id="tmux"),  # noqa: S108
        pytest.param({"TERM": "tmux-256color", "LC_TERMINAL": "iTerm2"}, "none", id="tmux, ssh"),
        pytest.param({"TERM": "screen", "KITTY_WINDOW_ID": "1"}, "none", id="screen"),
        pytest.param({"STY": "1.x", "TERM_PROGRAM": "iTerm.app"}, "none", id="screen by name"),
    ],
)
def test_the_protocol_follows_from_what_the_terminal_says_of_itself(
    environ: dict[str, str], expected: str
) -> None:
    assert protocol_for(environ, show="auto", is_terminal=True) == expected


@pytest.mark.parametrize("show", ["kitty", "iterm", "none"])
def test_what_is_asked_for_decides_over_what_is_found(show: str) -> None:
    kitty = {"TERM": "xterm-kitty"}
    assert protocol_for(kitty, show=show, is_terminal=False) == show  # type: ignore[arg-type]


def test_nothing_is_shown_where_no_terminal_reads() -> None:
    assert protocol_for({"TERM": "xterm-kitty"}, show="auto", is_terminal=False) == "none"


def test_a_picture_goes_to_kitty_in_chunks_of_4096_characters_that_make_it_up_again() -> None:
    png = bytes(range(256)) * 40
    text = encoded(png, "kitty", name="x.png", columns=40)
    found = KITTY.findall(text)
    assert text == "".join(f"\x1b_G{keys};{data}\x1b\\" for keys, data in found) + "\n"
    sizes = [len(data) for _, data in found]
    assert sizes[:-1] == [4096] * (len(found) - 1)
    assert 0 < sizes[-1] <= 4096
    assert base64.b64decode("".join(data for _, data in found)) == png
    keys = [keys for keys, _ in found]
    assert keys[0] == "a=T,f=100,c=40,q=2,m=1"
    assert set(keys[1:-1]) == {"q=2,m=1"}
    assert keys[-1] == "q=2,m=0"


@pytest.mark.parametrize(("size", "codes"), [(1, 1), (3072, 1), (3073, 2), (6144, 2)])
def test_a_full_chunk_is_followed_by_no_empty_one(size: int, codes: int) -> None:
    found = KITTY.findall(encoded(b"\0" * size, "kitty", name="x", columns=1))
    assert [keys[-3:] for keys, _ in found] == ["m=1"] * (codes - 1) + ["m=0"]


def test_a_picture_goes_to_iterm_as_one_file_with_its_name_and_size() -> None:
    png = bytes(range(256)) * 40
    text = encoded(png, "iterm", name="röd.png", columns=12)
    head, _, data = text.removesuffix("\x07\n").partition(":")
    assert head.startswith("\x1b]1337;File=")
    keys = dict(one.split("=", 1) for one in head.removeprefix("\x1b]1337;File=").split(";"))
    assert base64.b64decode(keys.pop("name")).decode() == "röd.png"
    assert keys == {"size": "10240", "width": "12", "preserveAspectRatio": "1", "inline": "1"}
    assert base64.b64decode(data) == png


def test_nothing_is_sent_to_a_terminal_that_shows_none() -> None:
    assert encoded(b"x", "none", name="x", columns=1) == ""


def test_tmux_hands_each_code_on_with_its_escapes_doubled() -> None:
    text = encoded(b"\0" * 4000, "kitty", name="x", columns=9, through_tmux=True)
    parts = re.findall(r"\x1bPtmux;(.*?[^\x1b])\x1b\\(?!\x1b?\\)", text, re.DOTALL)
    assert len(parts) == 2
    plain = "".join(one.replace("\x1b\x1b", "\x1b") for one in parts) + "\n"
    assert plain == encoded(b"\0" * 4000, "kitty", name="x", columns=9)
    assert is_multiplexed({"TMUX": "x"})
    assert not is_multiplexed({"TERM": "xterm"})


@pytest.mark.parametrize(
    ("size", "terminal", "expected"),
    [
        pytest.param((512, 512), (80, 24), 40, id="a square"),
        pytest.param((512, 512), (30, 24), 29, id="a narrow terminal"),
        pytest.param((512, 512), (80, 10), 14, id="a low terminal"),
        pytest.param((512, 1024), (80, 24), 21, id="a high picture"),
        pytest.param((1024, 256), (80, 24), 40, id="a wide picture"),
        pytest.param((8, 4000), (0, 0), 1, id="no room"),
    ],
)
def test_a_picture_fits_the_terminal_with_its_caption(
    size: tuple[int, int], terminal: tuple[int, int], expected: int
) -> None:
    columns, lines = terminal
    assert columns_for(*size, columns=columns, lines=lines) == expected
