# SPDX-License-Identifier: Apache-2.0
"""`ttctl up --boot`: bring back every stack that was up and was not ended."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any

import typer

from ttctl.cli.session import Session, session_of
from ttctl.errors import UsageError
from ttctl.model.boot import Booted, BootedStack
from ttctl.model.plan import How

Boot = Annotated[
    bool,
    typer.Option(
        "--boot",
        help="Bring back, as locked, every stack that was up and was not ended; no MODEL.",
        show_default=False,
    ),
]
BootTimeout = Annotated[
    int | None,
    typer.Option(
        "--boot-timeout",
        min=1,
        max=86400,
        help="With --boot: seconds until the container engine and the cards must be there.",
        show_default="300",
    ),
]
BESIDE = frozenset({"boot", "boot_timeout", "wait_timeout", "lock_timeout", "dry_run"})
"""What may be typed with `--boot`; all else is of one stack."""
NOTHING = "No stack is wanted: none was brought up that was not ended since."


def boots(command: Callable[..., None]) -> Callable[..., None]:
    """Give `up` the option `--boot`, for which it asks for no model."""
    own = signature(command)
    added = [
        Parameter("boot", Parameter.KEYWORD_ONLY, default=False, annotation=Boot),
        Parameter("boot_timeout", Parameter.KEYWORD_ONLY, default=None, annotation=BootTimeout),
    ]

    @wraps(command)
    def with_boot(**values: Any) -> None:  # noqa: ANN401 - whatever Typer parsed
        is_boot, limit_s = values.pop("boot"), values.pop("boot_timeout")
        session = session_of(values["ctx"])
        if is_boot:
            _refuse_others(values["ctx"], session)
            _boot(session, values, limit_s)
            return
        if limit_s is not None:
            raise UsageError(
                "--boot-timeout is of no use without --boot.",
                why="It is how long the container engine and the cards may take after a boot.",
                evidence="The limit of one start is --wait-timeout.",
                next_step="ttctl up --help",
            )
        command(**values)

    parameters = [*own.parameters.values(), *added]
    vars(with_boot)["__signature__"] = own.replace(parameters=parameters)
    with_boot.__annotations__ = {one.name: one.annotation for one in parameters}
    return with_boot


def _refuse_others(ctx: typer.Context, session: Session) -> None:
    names = {one.name or "": one for one in ctx.command.params}
    typed = [
        names[name].opts[0] if name != "model" else "MODEL"
        for name in ctx.params
        if name in names and name not in BESIDE and _is_typed(ctx, name)
    ]
    if typed or session.behind:
        raise UsageError(
            "--boot takes no model, and nothing that is of one stack.",
            why="It brings every stack back that was up, each as it is locked.",
            evidence=f"Typed: {', '.join([*typed, *session.behind])}.",
            next_step="ttctl up --boot",
        )


def _is_typed(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _boot(session: Session, values: dict[str, Any], limit_s: int | None) -> None:
    from ttctl.operations import boot as operations  # noqa: PLC0415 - `up` of one needs none of it

    found = operations.boot(
        session.offline_world,
        how=How(reset=bool(session.setting("up.boot_reset"))),
        limits=operations.BootLimits(
            boot_s=limit_s or operations.BOOT_S,
            wait_s=values["wait_timeout"],
            lock_s=values["lock_timeout"],
        ),
        dry_run=values["dry_run"],
    )
    session.show("boot", found, boot_text(found))
    if found.exit_code:
        raise typer.Exit(found.exit_code)


def boot_text(found: Booted) -> str:
    """Say a line of each stack, and all four of a refusal."""
    return "\n".join(line for one in found.stacks for line in _lines(one)) or NOTHING


def _lines(one: BootedStack) -> list[str]:
    failure = one.failure
    if failure is None:
        tail = f"  {one.url}  ({one.seconds:.1f} s)" if one.url else ""
        return [f"{one.stack}  {one.outcome}{tail}"]
    parts = (failure.what, failure.why, *failure.evidence.splitlines(), failure.next_step)
    words = ("error", "why", *["found"] * len(failure.evidence.splitlines()), "next")
    said = [f"  {f'{word}:':<9}{part}" for word, part in zip(words, parts, strict=True) if part]
    return [f"{one.stack}  failed", *said]
