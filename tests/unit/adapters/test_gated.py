# SPDX-License-Identifier: Apache-2.0
"""Is every line about gated weights one that the catalog needs, and does it survive compiling?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.adapters import places
from ttctl.adapters.catalog import BuiltInCatalog
from ttctl.adapters.catalog_advice import read_gated
from ttctl.errors import BadFileError
from ttctl.rules.advised import gated

if TYPE_CHECKING:
    from pathlib import Path


def test_every_line_is_about_weights_of_the_catalog_and_has_a_source(tmp_path: Path) -> None:
    catalog = BuiltInCatalog(places.catalog(), cache=tmp_path)
    advice = catalog.advice()
    assert advice.gated == read_gated(places.catalog() / "gated.toml")
    used = {one for spec in catalog.specs() if (one := gated(spec, advice)) is not None}
    assert used == set(advice.gated)
    assert all(one.source.startswith("https://") for one in used)
    assert BuiltInCatalog(places.catalog(), cache=tmp_path).advice() == advice


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("schema = 2\ngated = []", id="another schema"),
        pytest.param("schema = 1\n[[gated]]\nmodel = 'a/b'", id="without a reason"),
        pytest.param(
            "schema = 1\n[[gated]]\nmodel = 'a b'\nreason = 'r'\nsource = 's'\ndate = 2026-01-31",
            id="no repository",
        ),
    ],
)
def test_a_damaged_file_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "gated.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadFileError):
        read_gated(file)
