# SPDX-License-Identifier: Apache-2.0
"""Which names has the Generator API of this tt-metal, and what do its functions take?

The names drifted, each for itself: `prefill_forward_text` or `prefill_forward`,
`decode_forward_text` or `decode_forward`; and so did their arguments. What a function does not take
is left out.

Source: tenstorrent/tt-metal:models/tt_transformers/tt/generator.py at 000ec12 and d9d95fa;
tenstorrent/tt-vscode-toolkit:content/templates/tt-chat-direct.py at 36d3c0e.
"""

from __future__ import annotations

from importlib import import_module
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PREFILL = ("prefill_forward_text", "prefill_forward")
DECODE = ("decode_forward_text", "decode_forward")
PACKAGE = "models.tt_transformers.tt"


class NoGeneratorError(Exception):
    """This tt-metal has not what is needed."""


def named(owner: object, names: tuple[str, ...]) -> Callable[..., Any]:
    """Return the first of the functions that `owner` has.

    Raises:
        NoGeneratorError: It has none of them.
    """
    for name in names:
        found = getattr(owner, name, None)
        if callable(found):
            return found  # type: ignore[no-any-return]
    owner_name = getattr(owner, "__name__", type(owner).__name__)
    message = f"{owner_name} has neither {' nor '.join(names)}"
    raise NoGeneratorError(message)


def takes(function: Callable[..., Any], name: str) -> bool:
    """Return whether a function has a parameter of this name, or takes any."""
    found = signature(function).parameters
    return name in found or any(one.kind is Parameter.VAR_KEYWORD for one in found.values())


def called(function: Callable[..., Any], *given: object, **further: object) -> Any:  # noqa: ANN401
    """Call a function with those of the named arguments that it takes."""
    return function(*given, **{name: one for name, one in further.items() if takes(function, name)})


def check() -> tuple[str, str]:
    """Return how this tt-metal names the two steps.

    Raises:
        NoGeneratorError: It is of a time that has no Generator API, or another one.
    """
    parts = {name: _module(f"{PACKAGE}.{name}") for name in ("generator", "common", "model_config")}
    generator = getattr(parts["generator"], "Generator", None)
    if generator is None:
        message = f"{PACKAGE}.generator has no Generator"
        raise NoGeneratorError(message)
    named(parts["common"], ("create_tt_model",))
    named(parts["model_config"], ("DecodersPrecision", "ModelOptimizations"))
    steps = named(generator, PREFILL), named(generator, DECODE)
    return steps[0].__name__, steps[1].__name__


def _module(name: str) -> Any:  # noqa: ANN401 - a module of tt-metal
    try:
        return import_module(name)
    except ImportError as missing:
        message = f"{name} cannot be imported: {missing}"
        raise NoGeneratorError(message) from missing
