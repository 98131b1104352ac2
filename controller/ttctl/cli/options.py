# SPDX-License-Identifier: Apache-2.0
"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated, Any

import typer

from ttctl.cli.session import session_of
from ttctl.errors import UsageError
from ttctl.model.device import DEVICE_NAMES
from ttctl.model.match import TASKS
from ttctl.model.plan import PullPolicy
from ttctl.model.spec import EngineName
from ttctl.rules.checkouts import named_checkouts
from ttctl.rules.device_names import device_named, respelled
from ttctl.rules.usual_words import USUAL, task_named

Model = Annotated[str, typer.Argument(help="A model, or an alias such as llama.")]
WantedModel = Annotated[
    str | None,
    typer.Argument(help="A model, or an alias such as llama [default: the setting up.model]."),
]
Stack = Annotated[str | None, typer.Argument(help="The stack; not needed where there is one.")]
NAMED = ("--name", "--project", "-p", "--project-name")
Name = Annotated[str | None, typer.Option(*NAMED, help="The stack's name [default: the model's].")]
OFSTACK = ("--stack", "--project", "-p", "--project-name")
"""How a stack's name is said, in compose's words too; the latter where no word of a verb is it."""
Project = Annotated[str | None, typer.Option(*NAMED[1:], help="The stack, the same as STACK.")]


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
ListedDevice = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="Only what runs on this device type, such as n150 [default: on any].",
        callback=_known_device,
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        min=1,
        max=65535,
        help="Port of this host [default: the first free from 8000 on].",
    ),
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
ImageUid = Annotated[
    int | None,
    typer.Option(
        "--image-uid",
        min=1000,
        max=59999,
        help="User id in an image that ttctl builds for a card.",
        show_default="what is locked, else 1000",
    ),
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
StopTimeout = Annotated[
    int | None,
    typer.Option(
        "--timeout",
        "-t",
        min=0,
        help="Seconds that each container has to end [default: its own, up to 120].",
    ),
]
WaitTimeout = Annotated[
    int | None,
    typer.Option(
        "--wait-timeout",
        min=1,
        help="Seconds until the engine must be healthy.",
        show_default="what the model may take, else 3600",
        callback=from_setting("up.wait_timeout"),
    ),
]
Reset = Annotated[
    bool, typer.Option("--reset", help="Reset boards first that a killed engine left behind.")
]
Build = Annotated[
    bool, typer.Option("--build", help="Build the images again; unchanged steps are cached.")
]
Pull = Annotated[
    PullPolicy,
    typer.Option(
        "--pull",
        help="When to pull an image that is not built here; never: it is built instead.",
        callback=from_setting("up.pull"),
    ),
]
Recreate = Annotated[
    bool, typer.Option("--force-recreate", help="Replace containers that run as wanted too.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the steps and do nothing.")]

TASKS_HELP = (
    f"What the model has to be good for: {', '.join(TASKS)}; or a usual word for one, such as "
    "tts, text-to-speech, stt, speech-to-text, embeddings."
)


def _known_task(name: str | None) -> str | None:
    if name is None or (task := task_named(name)):
        return None if name is None else task
    near = get_close_matches(name, [one for one in (*TASKS, *USUAL) if task_named(one)], n=1)
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


def _known_sources(given: list[str] | None) -> list[str] | None:
    # A card of another machine is planned for without a look at any checkout.
    named_checkouts(given or ())
    return given


Engine = Annotated[
    EngineName | None,
    typer.Option(
        "--engine",
        help="Only entries of this engine; direct and sd are ours, on an entry's tt-metal.",
        show_default=False,
    ),
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
        callback=_known_sources,
    ),
]

Services = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="SERVICE,...",
        help="Further services beside it: chat, api, sd, a model, or SERVICE=MODEL; none for none.",
        show_default="what is locked, else none",
    ),
]

Ejected = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        metavar="FOLDER",
        help="Run what `eject` wrote there and you edited; may be given again; none for none.",
        show_default="what is locked, else none",
    ),
]
