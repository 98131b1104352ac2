# SPDX-License-Identifier: Apache-2.0
"""Write docs/verbs, docs/man and the table that completion reads, all from what `--help` is.

`python controller/tools/reference.py`, or `make docs`.
"""

from __future__ import annotations

import json
from pathlib import Path

from tools.verb_pages import manual, markdown
from tools.verb_tree import completion_table, every_verb

ROOT = Path(__file__).parents[2]
VERBS = "docs/verbs"
MAN = "docs/man"
TABLE = "controller/ttctl/cli/completion.json"


def texts() -> dict[str, str]:
    """Return each file's text by its path in the checkout."""
    verbs = every_verb()
    table = json.dumps(completion_table(verbs), indent=1, sort_keys=False) + "\n"
    return {
        TABLE: table,
        **{f"{VERBS}/{name}": text for name, text in markdown(verbs).items()},
        **{f"{MAN}/{name}": text for name, text in manual(verbs).items()},
    }


def main(root: Path) -> None:
    """Write every file, and remove pages of verbs that there are not."""
    written = texts()
    for name, text in written.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in (*(root / VERBS).glob("*.md"), *(root / MAN).glob("*.1")):
        if path.relative_to(root).as_posix() not in written:
            path.unlink()


if __name__ == "__main__":
    main(ROOT)
