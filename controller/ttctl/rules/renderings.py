# SPDX-License-Identifier: Apache-2.0
"""Which files say a stack in the forms that are wanted? Pure.

A rendering takes a `Stack`, whatever launch rule made it, and names what belongs to the place by
the variables of the .env file alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.compose import compose_of
from ttctl.rules.prepare_script import NAME as PREPARE
from ttctl.rules.prepare_script import Needs, prepare_script
from ttctl.rules.quadlet import unit_files
from ttctl.rules.renderable import check_stack
from ttctl.rules.run_script import run_script, stop_script

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from ttctl.model.plan import StackForm
    from ttctl.model.service import Stack

FORMS: tuple[StackForm, ...] = ("compose", "run", "quadlet")
COMPOSE: tuple[StackForm, ...] = ("compose",)
"""What `up` itself runs."""

Files = dict[str, tuple[str, bool]]


def files_of(
    stack: Stack,
    forms: Collection[StackForm],
    *,
    yaml: Callable[[dict[str, object]], str],
    needs: Sequence[Needs] = (Needs(),),
) -> Files:
    """Return path to (text, executable) of the files that say `stack`.

    Args:
        stack: What is wanted.
        forms: In which forms it is said.
        yaml: Writes a value as YAML.
        needs: What the start of each engine on cards needs, the stack's own first.

    Raises:
        BadFileError: A field holds what cannot be said alike everywhere.
    """
    check_stack(stack)
    files: Files = {}
    if stack.engine.nodes:
        files[PREPARE] = (prepare_script(stack, needs), True)
    if "compose" in forms:
        files["compose.yaml"] = (yaml(compose_of(stack)), False)
    if "run" in forms:
        files["run.sh"] = (run_script(stack), True)
        files["stop.sh"] = (stop_script(stack), True)
    if "quadlet" in forms:
        files |= {name: (text, False) for name, text in unit_files(stack).items()}
    return files
