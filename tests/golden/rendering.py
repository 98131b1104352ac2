# SPDX-License-Identifier: Apache-2.0
"""Render the folder of `demo-llama` on the CPU at a place that is the same everywhere.

As a program it writes the folder to its first argument, with the second as the umask.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tests.unit.fakes import Scene

from ttctl.adapters import places
from ttctl.adapters.catalog import BuiltInCatalog
from ttctl.adapters.store import StateFolder
from ttctl.adapters.weights import LocalWeights
from ttctl.errors import OfflineError
from ttctl.model.spec import Request
from ttctl.operations.desire import desire

if TYPE_CHECKING:
    from ttctl.model.site import Site

Files = dict[str, tuple[str, bool]]


def rendered() -> Files:
    """Return path to (text, executable); the catalog, the recipes and the model are shipped."""
    world = replace(
        Scene().world,
        catalog=BuiltInCatalog(places.catalog()),
        weights=LocalWeights(
            cache=Path("/cache/weights"),
            bundled=lambda name: places.shipped() / "images" / name / "model",
            hub=_no_hub,
        ),
        folders=StateFolder(Path("/state/stacks")),
    )
    return desire(world, Request(model="demo-llama", device="cpu")).files


def _no_hub(site: Site) -> NoReturn:
    raise OfflineError(f"No hub is asked here: {site}")


def write(folder: Path) -> None:
    """Write the folder as `up` does."""
    StateFolder(folder.parent).write_folder(folder, rendered(), prune=True)


if __name__ == "__main__":
    os.umask(int(sys.argv[2], 8))
    write(Path(sys.argv[1]))
