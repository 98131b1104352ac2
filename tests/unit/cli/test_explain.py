# SPDX-License-Identifier: Apache-2.0
"""Does a verb's help explain its arguments once, and end in commands that can be typed?"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click
import pytest
from tests.unit.test_house import check

from ttctl.cli.app import group, load
from ttctl.cli.examples import EXAMPLES
from ttctl.cli.registry import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            if not inner.hidden:
                yield from commands(inner, f"{path} {name}")


EVERY = dict(one for verb in COMMANDS for one in commands(load(verb), verb))


def help_of(path: str) -> str:
    context = click.Context(group(), info_name="ttctl")
    for word in path.split():
        assert isinstance(context.command, click.Group)
        command = context.command.get_command(context, word)
        assert command
        context = click.Context(command, info_name=word, parent=context)
    return context.get_help()


@pytest.mark.parametrize("path", EVERY)
def test_every_argument_of_every_verb_is_explained_once(path: str) -> None:
    text = help_of(path)
    arguments = [one for one in EVERY[path].params if isinstance(one, click.Argument)]
    assert text.count("rguments:") == (1 if arguments else 0)
    for argument in arguments:
        said = vars(argument)["help"]
        assert said
        assert " ".join(said.split()[:3]) in " ".join(text.split())


@pytest.mark.parametrize("path", EVERY)
def test_every_verb_has_one_or_two_examples_which_end_its_help(path: str) -> None:
    examples = EXAMPLES[path]
    assert 1 <= len(examples) <= 2
    assert help_of(path).endswith("\n".join(["Examples:", *(f"  {one}" for one in examples)]))


@pytest.mark.parametrize(
    ("path", "example"), [(path, example) for path in EXAMPLES for example in EXAMPLES[path]]
)
def test_every_example_can_be_typed_and_is_of_its_verb(path: str, example: str) -> None:
    words = shlex.split(example.removeprefix('eval "$(').removesuffix(')"'))
    words = words[words.index("ttctl") + 1 :]
    check(words)
    assert path.split(maxsplit=1)[0] in words
    assert path in EVERY
