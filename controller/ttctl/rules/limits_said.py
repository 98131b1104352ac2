# SPDX-License-Identifier: Apache-2.0
"""Where does an entry say the limits and flags that the user may change? Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.model.pins import OWN
from ttctl.rules.engine_flags import merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.spec import ModelSpec

READS_ARGUMENTS = frozenset({"vllm-legacy", "vllm-current", "multihost", OWN})
"""Contracts whose engine gets the entry's arguments; the other servers read their environment."""
VARIABLES = {
    "max_model_len": ("MAX_MODEL_LENGTH", "VLLM__MAX_MODEL_LENGTH"),
    "max_num_seqs": ("MAX_NUM_SEQS", "VLLM__MAX_NUM_SEQS"),
}
"""Limit to the variables by which entries of those other servers say it.

Source: tenstorrent/tt-inference-server, release_model_spec.json@v0.20.0, env_vars
"""

READS_LIMITS = {"direct": frozenset({"max_model_len"}), "sd": frozenset[str]()}
"""Contract to the limits that its command line in compose/contracts.toml says."""

Pairs = tuple[tuple[str, str], ...]


def with_said(spec: ModelSpec, limits: Mapping[str, int], words: Pairs) -> ModelSpec:
    """Return `spec` so that its engine gets these limits and further flags.

    Args:
        spec: The entry.
        limits: The fields of its limits that change.
        words: (name, value) of the engine's flags, checked by `rules/engine_flags`.

    Raises:
        UsageError: The server of the entry's image has no setting for one of them.
    """
    changed = replace(spec, limits=replace(spec.limits, **limits))
    if spec.pins is None:
        # Their limits are words of their own, beside the arguments.
        return replace(changed, engine_args=merged(spec.engine_args, words))
    if spec.pins.contract in READS_ARGUMENTS:
        said = tuple((_flag(name), str(value)) for name, value in limits.items())
        return replace(changed, engine_args=merged(spec.engine_args, (*said, *words)))
    if spec.pins.is_derived:
        _refuse_unread(spec, limits, words)
        return changed
    return replace(changed, environment=_environment(spec, limits, words))


def _environment(spec: ModelSpec, limits: Mapping[str, int], words: Pairs) -> Pairs:
    environment = dict(spec.environment)
    for name, value in limits.items():
        known = [one for one in VARIABLES.get(name, ()) if one in environment]
        if not known:
            raise _without_effect(spec, f"--{_flag(name)}, or the setting up.{name},")
        environment |= dict.fromkeys(known, str(value))
    for flag, _ in words:
        raise _without_effect(spec, f"--{flag}")
    return tuple(environment.items())


def _refuse_unread(spec: ModelSpec, limits: Mapping[str, int], words: Pairs) -> None:
    read = READS_LIMITS[spec.engine]
    for name in limits:
        if name not in read:
            raise _without_effect(spec, f"--{_flag(name)}, or the setting up.{name},")
    for flag, _ in words:
        raise _without_effect(spec, f"--{flag}")


def _without_effect(spec: ModelSpec, what: str) -> UsageError:
    return UsageError(
        f"{what} would change nothing for {spec.model!r} on {spec.device!r}.",
        why="The server of its image takes no such argument, and the entry names no variable.",
        evidence=f"Entry {spec.id}, contract {spec.pins.contract if spec.pins else 'own'}.",
        next_step=f"ttctl plan {spec.model} --device {spec.device} --why",
    )


def _flag(name: str) -> str:
    return name.replace("_", "-")
