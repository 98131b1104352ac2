# SPDX-License-Identifier: Apache-2.0
"""Can every colour be read, does each variable do what it is known for, and is a pipe clean?"""

from __future__ import annotations

import io
import itertools
import os
import sys
from typing import TYPE_CHECKING, get_args

import pytest

from tools.terminal import in_a_pipe, on_a_terminal, without_escapes
from ttctl.cli.door import GLOBAL
from ttctl.cli.palette import STATES, Ground, Palette, Role, can_move, palette_for
from ttctl.cli.registry import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Rgb = tuple[int, int, int]

BLACK, WHITE = (0, 0, 0), (255, 255, 255)
THEIR_DARK = (15, 42, 53)
"""The ground of the terminal in Tenstorrent's dark theme."""
ROLES: tuple[Role, ...] = get_args(Role)
GROUNDS: dict[Ground, Rgb] = {"dark": BLACK, "light": WHITE}
READABLE = 3.0
"""WCAG 2.1, success criterion 1.4.11: what a person must see to understand.
Source: https://www.w3.org/TR/WCAG21/#non-text-contrast."""
STEPS = (0, 95, 135, 175, 215, 255)
OF_256: dict[int, Rgb] = {
    **{16 + at: rgb for at, rgb in enumerate(itertools.product(STEPS, repeat=3))},
    **{232 + at: (8 + 10 * at,) * 3 for at in range(24)},
}
"""The colours behind the 16 that a terminal's own theme sets.
Source: https://invisible-island.net/xterm/, 256colres.pl."""

grounds = pytest.mark.parametrize("ground", list(GROUNDS))
roles = pytest.mark.parametrize("role", ROLES)


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def luminance(rgb: Rgb) -> float:
    """Source: https://www.w3.org/TR/WCAG21/#dfn-relative-luminance."""
    parts = [one / 255 for one in rgb]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Rgb, other: Rgb) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def code(palette: Palette, role: Role) -> list[int]:
    """Return the numbers of the escape code that paints."""
    painted = palette.paint("x", role)
    assert painted.endswith("mx\x1b[0m")
    return [int(number) for number in painted[2:].partition("m")[0].split(";")]


def rgb_of(palette: Palette, role: Role) -> Rgb:
    *kind, red, green, blue = code(palette, role)
    assert kind[-2:] == [38, 2]
    return red, green, blue


@grounds
@roles
def test_every_colour_can_be_read_on_its_ground(ground: Ground, role: Role) -> None:
    rgb = rgb_of(Palette(3, ground), role)
    assert contrast(rgb, GROUNDS[ground]) >= READABLE
    assert contrast(OF_256[code(Palette(2, ground), role)[-1]], GROUNDS[ground]) >= READABLE


@roles
def test_what_is_for_light_grounds_can_be_read_on_dark_ones_too(role: Role) -> None:
    assert contrast(rgb_of(Palette(3, "light"), role), BLACK) >= READABLE


@roles
def test_every_colour_can_be_read_on_the_vendors_own_ground(role: Role) -> None:
    assert contrast(rgb_of(Palette(3), role), THEIR_DARK) >= READABLE


@grounds
@roles
def test_of_256_colours_it_is_the_nearest_that_can_be_read(ground: Ground, role: Role) -> None:
    wanted = rgb_of(Palette(3, ground), role)

    def distance(number: int) -> int:
        return sum((a - b) ** 2 for a, b in zip(OF_256[number], wanted, strict=True))

    readable = (n for n in OF_256 if contrast(OF_256[n], GROUNDS[ground]) >= READABLE)
    assert code(Palette(2, ground), role)[-1] == min(readable, key=distance)


def test_the_accent_is_the_vendors_cyan() -> None:
    assert rgb_of(Palette(3), "accent") == (0x4F, 0xD1, 0xC5)


@pytest.mark.parametrize(
    ("said", "ground"),
    [
        pytest.param(None, "dark", id="nothing"),
        pytest.param("15;0", "dark", id="white on black"),
        pytest.param("7;8", "dark", id="dark grey"),
        pytest.param("15;default;0", "dark", id="three parts"),
        pytest.param("default;default", "dark", id="no number"),
        pytest.param("0;7", "light", id="light grey"),
        pytest.param("0;default;15", "light", id="white"),
        pytest.param("15", "light", id="the ground alone"),
    ],
)
def test_the_terminal_says_which_ground_it_has(said: str | None, ground: Ground) -> None:
    environ = {"TERM": "xterm", **({} if said is None else {"COLORFGBG": said})}
    assert palette_for(Screen(), environ).ground == ground


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        pytest.param({}, 0, id="no TERM"),
        pytest.param({"TERM": "dumb"}, 0, id="dumb"),
        pytest.param({"TERM": "dumb", "COLORTERM": "truecolor"}, 0, id="dumb, whatever else"),
        pytest.param({"TERM": "xterm"}, 1, id="16"),
        pytest.param({"TERM": "xterm-256color"}, 2, id="256"),
        pytest.param({"TERM": "xterm", "COLORTERM": "truecolor"}, 3, id="true colour"),
        pytest.param({"TERM": "xterm", "COLORTERM": "24bit"}, 3, id="24 bit"),
        pytest.param({"TERM": "xterm", "COLORTERM": "yes"}, 1, id="another COLORTERM"),
        pytest.param({"TERM": "xterm", "NO_COLOR": "1"}, 0, id="NO_COLOR"),
        pytest.param({"TERM": "xterm", "NO_COLOR": "0"}, 0, id="NO_COLOR with any value"),
        pytest.param({"TERM": "xterm", "NO_COLOR": ""}, 1, id="NO_COLOR empty"),
        pytest.param({"TERM": "xterm", "NO_COLOR": "1", "FORCE_COLOR": "3"}, 0, id="both"),
        pytest.param({"TERM": "xterm", "CLICOLOR": "0"}, 0, id="CLICOLOR=0"),
        pytest.param({"TERM": "xterm", "CLICOLOR": "1"}, 1, id="CLICOLOR=1"),
        pytest.param(
            {"TERM": "xterm", "CLICOLOR": "0", "CLICOLOR_FORCE": "1"}, 1, id="forced CLICOLOR"
        ),
        pytest.param({"TERM": "xterm-256color", "FORCE_COLOR": "1"}, 1, id="FORCE_COLOR=1"),
        pytest.param({"TERM": "xterm", "FORCE_COLOR": "2"}, 2, id="FORCE_COLOR=2"),
        pytest.param({"TERM": "dumb", "FORCE_COLOR": "3"}, 3, id="FORCE_COLOR=3, dumb"),
        pytest.param({"TERM": "xterm", "FORCE_COLOR": "0"}, 0, id="FORCE_COLOR=0"),
        pytest.param(
            {"TERM": "xterm", "FORCE_COLOR": "0", "CLICOLOR_FORCE": "1"}, 0, id="0 is said plainly"
        ),
    ],
)
def test_a_terminal_gets_the_colours_that_it_and_its_variables_allow(
    environ: Mapping[str, str], level: int
) -> None:
    assert palette_for(Screen(), environ).level == level


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        pytest.param({}, 0, id="nothing said"),
        pytest.param({"CLICOLOR": "1"}, 0, id="CLICOLOR"),
        pytest.param({"COLORTERM": "truecolor"}, 0, id="COLORTERM"),
        pytest.param({"FORCE_COLOR": "0"}, 0, id="FORCE_COLOR=0"),
        pytest.param({"FORCE_COLOR": ""}, 0, id="FORCE_COLOR empty"),
        pytest.param({"FORCE_COLOR": "1"}, 1, id="FORCE_COLOR=1"),
        pytest.param({"FORCE_COLOR": "2"}, 2, id="FORCE_COLOR=2"),
        pytest.param({"FORCE_COLOR": "3"}, 3, id="FORCE_COLOR=3"),
        pytest.param({"FORCE_COLOR": "true"}, 2, id="FORCE_COLOR=true"),
        pytest.param({"CLICOLOR_FORCE": "1"}, 2, id="CLICOLOR_FORCE"),
        pytest.param({"CLICOLOR_FORCE": "0"}, 0, id="CLICOLOR_FORCE=0"),
        pytest.param({"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, 0, id="NO_COLOR wins"),
    ],
)
def test_a_pipe_gets_colours_only_when_they_are_forced(
    environ: Mapping[str, str], level: int
) -> None:
    assert palette_for(io.StringIO(), {"TERM": "xterm-256color", **environ}).level == level


def test_what_the_command_says_comes_before_the_variables() -> None:
    forced, refused = {"TERM": "xterm", "FORCE_COLOR": "3"}, {"TERM": "xterm", "NO_COLOR": "1"}
    assert palette_for(Screen(), forced, when="never").level == 0
    assert palette_for(io.StringIO(), refused, when="always").level == 1


def test_the_cursor_moves_on_terminals_only() -> None:
    assert can_move(Screen(), {"TERM": "xterm"})
    assert not can_move(Screen(), {"TERM": "dumb"})
    assert not can_move(io.StringIO(), {"TERM": "xterm"})


def test_a_state_is_painted_whole_and_any_other_word_is_left_alone() -> None:
    palette = Palette(1)
    assert palette.state("running  ") == "\x1b[32mrunning  \x1b[0m"
    assert palette.state("skip   ") == "\x1b[2mskip   \x1b[0m"
    for text in ("", "  ", "runningly", "llama", "not ready"):
        assert palette.state(text) == text
    assert set(STATES.values()) <= set(ROLES)


def test_without_colours_nothing_is_added() -> None:
    assert [Palette(0).paint("x", role) for role in ROLES] == ["x"] * len(ROLES)
    assert Palette(3).paint("", "accent") == ""


ASKED = (
    ("--version",),
    ("--help",),
    ("models", "ls"),
    ("models", "show", "llama"),
    ("devices",),
    ("config", "site"),
    ("ps",),
    ("plan", "llama"),
    ("status", "nobody"),
    ("upp",),
    ("up", "lama"),
)
"""What only looks: answers, and refusals; no engine answers."""
PAINTED = {("--help",), ("models", "ls"), ("status", "nobody"), ("upp",), ("up", "lama")}
"""Of these some words have colours; others may."""
HELP = tuple((verb, "--help") for verb in COMMANDS)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return a home of the test's own on a machine without an engine."""
    return {
        "HOME": str(tmp_path),
        "PATH": os.defpath,
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "COLUMNS": "100",
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "PIP_CONFIG_FILE": os.devnull,
    }


def words(*more: str) -> list[str]:
    return [sys.executable, "-m", "ttctl.cli.main", *more]


@pytest.mark.parametrize("asked", [*ASKED, *HELP], ids=" ".join)
def test_no_escape_code_ever_reaches_a_pipe(
    asked: tuple[str, ...], environ: dict[str, str], tmp_path: Path
) -> None:
    ran = in_a_pipe(words(*asked), environ=environ, folder=tmp_path)
    assert ran.text.strip()
    assert "\x1b" not in ran.text
    assert "Traceback" not in ran.text


@pytest.mark.parametrize("asked", [*ASKED, *HELP[:2]], ids=" ".join)
def test_on_a_terminal_the_same_words_come_in_colour(
    asked: tuple[str, ...], environ: dict[str, str], tmp_path: Path
) -> None:
    piped = in_a_pipe(words(*asked), environ=environ, folder=tmp_path)
    shown = on_a_terminal(words(*asked), environ=environ, folder=tmp_path)
    assert shown.code == piped.code
    assert without_escapes(shown.text) == piped.text
    assert "\x1b" in shown.text or asked not in PAINTED


@pytest.mark.parametrize(
    ("said", "more"),
    [
        pytest.param({"NO_COLOR": "1"}, (), id="NO_COLOR"),
        pytest.param({"TERM": "dumb"}, (), id="dumb"),
        pytest.param({}, ("--no-color",), id="flag"),
    ],
)
@pytest.mark.parametrize("asked", [("--help",), ("up", "--help"), ("models", "ls"), ("upp",)])
def test_no_escape_code_reaches_a_terminal_that_wants_none(
    asked: tuple[str, ...],
    said: dict[str, str],
    more: tuple[str, ...],
    environ: dict[str, str],
    tmp_path: Path,
) -> None:
    ran = on_a_terminal(words(*asked, *more), environ={**environ, **said}, folder=tmp_path)
    assert ran.text.strip()
    assert "\x1b" not in ran.text


def test_the_flag_for_no_colours_is_one_of_the_global_ones() -> None:
    assert "--no-color" in {long for long, *_ in GLOBAL}
