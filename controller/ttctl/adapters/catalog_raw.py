# SPDX-License-Identifier: Apache-2.0
"""What does a catalog file say of one entry, in its own words?"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from ttctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ttctl.model.spec import ModelSpec


def raw_entry(
    paths: Iterable[Path], specs: Iterable[ModelSpec], spec_id: str
) -> Mapping[str, object]:
    """Return the entry `spec_id` as its file has it.

    Raises:
        UsageError: There is no such entry.
    """
    known = {(spec.model, spec.device): spec.id for spec in specs if spec.pins is None}
    for path in paths:
        # These files were checked before: `specs` came out of them.
        file = tomllib.loads(path.read_text(encoding="utf-8"))
        for entry in file.get("spec", ()):
            own = entry.get("id") or known.get((entry.get("model"), entry.get("device")))
            if own == spec_id:
                return {**entry, "source": file.get("source", "")}
    raise UsageError(
        f"The catalog has no entry {spec_id!r}.",
        why="An entry's id is what `models show` says in its first lines.",
        next_step="ttctl models ls",
    )
