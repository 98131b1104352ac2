# SPDX-License-Identifier: Apache-2.0
"""Write docs/hardware.md: the table of what ran on cards, from the signed results.

`python -m tools.hardware`, or `make docs`. Every signature is checked; one that does not fit ends
it with the file's path.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools.markdown import row
from ttctl.adapters import places
from ttctl.adapters.hardware import FOLDER, KeptResults
from ttctl.errors import ToolMissingError, TtctlError
from ttctl.rules.acceptance import marked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.acceptance import RanOn

ROOT = Path(__file__).parents[2]
PAGE = "docs/hardware.md"
HEAD = """# What ran on cards

Written by `make docs` from the signed results in `controller/catalog/hardware`. A run is
`make device MODEL=...` on a machine with cards: it brings the model up as `ttctl up` does, holds
the running containers against what was meant, asks the gateway, tries the model for two minutes,
and measures the speeds that the entry names. `DEVICE=n300` tries it on a device that some of the
boards make up, `BOARD=...` on the very boards that are named, with blanks between them. What each
word means:

| word | meaning |
|---|---|
| passed | every check passed, and no measured speed is below the entry's highest tier |
| below target | every check passed, and a speed is below that tier |
| failed | a check failed, or a request of the measurement did |
| incomplete | something was left out, so that nothing is claimed |
| by a modified ttctl | the ttctl that ran had changes that are in no commit |
| dated in the future | its day was still to come when this table was written |
| tier | the highest that all speeds reached: `functional`, `complete` or `target` |

A result names no machine: no serial number, host, user, address, key, prompt or path is in it. Its
signature says that the file is as the holder of that key made it, and not who this is;
`ttctl models show` checks it too.
"""
NONE = """
## Results

None. Nothing of this project was run on a card yet: the table is empty, and every page says so.
"""
NAMES = ("model", "device", "date", "result", "tier", "driver", "firmware", "contract", "ttctl",
         "signed by", "file")  # fmt: skip


def text(runs: Sequence[RanOn]) -> str:
    """Return the page."""
    if not runs:
        return HEAD + NONE
    rows = [row(NAMES), row(["---"] * len(NAMES)), *(row(_cells(one)) for one in runs)]
    return f"{HEAD}\n## Results\n\n" + "\n".join(rows) + "\n"


def _cells(run: RanOn) -> Sequence[str]:
    result = marked(run.verdict, modified=run.modified, ahead=run.ahead)
    return (run.model, run.device, run.date, result, run.reached or "none", run.driver,
            ", ".join(run.firmware), run.contract, run.ttctl, f"`{run.signer}`",
            f"[{run.file}](../controller/catalog/{FOLDER}/{run.file})")  # fmt: skip


def main() -> int:
    """Write the page."""
    try:
        runs = KeptResults(places.catalog() / FOLDER).all()
        if any(one.signature != "good" for one in runs):
            raise ToolMissingError(
                "The results' signatures cannot be checked.",
                why="ssh-keygen is not installed.",
                next_step="sudo apt-get install openssh-client",
            )
    except TtctlError as error:
        print(f"error:    {error.message}\nwhy:      {error.why}\nevidence: {error.evidence}")
        return error.exit_code
    (ROOT / PAGE).write_text(text(runs), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
