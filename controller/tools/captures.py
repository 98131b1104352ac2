# SPDX-License-Identifier: Apache-2.0
"""Play the tape for real, and write what it printed into the pages.

`make captures`, or `python -m tools.captures [SCENE ...]`. A page says where a scene belongs by a
line `<!-- capture: NAME -->`; what follows it up to `<!-- end -->` is written anew. Scenes with a
screen become docs/screens/NAME.svg too.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tools.stage import ROOT, Stage, new_stage
from tools.tape import TAPE, Scene

if TYPE_CHECKING:
    from tools.terminal import Ran

PAGES = tuple(ROOT / name for name in ("docs/first-ten-minutes.md", "docs/catalog.md", "README.md"))
SCREENS = ROOT / "docs" / "screens"
BLOCK = re.compile(r"(<!-- capture: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
WIDTH = 100
DEFECT = re.compile(r"ttctl has a defect|Traceback \(most recent call last\)")
THEME = TerminalTheme(
    (15, 42, 53),
    (232, 240, 242),
    [
        (15, 42, 53),
        (255, 107, 107),
        (39, 174, 96),
        (230, 181, 94),
        (79, 209, 197),
        (236, 150, 184),
        (79, 209, 197),
        (176, 196, 222),
    ],
)
"""The ground, the text and the 8 colours of the terminal in Tenstorrent's dark theme; the source
is the one in `ttctl/cli/palette.py`."""
FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>TITLE</title>
<style>
.{unique_id}-matrix {{ font: {char_height}px {line_height}px ui-monospace, Menlo, Consolas, \
"DejaVu Sans Mono", monospace; }}
.{unique_id}-title {{ font: 15px sans-serif; text-anchor: middle; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""Rich's own frame loads a font from elsewhere; this one takes what the reader has."""


def block(played: list[tuple[str, Ran]]) -> str:
    """Return the lines of a console: what was typed, what came."""
    lines = []
    for typed, ran in played:
        lines += [f"$ {typed}", *(line.rstrip() for line in ran.text.rstrip().splitlines())]
    return "\n".join(lines)


def blocks_of(page: str) -> dict[str, str]:
    """Return the text of each capture that stands in a page."""
    found = {}
    for match in BLOCK.finditer(page):
        inside = re.search(r"```console\n(.*?)\n```", match[0], re.DOTALL)
        found[match[2]] = inside[1] if inside else ""
    return found


def rewritten(page: str, texts: dict[str, str]) -> str:
    """Return a page with the captures that are in `texts`; other ones stay as they are."""

    def anew(match: re.Match[str]) -> str:
        if match[2] not in texts:
            return match[0]
        return f"{match[1]}```console\n{texts[match[2]]}\n```\n{match[3]}"

    return BLOCK.sub(anew, page)


def screen(scene: Scene, played: list[tuple[str, Ran]]) -> str:
    """Return a terminal in colour as an image."""
    text = "\n".join(f"\x1b[1m$\x1b[0m {typed}\n{ran.text.rstrip()}" for typed, ran in played)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), legacy_windows=False)
    console.print(Text.from_ansi(text), soft_wrap=False)
    title = played[-1][0]
    return console.export_svg(
        title=title,
        theme=THEME,
        code_format=FRAME.replace("TITLE", escape(title)),
        unique_id=f"ttctl-{scene.name}",
    )


def record(stage: Stage, scene: Scene) -> str:
    """Play one scene, write its screen, and return its text.

    Raises:
        SystemExit: What came is not for a page: a defect.
    """
    print(f"  {scene.name}", flush=True)
    played = stage.play(scene)
    if DEFECT.search(block(played)):
        raise SystemExit(f"{scene.name}:\n{block(played)}")
    if scene.screen:
        SCREENS.mkdir(parents=True, exist_ok=True)
        image = screen(scene, stage.play(scene, terminal=True))
        (SCREENS / f"{scene.name}.svg").write_text(image, encoding="utf-8")
    return block(played)


def main() -> None:
    """Play what was named, or all of the tape."""
    wanted = set(sys.argv[1:]) or {scene.name for scene in TAPE}
    unknown = wanted - {scene.name for scene in TAPE}
    if unknown:
        raise SystemExit(f"no such scene: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="ttctl-tape-") as folder:
        stage = new_stage(Path(folder) / "home")
        try:
            texts = {scene.name: record(stage, scene) for scene in TAPE if scene.name in wanted}
        finally:
            stage.leave()
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        path.write_text(rewritten(page, texts), encoding="utf-8")


if __name__ == "__main__":
    main()
