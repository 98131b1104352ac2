# SPDX-License-Identifier: Apache-2.0
"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, Literal, get_type_hints

import typer

from ttctl.cli.session import Session, session_of
from ttctl.errors import UsageError
from ttctl.model.device import DEVICE_NAMES
from ttctl.model.match import TASKS
from ttctl.model.plan import PullPolicy
from ttctl.model.spec import Request, Values
from ttctl.rules.device_names import device_named, respelled
from ttctl.rules.engine_flags import with_engine_words

Model = Annotated[str, typer.Argument(help="A model, or an alias such as llama.")]
WantedModel = Annotated[
    str | None,
    typer.Argument(help="A model, or an alias such as llama [default: the setting up.model]."),
]
Stack = Annotated[str | None, typer.Argument(help="The stack; not needed where there is one.")]
Name = Annotated[
    str | None, typer.Option("--name", help="The stack's name [default: the model's].")
]


def from_setting(key: str) -> Callable[..., Any]:
    """Return an option's callback: where the flag was not typed, the setting's value holds."""

    def value(ctx: typer.Context, param: typer.CallbackParam, given: Any) -> Any:  # noqa: ANN401 - whatever Typer parsed
        source = ctx.get_parameter_source(param.name or "")
        if ctx.resilient_parsing or source is None or source.name != "DEFAULT":
            return given
        return session_of(ctx).setting(key)

    return value


def _known_device(ctx: typer.Context, name: str | None) -> str | None:
    if name is None:
        return name
    # Upstream's own documents and MESH_DEVICE write N150, and TG for galaxy.
    if device := device_named(name):
        if respelled(name) and not ctx.resilient_parsing:
            session_of(ctx).console.note(f"--device {name.strip()} means {device}.")
        return device
    folded = name.strip().lower()
    near = get_close_matches(folded, DEVICE_NAMES, n=1)
    raise UsageError(
        f"There is no device type {name!r}.",
        why="Device types are upstream's, as MESH_DEVICE spells them too, and cpu.",
        evidence=f"{f'Nearest: {near[0]}. ' if near else ''}Known: {', '.join(DEVICE_NAMES)}.",
        next_step="ttctl devices",
        mistyped=name,
        meant=near[0] if near else "",
    )


Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="Device type, such as cpu; default: what is found.",
        callback=_known_device,
    ),
]
Port = Annotated[
    int | None, typer.Option("--port", min=1, max=65535, help="Port on 127.0.0.1 [default: 8000].")
]
MaxModelLen = Annotated[
    int | None, typer.Option("--max-model-len", help="Tokens of prompt and answer together.")
]
MaxNumSeqs = Annotated[
    int | None, typer.Option("--max-num-seqs", help="Requests computed at the same time.")
]
BlockSize = Annotated[
    int | None, typer.Option("--block-size", help="Tokens in a block of the KV cache.")
]
LockTimeout = Annotated[
    float,
    typer.Option(
        "--lock-timeout",
        min=0,
        help="Seconds to wait for another command's lock.",
        callback=from_setting("up.lock_timeout"),
    ),
]
Build = Annotated[
    bool, typer.Option("--build", help="Build the images again; unchanged steps are cached.")
]
Pull = Annotated[
    PullPolicy,
    typer.Option(
        "--pull",
        help="When to pull an image that is not built here.",
        callback=from_setting("up.pull"),
    ),
]
Recreate = Annotated[
    bool, typer.Option("--force-recreate", help="Replace containers that run as wanted too.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the steps and do nothing.")]

TASKS_HELP = f"What the model has to be good for: {', '.join(TASKS)}."


def _known_task(name: str | None) -> str | None:
    if name is None or name in TASKS:
        return name
    near = get_close_matches(name, TASKS, n=1)
    raise UsageError(
        f"There is no task {name!r}.",
        why="A task is what a model is good for.",
        evidence=f"{f'Nearest: {near[0]}. ' if near else ''}Known: {', '.join(TASKS)}.",
        next_step="ttctl plan --help",
        mistyped=name,
        meant=near[0] if near else "",
    )


ForTask = Annotated[str | None, typer.Option("--task", help=TASKS_HELP, callback=_known_task)]
Experimental = Annotated[
    bool | None,
    typer.Option(
        "--experimental",
        help="Take what was not validated on the device too, with smaller limits.",
        show_default=False,
    ),
]

Engine = Annotated[
    Literal["vllm", "media", "forge"] | None,
    typer.Option("--engine", help="Only entries of this engine.", show_default=False),
]
Implementation = Annotated[
    str | None,
    typer.Option("--impl", help="Only entries of this implementation (upstream's impl_id)."),
]
Boards = Annotated[
    list[str] | None,
    typer.Option(
        "--board",
        help="A board to take: ASIC id, PCI address or node; may be given again.",
        show_default="any that are free",
    ),
]
Sources = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        metavar="COMPONENT=PATH",
        help="Build tt-metal or vllm from this checkout; nobody validated it.",
        show_default=False,
    ),
]

ValuesOf = Annotated[
    Values | None,
    typer.Option(
        "--values",
        help="Arguments as first validated, or as the newest release has them.",
        show_default="what is locked, else first",
    ),
]

REQUEST = {
    "model": WantedModel,
    "name": Name,
    "device": Device,
    "port": Port,
    "max_model_len": MaxModelLen,
    "max_num_seqs": MaxNumSeqs,
    "block_size": BlockSize,
    "task": ForTask,
    "experimental": Experimental,
    "engine": Engine,
    "implementation": Implementation,
    "boards": Boards,
    "sources": Sources,
    "values": ValuesOf,
}
"""The fields of a `Request` as options."""


def takes_request(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of REQUEST; it gets their values as one, `request`.

    What was not typed is taken from the settings, so that `plan`, `lock`, `render` and `up` agree.

    Typer reads options off a function's signature, so the signature is what is made here.
    """
    hints = get_type_hints(command, include_extras=True)
    own = [one for name, one in signature(command).parameters.items() if name != "request"]
    added = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=None,
            annotation=annotation,
        )
        for name, annotation in REQUEST.items()
    ]

    @wraps(command)
    def with_options(**values: Any) -> None:  # noqa: ANN401 - whatever Typer parsed
        given = {name: values.pop(name) for name in REQUEST}
        session = session_of(values["ctx"])
        ctx: typer.Context = values["ctx"]
        session.may_fetch = True
        verb = ctx.command_path.partition(" ")[2] or str(ctx.info_name)
        request = _request(session, given, verb=verb)
        command(**values, request=_with_engine_words(session, request, verb=verb))

    typed = [one.replace(annotation=hints[one.name]) for one in own]
    parameters = [*typed[:1], *added, *typed[1:]]
    vars(with_options)["__signature__"] = signature(command).replace(parameters=parameters)
    with_options.__annotations__ = {one.name: one.annotation for one in parameters}
    return with_options


def _with_engine_words(session: Session, request: Request, *, verb: str) -> Request:
    try:
        return with_engine_words(request, session.behind)
    except UsageError as error:
        error.next_step = f"ttctl {verb} --help"
        raise


def _request(session: Session, given: dict[str, Any], *, verb: str) -> Request:
    """Fill what was not typed with what is set.

    Raises:
        UsageError: No model was named, neither here nor in a setting.
    """
    task, experimental = given.pop("task"), given.pop("experimental")
    boards, sources = given.pop("boards") or (), given.pop("sources") or ()
    engine, implementation = given.pop("engine"), given.pop("implementation")
    values = given.pop("values")
    if given["model"] is None and task is not None:
        given["model"], task = task, None
    filled = {name: session.setting(f"up.{name}", value) for name, value in given.items()}
    if filled["model"] is None:
        raise UsageError(
            "No model was named.",
            why="MODEL is missing, and no setting up.model says which one is meant.",
            evidence="Either type it, or: ttctl config set up.model llama --project",
            next_step=f"ttctl {verb} llama{' -o folder' if verb == 'render' else ''}",
        )
    if filled["model"] != session.setting("up.model"):
        # The setting's name is its model's stack, which another model must not replace.
        filled["name"] = given["name"]
    return Request(
        **filled,
        task=task,
        experimental=bool(experimental),
        unattended=session.console.unattended,
        guesses=verb == "plan" and not session.console.unattended,
        engine=engine,
        implementation=implementation,
        boards=tuple(boards),
        sources=tuple(sources),
        values=values,
    )
