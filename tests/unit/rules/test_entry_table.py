# SPDX-License-Identifier: Apache-2.0
"""Is each entry handled as upstream says: contract, nodes, flag, arguments, refusal?"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.rules.entry_table import COLUMNS, NEWEST, PATH, has_every_release, rows, table
from tests.unit.rules.launching import contract_of, entries, files_of, pins_of, service_of

from tools.catalog import exports_in
from ttctl.rules.launch import refusal

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

EVERY = [pytest.param(spec, id=spec.id) for spec in entries()]
STARTED = [one for one in EVERY if not rows()[str(one.id)].refusal]
REFUSED = {"gpu": "it is listed only", "several hosts": "it spans several hosts"}
PARSERS = {"tool-call-parser", "enable-auto-tool-choice", "reasoning-parser"}
"""Of the entry's metadata, which upstream's server ignores."""
OURS = {"TT_DIT_CACHE_DIR"}
"""What a contract says in place of the entry: the same cache at the path where it is mounted."""
EXPORTS = Path(os.environ.get("EXPORTS", ""))


def test_the_table_and_the_catalog_hold_the_same_entries() -> None:
    assert len(rows()) == 225
    assert set(rows()) == {spec.id for spec in entries()}


@pytest.mark.parametrize("spec", EVERY)
def test_an_entry_has_the_contract_and_the_flag_of_its_image(spec: ModelSpec) -> None:
    row = rows()[spec.id]
    assert contract_of(spec).name == row.contract
    assert pins_of(spec).flag == row.flag


@pytest.mark.parametrize("spec", EVERY)
def test_an_entry_is_refused_for_the_reason_that_the_table_names_and_for_no_other(
    spec: ModelSpec,
) -> None:
    row = rows()[spec.id]
    said = refusal(spec, contract_of(spec))
    assert said.startswith(REFUSED[row.refusal]) if row.refusal else said == ""


@pytest.mark.parametrize("spec", STARTED)
def test_an_entry_gets_one_device_node_for_each_chip_on_pcie(spec: ModelSpec) -> None:
    assert service_of(spec).nodes == rows()[spec.id].nodes


@pytest.mark.parametrize("spec", EVERY)
def test_an_entry_has_the_arguments_and_the_environment_of_its_first_validation(
    spec: ModelSpec,
) -> None:
    row = rows()[spec.id]
    if row.flag:
        assert {name: value or "true" for name, value in spec.engine_args} == row.arguments
    assert dict(spec.environment) == row.environment


@pytest.mark.parametrize("spec", STARTED)
def test_arguments_and_environment_of_an_entry_reach_its_server(spec: ModelSpec) -> None:
    row, given = rows()[spec.id], dict(service_of(spec).environment)
    if not row.flag:
        own = dict(contract_of(spec).environment)
        passed = {name: value for name, value in row.environment.items() if name not in own}
        assert passed.items() <= given.items()
        assert {name for name in row.environment if name in own} <= OURS
        return
    told = json.loads(files_of(spec)["launch/model_spec.json"])
    arguments = told["device_model_spec"]["vllm_args"]
    added = {name: value for name, value in arguments.items() if name not in dict(spec.engine_args)}
    assert added.keys() <= PARSERS
    passed = {name: value for name, value in arguments.items() if name not in added}
    assert {name: "true" if v is True else v for name, v in passed.items()} == row.arguments
    assert told["env_vars"] == row.environment


@pytest.mark.exports
@pytest.mark.skipif(not os.environ.get("EXPORTS"), reason="EXPORTS has no export")
def test_the_table_is_what_the_exports_give() -> None:
    if has_every_release(EXPORTS):
        assert table(EXPORTS) == PATH.read_text(encoding="utf-8")
        return
    # What was first validated cannot be told from some of the releases; the rest can.
    newest = next(path for path in exports_in(EXPORTS) if NEWEST in path.name)
    told = {line.split("\t")[0]: line.split("\t") for line in table(newest.parent).splitlines()}
    for line in PATH.read_text(encoding="utf-8").splitlines():
        cells = line.split("\t")
        same = [COLUMNS.index(one) for one in ("contract", "nodes", "refusal", "subdevice")]
        assert [cells[n] for n in same] == [told[cells[0]][n] for n in same]
