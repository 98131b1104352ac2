# SPDX-License-Identifier: Apache-2.0
"""Options that several verbs share."""

from __future__ import annotations

from typing import Annotated

import typer

Model = Annotated[str, typer.Argument(help="A model, or an alias such as llama.")]
Stack = Annotated[str | None, typer.Argument(help="The stack; not needed where there is one.")]
Name = Annotated[
    str | None, typer.Option("--name", help="The stack's name [default: the model's].")
]
Device = Annotated[
    str | None, typer.Option("--device", help="Device type, such as cpu; default: what is found.")
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
    typer.Option("--lock-timeout", min=0, help="Seconds to wait for another command's lock."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the steps and do nothing.")]
