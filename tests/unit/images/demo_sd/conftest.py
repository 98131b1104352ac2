# SPDX-License-Identifier: Apache-2.0
"""Load the demo model's pure scripts by path: their folder's name is no module name."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[4] / "images" / "demo-sd"


def load(name: str) -> ModuleType:
    """Import a script; the scripts import each other by these names."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def folder() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def scenes() -> ModuleType:
    return load("scenes")


@pytest.fixture(scope="session")
def judge(scenes: ModuleType) -> ModuleType:
    assert scenes
    return load("judge")
