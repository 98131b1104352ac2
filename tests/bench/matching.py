# SPDX-License-Identifier: Apache-2.0
"""Does a match cost ten times as much in a catalog ten times as large, and no more?

The built-in catalog is matched as it is, and copied ten and a hundred times under other names. Each
question is asked in turns, and the least of each is compared.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.adapters import places
from ttctl.adapters.catalog import BuiltInCatalog
from ttctl.errors import TtctlError
from ttctl.model.match import Place, Wanted
from ttctl.rules.match import match

if TYPE_CHECKING:
    from ttctl.model.pins import Advice
    from ttctl.model.spec import ModelSpec

TURNS = 5
COPIES = (1, 10, 100)
GOAL = 2
"""How much more an entry may cost in a catalog a hundred times as large: linear, and some noise."""
QUESTIONS = (
    ("a name", Wanted(word="meta-llama/Llama-3.1-8B-Instruct", device="n150", unattended=True)),
    ("a family", Wanted(word="llama", device="t3k")),
    ("a task", Wanted(word="reasoning", device="galaxy")),
    ("a typo", Wanted(word="Lama-3.1-8B-Instuct", device="n150", guesses=True)),
    ("no device", Wanted(word="flux", device="n150")),
    ("a trial", Wanted(word="qwen", device="p150x4", experimental=True)),
)


def main() -> int:
    """Print the table; exit 1 where a match is not linear."""
    missed = measure()
    print("goals missed:", ", ".join(missed) or "none")
    return 1 if missed else 0


def measure() -> list[str]:
    """Print what a match costs by the catalog's size; return the questions that missed the goal."""
    catalog = BuiltInCatalog(places.catalog())
    specs = tuple(one for one in catalog.specs() if one.pins is not None)
    advice = catalog.advice()
    sizes = [copied(specs, times) for times in COPIES]
    print("match, least of", TURNS, "turns, ms:", *(len(some) for some in sizes), "entries")
    missed = []
    for name, wanted in QUESTIONS:
        least = [min(asked_ms(some, wanted, advice) for _ in range(TURNS)) for some in sizes]
        per_entry = (least[-1] / len(sizes[-1])) / (least[0] / len(sizes[0]))
        times = "  ".join(f"{one:9.2f}" for one in least)
        print(f"  {name:<10} {times}  an entry costs {per_entry:.2f} (goal <= {GOAL})", flush=True)
        if per_entry > GOAL:
            missed.append(f"match of {name}")
    return missed


def copied(specs: tuple[ModelSpec, ...], times: int) -> tuple[ModelSpec, ...]:
    """Return the entries, and as often more of other models."""
    return tuple(
        spec if not copy else replace(spec, model=f"{spec.model}-of-{copy}", id=f"{spec.id}-{copy}")
        for copy in range(times)
        for spec in specs
    )


def asked_ms(specs: tuple[ModelSpec, ...], wanted: Wanted, advice: Advice) -> float:
    """Return the processor time of one match; a refusal is an answer, too."""
    before = time.process_time()
    with suppress(TtctlError):
        match(specs, wanted, place=Place(devices=(wanted.device, "cpu")), advice=advice)
    return (time.process_time() - before) * 1000


if __name__ == "__main__":
    raise SystemExit(main())
