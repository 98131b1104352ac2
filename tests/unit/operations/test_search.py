# SPDX-License-Identifier: Apache-2.0
"""Does a search name first what is meant most?"""

from __future__ import annotations

from tests.unit.fakes import Scene
from tests.unit.rules.validated import entry

from ttctl.model.model_page import Filter
from ttctl.operations.catalogs import searched


def test_what_answers_is_named_before_its_base_and_a_name_before_anothers_alias() -> None:
    scene = Scene()
    scene.catalog.entries = (
        entry("acme/Other-1B", "n150", aliases=("llama",)),
        entry("acme/Llama-3.1-8B", "n150"),
        entry("acme/Llama-3.1-8B-Instruct", "n150"),
    )
    found = searched(scene.world, ["llama3"], Filter())
    assert [one.model for one in found][:2] == ["acme/Llama-3.1-8B-Instruct", "acme/Llama-3.1-8B"]
