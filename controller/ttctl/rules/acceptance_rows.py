# SPDX-License-Identifier: Apache-2.0
"""Read an acceptance run from a file's table, strictly. Pure, and without a library: it is quick.

A field that is missing, unknown or of another kind is refused; the message names it.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from ttctl.model.acceptance import OUTCOMES, VERDICTS, Bench, Build, Check, Figure, Ran, TierRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LONGEST = 4096
"""Characters of a text; a signature by a long RSA key is the longest."""

_DIGEST = re.compile(r"(?:sha256:[0-9a-f]{64})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_COMMIT = re.compile(r"(?:[0-9a-f]{40})?")


def ran_of(row: Mapping[str, object]) -> Ran:
    """Return the run that a table is.

    Raises:
        ValueError: It is none; says which field is wrong.
    """
    _only(row, Ran)
    plain = ("entry", "model", "device", "engine", "implementation", "tt_metal", "vllm", "image",
             "image_fingerprint", "contract", "catalog", "catalog_sha256")  # fmt: skip
    return Ran(
        **{name: text_in(row, name) for name in plain},
        image_digest=_like(row, "image_digest", _DIGEST),
        build=_build(table_in(row, "build")),
        bench=_bench(table_in(row, "bench")),
        checks=tuple(_check(one) for one in _tables(row, "checks")),
        tiers=tuple(_tier(one) for one in _tables(row, "tiers")),
        started_s=_number(row, "started_s"),
        date=_like(row, "date", _DAY),
        verdict=_one_of(row, "verdict", VERDICTS),
    )


def _build(row: Mapping[str, object]) -> Build:
    _only(row, Build)
    match row["modified"]:
        case bool(modified):
            commit = _like(row, "commit", _COMMIT)
            return Build(version=text_in(row, "version"), commit=commit, modified=modified)
        case _:
            raise ValueError("modified is neither true nor false")


def _bench(row: Mapping[str, object]) -> Bench:
    _only(row, Bench)
    return Bench(
        device=text_in(row, "device"),
        boards=tuple(_board(one) for one in _list(row, "boards")),
        driver=text_in(row, "driver"),
        firmware=tuple(str(one) for one in _list(row, "firmware")),
        kernel=text_in(row, "kernel"),
    )


def _board(pair: object) -> tuple[str, int]:
    match pair:
        case [str(family), int(count)] if count > 0:
            return family, count
        case _:
            raise ValueError("boards is no list of families with their counts")


def _check(row: Mapping[str, object]) -> Check:
    _only(row, Check)
    return Check(
        name=text_in(row, "name"),
        part=_one_of(row, "part", ("contract", "door", "smoke")),
        outcome=_one_of(row, "outcome", OUTCOMES),
        seconds=_number(row, "seconds"),
    )


def _tier(row: Mapping[str, object]) -> TierRun:
    _only(row, TierRun)
    return TierRun(
        task=text_in(row, "task"),
        shape=text_in(row, "shape"),
        concurrency=_count(row, "concurrency"),
        tier=text_in(row, "tier"),
        requests=_count(row, "requests"),
        failed=_count(row, "failed"),
        figures=tuple(_figure(one) for one in _tables(row, "figures")),
        reached=text_in(row, "reached"),
    )


def _figure(row: Mapping[str, object]) -> Figure:
    _only(row, Figure)
    return Figure(
        name=_one_of(row, "name", ("ttft_ms", "tput_user", "tput")),
        target=_number(row, "target"),
        measured=None if row["measured"] is None else _number(row, "measured"),
        verdict=_one_of(row, "verdict", ("met", "below", "not judged")),
    )


def _only(row: Mapping[str, object], shape: type) -> None:
    odd = set(row) ^ set(shape.__annotations__)
    if odd:
        raise ValueError(f"a field is missing or unknown: {min(map(str, odd))[:40]}")


def text_in(row: Mapping[str, object], name: str) -> str:
    """Return a text of a table, or raise a `ValueError`."""
    found = row.get(name)
    if not isinstance(found, str) or len(found) > LONGEST or not found.isascii():
        raise ValueError(f"{name} is no plain text")
    return found


def _like(row: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> str:
    found = text_in(row, name)
    if not pattern.fullmatch(found):
        raise ValueError(f"{name} is not what it must be")
    return found


def _one_of(row: Mapping[str, object], name: str, words: Iterable[str]) -> Any:  # noqa: ANN401 - a Literal
    found = text_in(row, name)
    if found not in set(words):
        raise ValueError(f"{name} is none of its words")
    return found


def _number(row: Mapping[str, object], name: str) -> float:
    found = row.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise ValueError(f"{name} is no number")
    return found


def _count(row: Mapping[str, object], name: str) -> int:
    found = row.get(name)
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise ValueError(f"{name} is no count")
    return found


def _list(row: Mapping[str, object], name: str) -> list[Any]:
    match row.get(name):
        case list(found):
            return found
        case _:
            raise ValueError(f"{name} is no list")


def table_in(row: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return a table of a table, or raise a `ValueError`."""
    match row.get(name):
        case dict(found):
            return found
        case _:
            raise ValueError(f"{name} is no table")


def _tables(row: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    return [table_in({name: one}, name) for one in _list(row, name)]
