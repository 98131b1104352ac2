# SPDX-License-Identifier: Apache-2.0
"""Do the scripts start what is missing, leave what runs, and give every container its time?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.rules.stacks import CARD, LLAMA, MADE

from tools.said_run import told
from tools.sample_place import FOLDER, VALUES
from ttctl.errors import BadFileError
from ttctl.rules.compose import config_hash
from ttctl.rules.docker_run import container_name, typed_commands
from ttctl.rules.run_script import run_script, stop_script

if TYPE_CHECKING:
    from ttctl.model.service import Stack

SHELLCHECK = Path(sys.executable).with_name("shellcheck")
ALL = [pytest.param(stack, id=name) for name, stack in MADE.items()]


@pytest.mark.parametrize("stack", ALL)
def test_no_container_removes_itself_and_each_has_two_minutes_to_end(stack: Stack) -> None:
    runs = [command for command in typed_commands(stack, VALUES) if command[1] == "run"]
    assert len(runs) == len(stack.services)
    for command in runs:
        assert "--rm" not in command
        assert int(command[command.index("--stop-timeout") + 1]) >= 120
        assert "--privileged" not in command


def test_nodes_are_passed_one_by_one_and_read_from_the_env_file() -> None:
    (engine, _) = [command for command in typed_commands(CARD, VALUES) if command[1] == "run"]
    nodes = [engine[place + 1] for place, word in enumerate(engine) if word == "--device"]
    assert nodes == [VALUES["TTCTL_NODE_0"], VALUES["TTCTL_NODE_1"]]
    assert "/dev/tenstorrent/3" not in run_script(CARD)
    assert '"${TTCTL_NODE_0:?the node of a leased board}"' in run_script(CARD)


def test_what_the_env_file_lacks_is_named() -> None:
    without = {name: value for name, value in VALUES.items() if name != "TTCTL_NODE_1"}
    with pytest.raises(BadFileError, match="TTCTL_NODE_1 is not set"):
        typed_commands(CARD, without)
    with pytest.raises(ValueError, match="TTCTL_NODE_1: the node of a leased board"):
        told(run_script(CARD), without, folder=FOLDER)


@pytest.mark.parametrize("name", ["run", "stop"])
def test_the_scripts_pass_their_linter(tmp_path: Path, name: str) -> None:
    made = tmp_path / f"{name}.sh"
    (tmp_path / ".env").write_text("")
    for stack in MADE.values():
        made.write_text(run_script(stack) if name == "run" else stop_script(stack))
        done = subprocess.run(
            [SHELLCHECK, made], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.stdout == ""


RUNNING = """\
docker() {{
    printf '%s\\n' "$*" >>asked
    case "$*" in
    *Health*) echo "running healthy" ;;
    *Networks*) printf '%s\\n' {networks} ;;
    *config-hash*{engine}*) echo "{engine_hash} true" ;;
    *config-hash*{gateway}*) echo "{gateway_hash} {running}" ;;
    *ExitCode*) echo 137 ;;
    esac
}}
"""


def asked(stack: Stack, script: str, folder: Path, *, running: bool = True) -> list[str]:
    """Run a script where both containers are there; return what docker was asked to change."""
    engine, gateway = stack.services
    (folder / ".env").write_text("".join(f"{key}='{value}'\n" for key, value in VALUES.items()))
    text = RUNNING.format(
        networks=f"{stack.project}-front {stack.project}-back",
        engine=container_name(stack, engine),
        engine_hash=config_hash(stack, engine),
        gateway=container_name(stack, gateway),
        gateway_hash=config_hash(stack, gateway),
        running=str(running).lower(),
    )
    (folder / "docker.sh").write_text(text)
    (folder / "run.sh").write_text(script)
    environ = {"PATH": "/usr/bin:/bin", "BASH_ENV": "docker.sh"}
    subprocess.run(["bash", "run.sh"], cwd=folder, check=True, env=environ)
    lines = (folder / "asked").read_text().splitlines()
    verbs = ("run ", "stop ", "rm ", "network create", "network connect", "network rm")
    return [line for line in lines if line.startswith(verbs)]


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    assert asked(LLAMA, run_script(LLAMA), tmp_path) == []


def test_what_ended_is_stopped_removed_and_started_anew(tmp_path: Path) -> None:
    first, second, third = asked(LLAMA, run_script(LLAMA), tmp_path, running=False)
    name = container_name(LLAMA, LLAMA.services[1])
    assert first == f"stop --time 120 {name}"
    assert second == f"rm {name}"
    assert third.startswith(f"run --detach --pull never --name {name} ")


def test_the_stop_goes_from_the_door_to_the_engine_and_then_to_the_networks(
    tmp_path: Path,
) -> None:
    assert asked(LLAMA, stop_script(LLAMA), tmp_path) == [
        "stop --time 120 ttctl-llama-gateway-1",
        "rm ttctl-llama-gateway-1",
        "stop --time 120 ttctl-llama-vllm-1",
        "rm ttctl-llama-vllm-1",
        "network rm ttctl-llama-front",
        "network rm ttctl-llama-back",
    ]


def test_a_path_with_a_double_quote_ends_the_script_before_docker_is_asked() -> None:
    bad = {**VALUES, "TTCTL_WEIGHTS": '/a",source=/'}
    with pytest.raises(ValueError, match="a double quote cannot stand in a path"):
        told(run_script(LLAMA), bad, folder=FOLDER)


def test_a_path_beside_the_script_is_made_whole() -> None:
    near = {**VALUES, "TTCTL_SECRETS": "./secrets"}
    told_of = told(run_script(LLAMA), near, folder=FOLDER)
    gateway = next(one for one in told_of if one[1] == "run" and "ttctl-llama-gateway-1" in one)
    assert f'type=bind,"source={FOLDER}/secrets",target=/run/secrets/gateway,readonly' in gateway
    by_hand = [one for one in typed_commands(LLAMA, near) if one[1] == "run"][1]
    assert list(by_hand) == gateway
