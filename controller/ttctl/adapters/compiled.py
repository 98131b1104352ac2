# SPDX-License-Identifier: Apache-2.0
"""Keep a checked catalog as JSON, so that the next command checks nothing again.

A compiled catalog is never believed by its place: it names what it was made from, and carries a
digest of itself. One that does not fit is made anew, and one that cannot be written costs time.
"""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttctl import __version__
from ttctl.adapters.files import STRAY_PREFIX, write_atomically
from ttctl.errors import TtctlError
from ttctl.model.pins import (
    Advice,
    Changed,
    Fallback,
    Gated,
    ImageOverride,
    Issue,
    KnownBad,
    Origin,
    Pins,
    Quarantined,
    Requirement,
    Target,
)
from ttctl.model.spec import Limits, ModelSpec, Weights

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT = 8
"""Compiled catalogs that stay in the cache; older ones go when a new one comes."""
STRAY_AGE_S = 3600
"""A temporary file of this age belongs to no command that still runs."""
UNKNOWN = Origin(release="", source="built-in", date="", sha256="")
_CHECKERS = tuple(
    Path(__file__).with_name(f"{name}.py")
    for name in (
        "catalog_entries", "catalog_schema", "catalog_validated", "catalog_advice",
        "catalog_checks", "upstream_values",
    )
)  # fmt: skip
_SHAPES = (
    ModelSpec, Weights, Limits, Pins, Changed, Requirement, Target, Issue,
    Advice, KnownBad, Fallback, ImageOverride, Gated, Origin, Quarantined,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a catalog's files hold."""

    specs: tuple[ModelSpec, ...]
    advice: Advice
    origin: Origin
    quarantined: tuple[Quarantined, ...] = ()


def key_of(catalog_sha256: str) -> str:
    """Return what a compiled catalog is good for: these files, these checks, these values."""
    digest = hashlib.sha256(f"{catalog_sha256} {__version__} {_shapes()}".encode())
    # An installation without sources has its version.
    with suppress(OSError):
        for path in _CHECKERS:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def place(cache: Path, key: str) -> Path:
    """Return where the compiled catalog of `key` lies."""
    return cache / f"{key}.json"


def text_of(
    specs: tuple[ModelSpec, ...],
    key: str,
    *,
    advice: Advice | None = None,
    origin: Origin = UNKNOWN,
    quarantined: tuple[Quarantined, ...] = (),
) -> str:
    """Return a compiled catalog's text: a line about itself, then one line for each entry."""
    rows = ",\n".join(_line(_row(spec)) for spec in specs)
    other = f'"advice":{_line(asdict(advice or Advice()))},\n"origin":{_line(asdict(origin))}'
    other += f',\n"quarantined":{_line([asdict(one) for one in quarantined])}'
    body = f'{{{other},\n"specs":[\n{rows}\n]}}\n'
    head = {"key": key, "sha256": hashlib.sha256(body.encode()).hexdigest()}
    return f"{json.dumps(head)}\n{body}"


def read(path: Path, key: str) -> tuple[ModelSpec, ...] | None:
    """Return the entries of a compiled catalog, None where there is none that fits `key`."""
    whole = read_whole(path, key)
    return None if whole is None else whole.specs


def read_whole(path: Path, key: str) -> Checked | None:
    """Return all of a compiled catalog, None where there is none that fits `key`."""
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        if json.loads(head) != {"key": key, "sha256": hashlib.sha256(body).hexdigest()}:
            return None
        found = json.loads(body)
        return Checked(
            specs=tuple(_spec(row) for row in found["specs"]),
            advice=_advice(found["advice"]),
            origin=Origin(**found["origin"]),
            quarantined=tuple(Quarantined(**one) for one in found["quarantined"]),
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def keep(
    cache: Path,
    key: str,
    specs: tuple[ModelSpec, ...],
    *,
    advice: Advice | None = None,
    origin: Origin = UNKNOWN,
    quarantined: tuple[Quarantined, ...] = (),
) -> None:
    """Write a compiled catalog and sweep old ones; a cache that cannot be written stays as it is.

    The answer is at hand already: only the next command has to check again.
    """
    with suppress(TtctlError, OSError):
        text = text_of(specs, key, advice=advice, origin=origin, quarantined=quarantined)
        write_atomically(place(cache, key), text, mode=0o600)
        for path in _outlived(cache):
            path.unlink(missing_ok=True)


def _outlived(cache: Path) -> Iterator[Path]:
    """Yield compiled catalogs beyond the newest, and what a killed command left."""
    ages = {path: path.stat().st_mtime for path in cache.iterdir() if path.is_file()}
    yield from sorted((path for path in ages if path.suffix == ".json"), key=ages.__getitem__)[
        :-KEPT
    ]
    old = time.time() - STRAY_AGE_S
    yield from (path for path in ages if path.name.startswith(STRAY_PREFIX) and ages[path] < old)


def _shapes() -> str:
    """Return the value classes' fields: a field more makes every compiled catalog anew."""
    return repr([sorted(shape.__annotations__.items()) for shape in _SHAPES])


def _line(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _row(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the shapes
    """Return a value's fields without those that have their default: most have."""
    row = asdict(value)
    for one in fields(value):
        own = getattr(value, one.name)
        if one.default is not MISSING and own == one.default:
            del row[one.name]
        elif one.name in {"pins", "weights"} and own is not None:
            row[one.name] = _row(own)
        elif one.name in {"changed", "requirements", "targets", "issues"}:
            row[one.name] = [_row(inner) for inner in own]
    return row


def _spec(row: dict[str, Any]) -> ModelSpec:
    """Return the value that `_row` made this row of."""
    row["weights"] = Weights(**row["weights"])
    row["limits"] = Limits(**row["limits"])
    for name in ("engine_args", "environment"):
        if name in row:
            row[name] = tuple(map(tuple, row[name]))
    for name in ("aliases", "modalities", "suspect", "known_bad"):
        if name in row:
            row[name] = tuple(row[name])
    if (pins := row.get("pins")) is not None:
        row["pins"] = Pins(**{**pins, "inferred": tuple(pins.get("inferred", ()))})
    for name, shape in _INNER:
        if name in row:
            row[name] = tuple([shape(**inner) for inner in row[name]])
    return ModelSpec(**row)


def _advice(row: dict[str, Any]) -> Advice:
    return Advice(
        known_bad=tuple(KnownBad(**one) for one in row["known_bad"]),
        fallbacks=tuple(Fallback(**one) for one in row["fallbacks"]),
        images=tuple(ImageOverride(**one) for one in row["images"]),
        gated=tuple(Gated(**one) for one in row["gated"]),
    )


_INNER: tuple[tuple[str, Any], ...] = (
    ("changed", Changed),
    ("requirements", Requirement),
    ("targets", Target),
    ("issues", Issue),
)
