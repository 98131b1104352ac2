# SPDX-License-Identifier: Apache-2.0
"""What each `/command` of a conversation does. What they say goes to stderr: it is no answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from textwrap import shorten
from typing import TYPE_CHECKING

from ttctl.cli.table import table
from ttctl.errors import UsageError
from ttctl.operations import chat as operations
from ttctl.operations.doors import door_of, doors, talking_doors
from ttctl.rules.talk import checked_talk_name, cleared, visible, without_oldest
from ttctl.rules.typed import COMMANDS, FENCE

if TYPE_CHECKING:
    from ttctl.cli.talk import Conversation
    from ttctl.model.talk import Talk

LATEST = 4
"""Messages that are shown of a conversation that was loaded."""
SHOWN = 600
"""Characters of each of them."""


def _model(conversation: Conversation, name: str) -> None:
    world = conversation.session.world
    if name:
        conversation.door, model = operations.switched(world, conversation.door, name)
        conversation.talk = replace(conversation.talk, model=model)
        conversation.say(f"talking to {model} on {conversation.door.where}", "dim")
        return
    rows = [
        ("*" if model == conversation.talk.model else "", model, conversation.door.stack)
        for model in operations.served(world, conversation.door)
    ]
    others = (one for one in doors(world) if one.stack != conversation.door.stack)
    rows += [("", one.model, one.stack) for one in others]
    _show(conversation, ("", "MODEL", "STACK"), rows)


def _service(conversation: Conversation, name: str) -> None:
    world, here = conversation.session.world, conversation.door
    if name:
        conversation.door = door_of(world, here.stack, service=name)
        conversation.talk = replace(conversation.talk, model=conversation.door.model)
        conversation.say(f"talking to {conversation.talk.model} on {here.stack}/{name}", "dim")
        return
    found = talking_doors(world, here.stack)
    by_model = (one.service for one in found if one.model == conversation.talk.model)
    taken = here.service or next(by_model, "")
    rows = [("*" if one.service == taken else "", one.service, one.model) for one in found]
    _show(conversation, ("", "SERVICE", "MODEL"), rows)


def _system(conversation: Conversation, text: str) -> None:
    if not text:
        conversation.say(visible(conversation.talk.system) or "there is no system message")
        return
    system = "" if text == "none" else text
    conversation.talk = replace(conversation.talk, system=system, role="")
    conversation.say(
        "no system message" if not system else "it holds from the next question", "dim"
    )


def _role(conversation: Conversation, name: str) -> None:
    roles = conversation.session.world.shelf.roles()
    if name == "none":
        _system(conversation, name)
    elif name:
        role = operations.role_named(roles, name)
        conversation.talk = replace(conversation.talk, system=role.text, role=role.name)
        conversation.say(f"role {role.name} from the next question on", "dim")
    else:
        rows = [
            (
                "*" if one.name == conversation.talk.role else "",
                one.name,
                shorten(one.title, 60, placeholder=" ..."),
            )
            for one in roles
        ]
        _show(conversation, ("", "ROLE", "BEGINS WITH"), rows)


def _set(conversation: Conversation, words: str) -> None:
    talk = conversation.talk
    if words:
        talk = _with_setting(talk, *words.replace("=", " ").split())
        operations.check_length(talk, conversation.door)
        conversation.talk = talk
    conversation.say(f"temperature {talk.temperature:g}, max_tokens {talk.max_tokens}", "dim")


def _with_setting(talk: Talk, name: str = "", value: str = "", *more: str) -> Talk:
    name = name.replace("-", "_")
    try:
        if name == "temperature" and not more and 0 <= float(value) <= 2:  # noqa: PLR2004 - OpenAI's range
            return replace(talk, temperature=float(value))
        if name == "max_tokens" and not more and int(value) >= 1:
            return replace(talk, max_tokens=int(value))
    except ValueError:
        # Said below, with the other words that are none of these.
        pass
    raise UsageError(
        f"{' '.join((name, value, *more)).strip()!r} cannot be set.",
        why="temperature is a number from 0 to 2, max_tokens a whole number from 1.",
        next_step="/set temperature 0.7",
    )


def _tokens(conversation: Conversation, _: str) -> None:
    talk, limit = conversation.talk, conversation.door.max_model_len
    held = f"{talk.context_tokens} of {limit}" if talk.context_tokens else f"of {limit}"
    left = f", {max(0, limit - talk.context_tokens)} left" if talk.context_tokens else ""
    conversation.say(f"conversation  {held} tokens{left}")
    conversation.say(f"read so far   {talk.prompt_tokens} tokens of prompts")
    conversation.say(f"written       {talk.completion_tokens} tokens of answers")


def _save(conversation: Conversation, words: str) -> None:
    talks = conversation.session.world.shelf.talks
    given = words.split()
    force = "-f" in given
    name = " ".join(word for word in given if word != "-f") or conversation.talk.name
    if not name:
        raise UsageError(
            "Under which name?",
            why="This conversation was not saved before.",
            next_step="/save first-try",
        )
    try:
        checked_talk_name(name)
    except UsageError as error:
        error.next_step = "/save first-try"
        raise
    if name in talks.names() and name != conversation.talk.name and not force:
        raise UsageError(
            f"There is a conversation {name!r} already.",
            why="It is another one, and would be lost.",
            next_step=f"/save -f {name}",
        )
    path = talks.save(name, conversation.talk)
    conversation.talk = replace(conversation.talk, name=name)
    conversation.say(f"saved as {name}: {path}", "dim")


def _load(conversation: Conversation, name: str) -> None:
    talks = conversation.session.world.shelf.talks
    if not name:
        conversation.say("  ".join(talks.names()) or "nothing was saved yet")
        return
    if not talks.names():
        raise UsageError(
            f"There is no conversation {name!r}.",
            why="Nothing was saved yet.",
            next_step="/save first-try",
        )
    conversation.talk = operations.loaded(
        conversation.session.world, conversation.door, talks.load(name)
    )
    show_loaded(conversation)


def show_loaded(conversation: Conversation) -> None:
    """Show how a conversation that was loaded ended."""
    said = conversation.talk.messages
    if len(said) > LATEST:
        conversation.say(f"({len(said) - LATEST} earlier messages)", "dim")
    for one in said[-LATEST:]:
        mark = "> " if one.role == "user" else ""
        text = one.text[:SHOWN].rstrip() + " ..." * (len(one.text) > SHOWN)
        conversation.say(f"{mark}{visible(text)}{' (stopped)' if one.stopped else ''}", "dim")


def _drop(conversation: Conversation, number: str) -> None:
    here = len(conversation.talk.messages) // 2
    count = int(number or 1) if (number or "1").isdecimal() else 0
    if not 1 <= count <= here:
        raise UsageError(
            f"{number or '1'} exchanges cannot be dropped.",
            why=f"There are {here}: an exchange is a question and its answer.",
            next_step="/drop 1" if here else "/help",
        )
    conversation.talk = without_oldest(conversation.talk, count)
    conversation.say(f"dropped {count}, {here - count} left", "dim")


def _new(conversation: Conversation, _: str) -> None:
    conversation.talk = cleared(conversation.talk)
    conversation.say("a new conversation", "dim")


def _help(conversation: Conversation, _: str) -> None:
    for name, (argument, text) in COMMANDS.items():
        conversation.say(f"  {f'/{name} {argument}':<22} {text}")
    conversation.say(f"A block of lines begins with {FENCE} and ends with it; a \\ at the end of")
    conversation.say("a line goes on in the next. A blank in front of a / makes it a question,")
    conversation.say("and keeps a line out of the history.")


def _quit(conversation: Conversation, _: str) -> None:
    conversation.leaves = True


def _show(
    conversation: Conversation, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]
) -> None:
    conversation.say(table(head, rows, conversation.session.console.err))


HANDLERS: dict[str, Callable[[Conversation, str], None]] = {
    "model": _model,
    "service": _service,
    "system": _system,
    "role": _role,
    "set": _set,
    "tokens": _tokens,
    "save": _save,
    "load": _load,
    "drop": _drop,
    "new": _new,
    "help": _help,
    "quit": _quit,
}
"""One for each command of `rules.typed.COMMANDS`."""
