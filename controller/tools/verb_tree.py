# SPDX-License-Identifier: Apache-2.0
"""What every verb says of itself: the same commands that `--help` is made of, as values."""

from __future__ import annotations

import inspect
import tomllib
from dataclasses import dataclass
from pathlib import Path

import click

from ttctl.cli.app import SETTINGS, group
from ttctl.cli.examples import EXAMPLES
from ttctl.cli.registry import ALIASES, COMMANDS
from ttctl.model.device import DEVICE_NAMES

KINDS = {
    "model": "model",
    "models": "model",
    "stack": "stack",
    "stacks": "stack",
    "name": "stack",
    "project": "stack",
    "device": "device",
    "service": "service",
    "services": "service",
    "key": "setting",
    "keys": "setting",
    "value": "value",
    "tool": "choice",
    "role": "role",
}
"""What a parameter is called, to what completes it. A type that says it itself comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One option or argument."""

    names: tuple[str, ...]
    """`--all`, `-a`; of an argument, its name."""
    head: str
    """As `--help` writes it: `-a, --all`, `--port INTEGER RANGE`, `[STACK]`."""
    text: str
    """With its default, its range and its variable."""
    kind: str
    """What completes its value: empty for a flag; `text` and `number` complete nothing."""
    choices: tuple[str, ...]
    many: bool
    """Whether it can be given more than once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One verb, or one verb of a group."""

    path: str
    """`models show`."""
    usage: str
    """`ttctl models show [OPTIONS] MODEL`."""
    summary: str
    """One line."""
    paragraphs: tuple[str, ...]
    """What is said beyond it."""
    arguments: tuple[Row, ...]
    options: tuple[Row, ...]
    verbs: tuple[Verb, ...]
    examples: tuple[str, ...]
    aliases: tuple[str, ...]

    @property
    def name(self) -> str:
        """The last word."""
        return self.path.rpartition(" ")[2]


def every_verb() -> tuple[Verb, ...]:
    """Return the verbs in the order of the registry."""
    root = click.Context(
        group(), info_name="ttctl", help_option_names=SETTINGS["help_option_names"]
    )
    found = []
    for name in COMMANDS:
        command = group().get_command(root, name)
        if command is not None:
            found.append(_verb(command, root, name))
    return tuple(found)


def _tools() -> tuple[str, ...]:
    """Return what `connect` knows."""
    text = (Path(__file__).parents[1] / "talk/connect/tools.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["tools"])


def completion_table(verbs: tuple[Verb, ...]) -> dict[str, object]:
    """Return what `ttctl.cli.completing` reads."""
    return {
        "devices": DEVICE_NAMES,
        "verbs": {verb.name: _node(verb) for verb in verbs},
    }


def _verb(command: click.Command, parent: click.Context, name: str) -> Verb:
    context = click.Context(command, info_name=name, parent=parent)
    inner = command.commands if isinstance(command, click.Group) else {}
    path = context.command_path.removeprefix("ttctl ")
    said = inspect.cleandoc(command.help or "").split("\n\n")
    paragraphs = [" ".join(one.split()) for one in said]
    rows = [(one, _row(one, context)) for one in command.get_params(context) if _is_shown(one)]
    return Verb(
        path=path,
        usage=" ".join(command.get_usage(context).removeprefix("Usage: ").split()),
        summary=paragraphs[0],
        paragraphs=tuple(paragraphs[1:]),
        arguments=tuple(row for one, row in rows if isinstance(one, click.Argument)),
        options=tuple(row for one, row in rows if isinstance(one, click.Option)),
        verbs=tuple(_verb(one, context, word) for word, one in inner.items() if not one.hidden),
        examples=EXAMPLES.get(path, ()),
        aliases=tuple(word for word, means in ALIASES.items() if " ".join(means) == path),
    )


def _is_shown(parameter: click.Parameter) -> bool:
    return not vars(parameter).get("hidden", False)


def _row(parameter: click.Parameter, context: click.Context) -> Row:
    head, text = parameter.get_help_record(context) or ("", "")
    is_argument = isinstance(parameter, click.Argument)
    choices = _tools() if parameter.name == "tool" else getattr(parameter.type, "choices", ())
    return Row(
        names=(
            (parameter.name or "",)
            if is_argument
            else tuple(
                sorted(
                    (*parameter.opts, *parameter.secondary_opts), key=lambda one: one[:2] != "--"
                )
            )
        ),
        head=" ".join(head.split()),
        text=" ".join(text.split()),
        kind=_kind(parameter),
        choices=tuple(str(one) for one in choices),
        many=parameter.nargs == -1 or parameter.multiple or vars(parameter).get("count", False),
    )


def _kind(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Option) and (parameter.is_flag or parameter.count):
        return ""
    match parameter.type:
        case click.Choice():
            return "choice"
        case click.Path() as path:
            return "file" if path.file_okay else "dir"
        case _ if type(parameter.type).__name__ == "TyperPath":
            return "file"
        case click.types.IntParamType() | click.types.FloatParamType():
            return "number"
        case _:
            return KINDS.get(parameter.name or "", "text")


def _node(verb: Verb) -> dict[str, object]:
    return {
        "help": verb.summary,
        "arguments": [_value(row) for row in verb.arguments],
        "options": [
            {"names": row.names, "help": row.text, **_value(row)}
            for row in verb.options
            if "--help" not in row.names
        ],
        "verbs": {inner.name: _node(inner) for inner in verb.verbs},
    }


def _value(row: Row) -> dict[str, object]:
    choices = {"choices": row.choices} if row.choices else {}
    return {"kind": row.kind, "many": row.many, **choices}
