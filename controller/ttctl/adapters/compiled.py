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
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttctl import __version__
from ttctl.adapters.files import STRAY_PREFIX, write_atomically
from ttctl.errors import TtctlError
from ttctl.model.spec import Limits, ModelSpec, Weights

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT = 8
"""Compiled catalogs that stay in the cache; older ones go when a new one comes."""
STRAY_AGE_S = 3600
"""A temporary file of this age belongs to no command that still runs."""
_CHECKER = Path(__file__).with_name("catalog_entries.py")


def key_of(catalog_sha256: str) -> str:
    """Return what a compiled catalog is good for: these files, these checks, these values."""
    digest = hashlib.sha256(f"{catalog_sha256} {__version__} {_shapes()}".encode())
    # An installation without sources has its version.
    with suppress(OSError):
        digest.update(_CHECKER.read_bytes())
    return digest.hexdigest()


def place(cache: Path, key: str) -> Path:
    """Return where the compiled catalog of `key` lies."""
    return cache / f"{key}.json"


def text_of(specs: tuple[ModelSpec, ...], key: str) -> str:
    """Return a compiled catalog's text: a line about itself, then one line for each entry."""
    rows = [json.dumps(asdict(spec), sort_keys=True, separators=(",", ":")) for spec in specs]
    body = "[\n{}\n]\n".format(",\n".join(rows))
    head = {"key": key, "sha256": hashlib.sha256(body.encode()).hexdigest()}
    return f"{json.dumps(head)}\n{body}"


def read(path: Path, key: str) -> tuple[ModelSpec, ...] | None:
    """Return the entries of a compiled catalog, None where there is none that fits `key`."""
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        if json.loads(head) != {"key": key, "sha256": hashlib.sha256(body).hexdigest()}:
            return None
        return tuple(_spec(row) for row in json.loads(body))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def keep(cache: Path, key: str, specs: tuple[ModelSpec, ...]) -> None:
    """Write a compiled catalog and sweep old ones; a cache that cannot be written stays as it is.

    The answer is at hand already: only the next command has to check again.
    """
    with suppress(TtctlError, OSError):
        write_atomically(place(cache, key), text_of(specs, key), mode=0o600)
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
    return repr([sorted(shape.__annotations__.items()) for shape in (ModelSpec, Weights, Limits)])


def _spec(row: dict[str, Any]) -> ModelSpec:
    """Return the value that `asdict` made this row of."""
    return ModelSpec(
        **{
            **row,
            "aliases": tuple(row["aliases"]),
            "engine_args": tuple((name, value) for name, value in row["engine_args"]),
            "environment": tuple((name, value) for name, value in row["environment"]),
            "weights": Weights(**row["weights"]),
            "limits": Limits(**row["limits"]),
        }
    )
