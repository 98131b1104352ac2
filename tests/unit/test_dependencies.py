# SPDX-License-Identifier: Apache-2.0
"""Is each dependency needed, declared, bounded at both ends and justified? Nothing is run."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest

from tools.environments import bounds

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DECLARED: dict[str, str] = dict(
    re.match(r"([\w-]+)(.*)", one).groups() for one in PROJECT["dependencies"]
)
"""Name to range."""
MOST = 10


def imported() -> set[str]:
    """Return the top modules that the product imports, at any depth of its code."""
    found = set()
    for path in (ROOT / "controller" / "ttctl").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add((node.module or "").partition(".")[0])
    return found - sys.stdlib_module_names - {"ttctl"}


def normal(name: str) -> str:
    """Return a distribution's name as the packaging standard compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_import_of_the_product_is_declared_and_every_dependency_is_imported() -> None:
    owners = importlib.metadata.packages_distributions()
    used = {normal(owner) for module in imported() for owner in owners[module]}
    assert used == {normal(name) for name in DECLARED}


def test_dependencies_are_few() -> None:
    assert 0 < len(DECLARED) <= MOST


def test_every_dependency_has_a_lowest_and_a_newest_version_to_test() -> None:
    assert bounds(PROJECT["dependencies"]).keys() == DECLARED.keys()


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_the_version_in_use_is_in_its_range(name: str) -> None:
    low, high = re.fullmatch(r">=([\w.]+),<([\w.]+)", DECLARED[name]).groups()
    parts = [
        tuple(int(part) for part in re.findall(r"\d+", text))
        for text in (low, importlib.metadata.version(name), high)
    ]
    assert parts[0] <= parts[1] < parts[2]


def test_the_table_justifies_each_dependency_with_its_range() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    assert {row[0].strip("`"): row[1].strip("`") for row in rows} == DECLARED
    for name, _, purpose, reason, cost in rows:
        assert len(purpose) > 10, name
        assert len(reason) > 20, name
        assert float(cost) >= 1, name
