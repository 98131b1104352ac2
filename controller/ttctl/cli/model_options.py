# SPDX-License-Identifier: Apache-2.0
"""The options by which `models` chooses the entries that it lists."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, get_type_hints

import typer

from ttctl.cli import options
from ttctl.cli.session import Session, session_of
from ttctl.model.match import Task
from ttctl.model.model_page import Filter
from ttctl.model.spec import CatalogEngine, ModelType, Status
from ttctl.operations import listing

ForTask = Annotated[Task | None, typer.Option("--task", help="Only what is good for this task.")]
OfEngine = Annotated[
    CatalogEngine | None, typer.Option("--engine", help="Only what this engine computes.")
]
OfStatus = Annotated[
    Status | None,
    typer.Option("--status", case_sensitive=False, help="Only what upstream calls so."),
]
OfType = Annotated[
    ModelType | None,
    typer.Option("--type", case_sensitive=False, help="Only models of upstream's type."),
]
Experimental = Annotated[
    bool, typer.Option("--experimental", help="Only what is experimental on its device.")
]
Fits = Annotated[
    bool, typer.Option("--fits", help="Only what fits this machine's device, RAM and disk.")
]

OPTIONS: dict[str, tuple[Any, Any]] = {
    "device": (options.ListedDevice, None),
    "task": (ForTask, None),
    "engine": (OfEngine, None),
    "status": (OfStatus, None),
    "type_": (OfType, None),
    "experimental": (Experimental, False),
    "fits": (Fits, False),
}
"""Type and default of each option."""


def takes_filter(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options; it gets what they say as one, `wanted`.

    Typer reads options off a function's signature, so the signature is what is made here.
    """
    hints = get_type_hints(command, include_extras=True)
    parameters: list[Parameter] = []
    for name, own in signature(command).parameters.items():
        parameters += _added() if name == "wanted" else [own.replace(annotation=hints[name])]

    @wraps(command)
    def with_options(ctx: typer.Context, **values: Any) -> None:  # noqa: ANN401 - whatever Typer parsed
        given = {name: values.pop(name, default) for name, (_, default) in OPTIONS.items()}
        command(ctx, **values, wanted=_filter(session_of(ctx), given))

    vars(with_options)["__signature__"] = signature(command).replace(parameters=parameters)
    with_options.__annotations__ = {one.name: one.annotation for one in parameters}
    return with_options


def _added() -> list[Parameter]:
    return [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in OPTIONS.items()
    ]


def _filter(session: Session, given: dict[str, Any]) -> Filter:
    judge = listing.fitting(session.world, given["device"]) if given["fits"] else None
    return Filter(
        device=given["device"],
        task=given["task"],
        engine=given["engine"],
        status=given["status"],
        type=given["type_"],
        experimental=given["experimental"],
        fits=judge,
    )
