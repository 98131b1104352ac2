# SPDX-License-Identifier: Apache-2.0
"""Read mutated catalog entries and render hostile text; the dated result is in docs/fuzz.md.

`make fuzz`, or `python -m tools.fuzz [--exports DIR] [--entries N] [--seed N]`. The same seed and
the same entries give the same mutations. Only a value or a `TtctlError` may come out of a reader.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import subprocess
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools import fuzz_renderings
from tools.fuzz_entries import entries_of, file_of, mutated
from ttctl.adapters import compiled, places
from ttctl.adapters.catalog import BuiltInCatalog
from ttctl.adapters.files import write_atomically
from ttctl.adapters.pin_facts import read_pin_facts
from ttctl.adapters.upstream_export import read_export
from ttctl.errors import TtctlError
from ttctl.rules.first_validated import known_first, with_latest
from ttctl.rules.validated import validated_specs

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "fuzz.md"
ENTRIES = 100_000
SEED = 20260814
BATCH = 20
"""Entries in one file, so that one bad entry beside good ones is tried, too."""
OUTCOMES = ("entries read", "entries set aside", "entries in refused files", "files refused")


def tried(data: bytes) -> Counter[str]:
    """Read one file as every reader does, and count what came out.

    Raises:
        Exception: Whatever a reader should not have raised.
    """
    try:
        export = read_export(data, name="fuzz.json")
    except TtctlError:
        return Counter({"files refused": 1, "entries in refused files": BATCH})
    specs = validated_specs(export, facts=FACTS, first=FIRST)
    text = compiled.text_of(specs, "key")
    text.encode()
    for spec in specs:
        with_latest(spec)
    return Counter({"entries read": len(specs), "entries set aside": len(export.quarantined)})


def run(
    entries: list[dict[str, Any]],
    *,
    count: int,
    seed: int,
    reader: Callable[[bytes], Counter[str]] = tried,
) -> tuple[Counter[str], list[str]]:
    """Return what came out of `count` mutated entries, and tracebacks of what should not have."""
    chance = random.Random(seed)  # noqa: S311 - mutations, no secrets
    sums: Counter[str] = Counter()
    crashes: list[str] = []
    for _ in range(count // BATCH):
        data = file_of([mutated(chance.choice(entries), chance) for _ in range(BATCH)], chance)
        try:
            sums += reader(data)
        except Exception:  # noqa: BLE001 - finding them is what this is for
            crashes.append(traceback.format_exc())
    return sums, crashes


def page(
    sums: Counter[str],
    crashes: int,
    *,
    count: int,
    seed: int,
    source: str,
    commit: str,
    rendered: Counter[str],
    escapes: int,
) -> str:
    """Return the text of docs/fuzz.md."""
    rows = [(name, sums[name]) for name in OUTCOMES]
    table = "\n".join(f"| {name} | {number} |" for name, number in rows)
    texts = "\n".join(f"| {name} | {rendered[name]} |" for name in fuzz_renderings.OUTCOMES)
    return f"""# Mutated catalog entries

`make fuzz` takes entries of {source}, changes one to four things in each, anywhere, writes
{BATCH} into a file, flat or nested, breaks some bytes of one file in twenty, and reads it as
`ttctl` does: the export, contract and recipe, arguments as first validated, the latest values, the
compiled form. Nothing but a value or a refusal may come out. The page is written by the run.

| run of {_today()} | |
|---|---|
| commit | `{commit}` |
| mutated entries | {count} |
| seed | {seed} |
{table}
| crashes | {crashes} |

## Hostile text in what is rendered

The same run puts hostile text (quotes, line breaks, `${{X}}`, `{{{{`, `#`, `$$`, `%n`, U+2028,
halves of characters, NUL) into every field of a stack and into a Dockerfile. A text is refused, or
the compose file, the `docker run` line and the quadlet, each read back, hold it byte for byte with
everything beside it as it was, and the Dockerfile's instructions and stages are the same. The rest
are escapes.

| run of {_today()} | |
|---|---|
| hostile texts | {rendered.total()} |
{texts}
| escapes | {escapes} |
"""


def _today() -> str:
    return dt.datetime.now(tz=dt.UTC).date().isoformat()


def _commit() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*"],  # noqa: S607 - git, wherever it is
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    return told.stdout.strip() or "unknown"


BUILT_IN = BuiltInCatalog(places.catalog())
FACTS = read_pin_facts(places.catalog())
FIRST = known_first(BUILT_IN.specs())


def main(words: list[str]) -> int:
    """Run it, write the page, and fail where anything crashed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exports", type=Path)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--texts", type=int, default=ENTRIES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--page", type=Path, default=PAGE)
    asked = parser.parse_args(words)
    entries = entries_of(asked.exports)
    if not entries:
        parser.error(f"no export lies in {asked.exports}")
    commit = _commit()
    count = asked.entries - asked.entries % BATCH
    start = time.monotonic()
    sums, crashes = run(entries, count=count, seed=asked.seed)
    source = "upstream's exports" if asked.exports else "the built-in catalog"
    rendered, escapes = fuzz_renderings.run(count=asked.texts, seed=asked.seed)
    text = page(
        sums, len(crashes), count=count, seed=asked.seed, source=source, commit=commit,
        rendered=rendered, escapes=len(escapes),
    )  # fmt: skip
    write_atomically(asked.page, text, mode=0o644)
    print(text)
    print(f"{time.monotonic() - start:.0f} s")
    for one in (*crashes[:3], *escapes[:3]):
        print(one)
    return 1 if crashes or escapes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
