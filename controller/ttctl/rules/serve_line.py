# SPDX-License-Identifier: Apache-2.0
"""How does an engine on a card serve, inside of its container? Pure. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.plan import ServeLine
from ttctl.rules.spec_file import NAME, arguments_of

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract
    from ttctl.model.service import ServiceSpec
    from ttctl.model.spec import ModelSpec

MODEL = "--model"


def serve_lines(
    spec: ModelSpec, contract: LaunchContract, engine: ServiceSpec
) -> tuple[ServeLine, ...]:
    """Return what the container's first process gets, and the `vllm serve` line that it comes to.

    Args:
        spec: With the limits that are asked for.
        contract: How the image is launched.
        engine: The container.
    """
    words = (*engine.entrypoint, *engine.command)
    begins = "this" if engine.entrypoint else "its own entrypoint, with"
    gets = ServeLine(what=f"the image of {engine.name} starts {begins}", words=words)
    if contract.models:
        amounts = "which is, with the models of Tenstorrent made known to vLLM"
        return gets, ServeLine(what=amounts, words=_serve(_pairs(engine.command)))
    if not contract.spec_form:
        return (gets,)
    told = {name: str(value) for name, value in arguments_of(spec).items()}
    pairs = {f"--{name.replace('_', '-')}": _bare(value) for name, value in told.items()}
    pairs = {MODEL: spec.model, "--port": str(contract.port), **pairs}
    environment = tuple(f"{name}={value}" for name, value in spec.environment)
    before = ("env", *environment) if environment else ()
    amounts = f"which amounts to this: the server there puts it together from launch/{NAME}"
    return gets, ServeLine(what=amounts, words=(*before, *_serve(pairs)))


def _serve(pairs: dict[str, str]) -> tuple[str, ...]:
    """Return the line, the model as its first argument and a bare flag without a value."""
    rest = (word for pair in pairs.items() if pair[0] != MODEL for word in pair if word)
    return ("vllm", "serve", pairs[MODEL], *rest)


def _pairs(words: tuple[str, ...]) -> dict[str, str]:
    """Read flags with their values back; one without a value is bare."""
    found: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word
        found[name] = "" if word == name else word
    return found


def _bare(value: str) -> str:
    return "" if value == "True" else value
