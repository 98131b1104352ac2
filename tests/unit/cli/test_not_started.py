# SPDX-License-Identifier: Apache-2.0
"""Are entries that ttctl lists and does not start refused alike, with a command that helps?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.errors import NothingFitsError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import Typed

MANY = "deepseek-ai/DeepSeek-R1-0528"
GPU = "meta-llama/Llama-3.1-8B --device gpu"
REFUSED = NothingFitsError.exit_code


def render(device: str) -> str:
    return f"ttctl render {MANY} --device {device} -o deepseek-r1-0528"


@pytest.mark.parametrize("device", ["dual_galaxy", "quad_galaxy"])
@pytest.mark.parametrize("line", ["up {}", "lock {}", "plan {} --commands", "up {} --build"])
def test_an_entry_of_several_hosts_is_refused_with_the_reason_and_the_render_command(
    typed: Typed, line: str, device: str
) -> None:
    code, out, err = typed(line.format(f"{MANY} --device {device}"))
    assert (code, out) == (REFUSED, "")
    assert "It spans several hosts, which need one ssh key, shared storage" in err
    assert f"next:     {render(device)}\n" in err


@pytest.mark.parametrize("line", ["plan {}", "up {} --dry-run"])
@pytest.mark.parametrize(("device", "hosts"), [("dual_galaxy", 2), ("quad_galaxy", 4)])
def test_a_plan_shows_what_was_validated_and_names_the_render_command(
    typed: Typed, line: str, device: str, hosts: int
) -> None:
    code, out, err = typed(line.format(f"{MANY} --device {device}"))
    assert code == REFUSED
    assert "contract  multihost" in out
    assert f"it spans {hosts} hosts; ttctl serves on one host only" in out
    assert f"next: {render(device)}\n" in err


@pytest.mark.parametrize("form", ["compose", "run", "quadlet"])
def test_the_command_that_is_named_writes_a_folder_for_each_host(
    typed: Typed, tmp_path: Path, form: str
) -> None:
    words = render("quad_galaxy").removeprefix("ttctl ").rpartition(" ")[0]
    code, _, err = typed(f"{words} {tmp_path}/out --to {form} --unlocked")
    assert code == 0, err
    for number in range(2, 5):
        assert (tmp_path / "out" / f"host-{number}" / ".env").is_file()
    assert (tmp_path / "out" / "HOSTS.md").is_file()


@pytest.mark.parametrize(
    "line", ["up {}", "lock {}", "plan {} --commands", "render {} -o {out} --unlocked"]
)
def test_an_entry_of_a_gpu_is_listed_only(typed: Typed, tmp_path: Path, line: str) -> None:
    code, out, err = typed(line.format(GPU, out=tmp_path / "out"))
    assert (code, out) == (REFUSED, "")
    assert "It is listed only: upstream measures against a GPU with it" in err
    assert "next:     ttctl models show meta-llama/Llama-3.1-8B\n" in err
    assert not (tmp_path / "out").exists()


def test_the_page_of_an_entry_of_a_gpu_says_that_it_is_not_served(typed: Typed) -> None:
    code, out, _ = typed(f"plan {GPU}")
    assert code == REFUSED
    assert "it is for a GPU; ttctl lists it and does not serve it" in out
