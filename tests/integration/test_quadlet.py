# SPDX-License-Identifier: Apache-2.0
"""Does podman's own generator take the units, and does what it makes of them say the same?

`make test-tools` brings the generator; without it the tests fail, they do not pass unseen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from tests.unit.fakes import RECIPES
from tests.unit.rules.stacks import MADE, stacks

from tools.said import said_by_compose
from tools.said_units import said_by_generator, unit
from tools.sample_place import VALUES
from ttctl.rules.compose import compose_of
from ttctl.rules.quadlet import unit_files

if TYPE_CHECKING:
    from ttctl.model.service import Stack

pytestmark = pytest.mark.docker

GENERATOR = Path(__file__).parents[2] / "build" / "quadlet" / "quadlet"
ALL = [pytest.param(stack, id=name) for name, stack in MADE.items()]


def generated(stack: Stack, folder: Path) -> dict[str, str]:
    """Return file name to text of the services that the generator makes of a stack's units."""
    assert GENERATOR.is_file(), "no unit generator is here; make test-tools brings it"
    shutil.rmtree(folder, ignore_errors=True)
    units, made = folder / "units", folder / "made"
    for one in (units, made):
        one.mkdir(parents=True)
    for name, text in unit_files(stack).items():
        (units / name).write_bytes(text.encode())
    done = subprocess.run(
        [GENERATOR, "-no-kmsg-log", made],
        env={"QUADLET_UNIT_DIRS": str(units), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = [line for line in done.stderr.splitlines() if "Loading source unit" not in line]
    assert done.returncode == 0, done.stderr
    assert not said, said
    return {path.name: path.read_bytes().decode() for path in made.iterdir() if path.is_file()}


def check_same(stack: Stack, folder: Path) -> None:
    made = generated(stack, folder)
    assert len(made) == len(stack.services) + len(stack.networks)
    values = {**VALUES, "PWD": str(folder / "units")}
    expected = said_by_compose(RECIPES.yaml(compose_of(stack)), values)
    for service in stack.services:
        text = made[f"{stack.project}-{service.name}.service"]
        assert said_by_generator(text, values) == expected[service.name]


@pytest.mark.parametrize("stack", ALL)
def test_the_generators_command_says_what_the_compose_file_says(
    stack: Stack, tmp_path: Path
) -> None:
    check_same(stack, tmp_path / "folder")


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(stack=stacks())
def test_the_generator_agrees_on_any_stack(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_same(stack, tmp_path_factory.getbasetemp() / "any")


def test_a_unit_with_a_wrong_key_is_refused_so_the_generator_does_look(tmp_path: Path) -> None:
    (tmp_path / "x.container").write_text("[Container]\nImage=docker.io/a/b\nRestrat=no\n")
    done = subprocess.run(
        [GENERATOR, "-no-kmsg-log", "-dryrun"],
        env={"QUADLET_UNIT_DIRS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "unsupported key 'Restrat'" in done.stderr


@pytest.mark.parametrize("stack", ALL)
def test_systemd_finds_no_fault_in_the_services(stack: Stack, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        # Containers of the tests may have no systemd; the generator's verdict stands without it.
        assert not Path("/run/systemd/system").exists()
        return
    made = generated(stack, tmp_path / "folder")
    for name, text in made.items():
        # Podman itself need not be here.
        (tmp_path / name).write_bytes(text.replace("/usr/bin/podman", "/usr/bin/env").encode())
    done = subprocess.run(
        [program, "verify", *(str(tmp_path / name) for name in made)],
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    mine = [line for line in done.stderr.splitlines() if stack.project in line]
    assert not mine, mine


def test_the_services_order_themselves_after_their_networks(tmp_path: Path) -> None:
    made = generated(MADE["llama"], tmp_path / "folder")
    lines = unit(made["ttctl-llama-gateway.service"].replace("Wants=", "After="))["Unit"]
    after = {value for key, value in lines if key == "After"}
    assert {"ttctl-llama-front-network.service", "ttctl-llama-back-network.service"} <= after
