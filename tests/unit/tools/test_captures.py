# SPDX-License-Identifier: Apache-2.0
"""Do the pages show what the commands print today? Scenes without an engine; others: tests/e2e."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from tools.captures import BLOCK, PAGES, SCREENS, block, blocks_of, rewritten, screen
from tools.stage import new_stage
from tools.tape import SHOWN, TAPE, Scene, comparable
from tools.terminal import Ran, without_escapes

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"
SHOWN_IN_PAGES = {
    name: text
    for path in PAGES
    for name, text in blocks_of(path.read_text(encoding="utf-8")).items()
}
CHEAP = [
    scene
    for scene in TAPE
    if scene.situation == "plain" and not (scene.engine or scene.of_the_place)
]
WITH_SCREEN = [scene for scene in TAPE if scene.screen]

cheap = pytest.mark.parametrize("scene", CHEAP, ids=lambda scene: scene.name)
with_screen = pytest.mark.parametrize("scene", WITH_SCREEN, ids=lambda scene: scene.name)


def read(scene: Scene) -> str:
    """Return the text that a screen shows."""
    # The file is ours: it is in the checkout.
    root = ET.parse(SCREENS / f"{scene.name}.svg").getroot()  # noqa: S314
    texts = [one for one in root.iter(f"{SVG}text") if "clip-path" in one.attrib]
    lines: dict[float, dict[float, str]] = {}
    for one in texts:
        line = lines.setdefault(float(one.attrib["y"]), {})
        line[float(one.attrib["x"])] = "".join(one.itertext())
    rows = ("".join(line[at] for at in sorted(line)) for _, line in sorted(lines.items()))
    return "\n".join(rows).replace("\N{NO-BREAK SPACE}", " ")


def squeezed(text: str) -> str:
    """Return a text without blanks: an image is as wide as it is, and folds lines."""
    return "".join(text.split())


def test_every_scene_stands_in_a_page_and_every_place_has_its_scene() -> None:
    found = set()
    for path in PAGES:
        places = [match[2] for match in BLOCK.finditer(path.read_text(encoding="utf-8"))]
        assert len(places) == len(set(places)), path
        found |= set(places)
    assert found == {scene.name for scene in TAPE}


@pytest.mark.parametrize("scene", TAPE, ids=lambda scene: scene.name)
def test_every_place_is_filled_with_what_its_scene_types(scene: Scene) -> None:
    typed = [line for line in SHOWN_IN_PAGES[scene.name].splitlines() if line.startswith("$ ")]
    assert typed == [f"$ {line.format(**SHOWN)}" for line in scene.typed]


@cheap
def test_what_needs_no_engine_still_prints_what_the_page_shows(
    scene: Scene, tmp_path: Path
) -> None:
    played = block(new_stage(tmp_path / "home").play(scene))
    assert comparable(played) == comparable(SHOWN_IN_PAGES[scene.name])


@with_screen
def test_a_screen_shows_what_the_page_shows_and_loads_nothing(scene: Scene) -> None:
    text = (SCREENS / f"{scene.name}.svg").read_text(encoding="utf-8")
    assert not re.search(r"href=|src=|url\((?!#)|@import", text)
    shown = comparable(SHOWN_IN_PAGES[scene.name])
    assert squeezed(comparable(read(scene))) == squeezed(shown)


def test_every_screen_is_shown_below_its_scene() -> None:
    shown = [
        found
        for path in PAGES
        for found in re.findall(
            r"<!-- capture: (\S+) -->(?:(?!<!-- capture).)*?\]\(screens/(\S+)\.svg\)",
            path.read_text(encoding="utf-8"),
            re.DOTALL,
        )
    ]
    assert shown == [(scene.name, scene.name) for scene in WITH_SCREEN]


def test_no_screen_is_left_that_no_scene_makes() -> None:
    assert {path.name for path in SCREENS.iterdir()} == {f"{s.name}.svg" for s in WITH_SCREEN}


def test_a_place_is_written_anew_and_nothing_else() -> None:
    page = "a\n<!-- capture: x -->\nold\n<!-- end -->\nb\n<!-- capture: y -->\n<!-- end -->\n"
    new = rewritten(page, {"x": "$ x\nnew \\1"})
    assert new == page.replace("old\n", "```console\n$ x\nnew \\1\n```\n")
    assert blocks_of(new) == {"x": "$ x\nnew \\1", "y": ""}
    assert rewritten(new, {"x": "$ x\nnew \\1"}) == new


def test_a_block_is_what_was_typed_and_what_came() -> None:
    played = [("a", Ran(code=0, text="one  \n\ntwo\n")), ("b", Ran(code=1, text=""))]
    assert block(played) == "$ a\none\n\ntwo\n$ b"


def test_a_screen_keeps_colours_and_drops_what_moves_the_cursor() -> None:
    scene = Scene(name="x", typed=("x",))
    image = screen(scene, [("x <y>", Ran(code=0, text="\x1b[2K\x1b[38;2;79;209;197mcyan\x1b[0m"))])
    ET.fromstring(image)  # noqa: S314 - made above
    assert "#4fd1c5" in image
    assert "x &lt;y&gt;" in image
    assert "\x1b" not in image


def test_what_is_shown_is_the_readers_own(tmp_path: Path) -> None:
    stage = new_stage(tmp_path / "home")
    text = f"{stage.home}/x {stage.name} 127.0.0.1:{stage.port} {stage.program}/ttctl"
    assert stage.shown(text) == "~/x llama 127.0.0.1:8000 ttctl"
    table = f"{stage.home}/wheels   next"
    assert stage.shown(table).index("next") == table.index("next")
    assert len(stage.name) == len(SHOWN["name"])
    assert len(str(stage.port)) == len(SHOWN["port"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("took 1.2 s", "took 31.0 s", id="seconds"),
        pytest.param("pid 7 (python)", "pid 812 (python3.12)", id="processes"),
        pytest.param("ttctl/base:0123456789abcdef", "ttctl/base:fedcba9876543210", id="images"),
        pytest.param("  + Build base  1.0 s\nup", "up", id="what had to be built"),
        pytest.param("    starting; 0:15 of at most 1:00\nup", "up", id="a slow start"),
    ],
)
def test_what_varies_is_not_compared(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)


def test_words_are_compared() -> None:
    assert comparable("error: no engine") != comparable("error: no disk")


def test_escapes_are_told_from_text() -> None:
    assert (
        without_escapes("\x1b[1;38;5;80mready\x1b[0m \x1b]0;title\x07[ok]\x1b[2K") == "ready [ok]"
    )
