# SPDX-License-Identifier: Apache-2.0
"""How our own servers, `direct` and `sd`, are started on the processor. Pure.

The words are those of compose/contracts.toml, which starts the same programs on a card; which back
end computes is said by the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.engine_command import model_folder

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec


def direct_arguments(spec: ModelSpec, *, models: str, port: int) -> tuple[str, ...]:
    """Return the arguments behind `python -m ttctl_direct`.

    It answers one request at a time, so `max_num_seqs` is not among them.

    Args:
        models: Folder inside the container where weights are mounted.
    """
    length = str(spec.limits.max_model_len)
    return (*_served(spec, models=models, port=port), "--max-model-len", length)


def sd_arguments(spec: ModelSpec, *, models: str, port: int) -> tuple[str, ...]:
    """Return the arguments behind `python -m ttctl_sd`; limits of tokens mean nothing to it.

    Args:
        models: Folder inside the container where weights are mounted.
    """
    return _served(spec, models=models, port=port)


def _served(spec: ModelSpec, *, models: str, port: int) -> tuple[str, ...]:
    folder = model_folder(spec, models=models)
    return ("--weights", folder, "--name", spec.model, "--port", str(port))
