# SPDX-License-Identifier: Apache-2.0
"""The options of `ttctl chat`."""

from __future__ import annotations

from typing import Annotated

import typer

from ttctl.cli.options import OFSTACK

Question = Annotated[
    str | None,
    typer.Argument(help="One question; without it, a conversation. What is piped in goes along."),
]
Stack = Annotated[str | None, typer.Option(*OFSTACK, help="The stack to ask.")]
Service = Annotated[
    str | None,
    typer.Option("--service", help="Which engine of it answers, such as api; /service lists them."),
]
Model = Annotated[
    str | None, typer.Option("--model", "-m", help="A model that it serves, or another stack.")
]
System = Annotated[str, typer.Option("--system", "-s", help="A system message.")]
RoleName = Annotated[
    str | None, typer.Option("--role", "-r", help="A role, such as coding; /role lists them.")
]
Load = Annotated[
    str | None, typer.Option("--load", help="Go on with a conversation that was saved.")
]
MaxTokens = Annotated[
    int | None, typer.Option("--max-tokens", min=1, help="Longest answer [default: 512].")
]
Temperature = Annotated[
    float | None,
    typer.Option("--temperature", min=0, max=2, help="0 gives the likeliest answer [default: 0]."),
]
