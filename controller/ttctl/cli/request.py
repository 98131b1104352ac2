# SPDX-License-Identifier: Apache-2.0
"""What was asked for, out of options, settings and the words behind `--`."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, get_type_hints

import typer

from ttctl.cli import options
from ttctl.cli.reach import Host, TlsKey, TlsOf
from ttctl.cli.session import Session, session_of
from ttctl.errors import UsageError
from ttctl.model.spec import Request, Values
from ttctl.rules.beside import words_in
from ttctl.rules.ejected import folders_named
from ttctl.rules.engine_flags import with_engine_words

ValuesOf = Annotated[
    Values | None,
    typer.Option(
        "--values",
        help="Arguments as first validated, or as the newest release has them.",
        show_default="what is locked, else first",
    ),
]
REQUEST = {
    "model": options.WantedModel,
    "name": options.Name,
    "device": options.Device,
    "port": options.Port,
    "host": Host,
    "tls": TlsOf,
    "tls_key": TlsKey,
    "max_model_len": options.MaxModelLen,
    "max_num_seqs": options.MaxNumSeqs,
    "block_size": options.BlockSize,
    "image_uid": options.ImageUid,
    "task": options.ForTask,
    "experimental": options.Experimental,
    "engine": options.Engine,
    "implementation": options.Implementation,
    "boards": options.Boards,
    "sources": options.Sources,
    "services": options.Services,
    "ejected": options.Ejected,
    "values": ValuesOf,
}
"""The fields of a `Request` as options."""
OF_WEIGHTS = ("model", "name", "device", "task", "experimental", "engine", "implementation")
"""Those that decide which weights are meant; the name's lock may say which revision."""


def takes_request(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of REQUEST; it gets their values as one, `request`."""
    return _taking(command, tuple(REQUEST))


def takes_weights(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command those options that decide which weights are meant, as `takes_request`."""
    return _taking(command, OF_WEIGHTS)


def _taking(command: Callable[..., None], names: tuple[str, ...]) -> Callable[..., None]:
    """Give a command these options of REQUEST.

    What was not typed is taken from the settings, so that `plan`, `lock`, `render` and `up` agree.

    Typer reads options off a function's signature, so the signature is what is made here. What a
    command takes by its place, such as the stack of `swap`, comes before the model.
    """
    hints = get_type_hints(command, include_extras=True)
    own = [one for name, one in signature(command).parameters.items() if name != "request"]
    before = [one.name for one in own[1:] if one.kind is Parameter.POSITIONAL_OR_KEYWORD]
    added = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=None,
            annotation=annotation,
        )
        for name, annotation in REQUEST.items()
        if name in names
    ]

    @wraps(command)
    def with_options(**values: Any) -> None:  # noqa: ANN401 - whatever Typer parsed
        given = {name: values.pop(name, None) for name in REQUEST}
        session = session_of(values["ctx"])
        ctx: typer.Context = values["ctx"]
        session.may_fetch = True
        verb = ctx.command_path.partition(" ")[2] or str(ctx.info_name)
        verb = shlex.join([*verb.split(), *(values[name] for name in before)])
        request = named(session, _request(session, given, verb=verb))
        command(**values, request=_with_engine_words(session, request, verb=verb))

    typed = [one.replace(annotation=hints[one.name]) for one in own]
    first = 1 + len(before)
    parameters = [*typed[:first], *added, *typed[first:]]
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
    values, services = given.pop("values"), given.pop("services")
    ejected = given.pop("ejected")
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
        from_settings=tuple(
            name for name, value in filled.items() if value is not None and given[name] is None
        ),
        task=task,
        experimental=bool(experimental),
        unattended=session.console.unattended,
        guesses=verb == "plan" and not session.console.unattended,
        engine=engine,
        implementation=implementation,
        boards=tuple(boards),
        sources=tuple(sources),
        services=None if services is None else words_in(services),
        ejected=None if ejected is None else folders_named(ejected),
        values=values,
    )


def named(session: Session, request: Request) -> Request:
    """Return what a named stack stands for; a model's name stays."""
    found = session.named_stack(request.model)
    if found is None:
        return request
    services = found.services if request.services is None else request.services
    name = request.name or found.name
    return replace(request, model=found.model, name=name, services=services)
