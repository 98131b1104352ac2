#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What text does demo-llama learn from? Pure: equal facts and seed give equal bytes.

`python corpus.py` prints the checksum of the corpus and a few of its conversations.
"""

import argparse
import hashlib
import json
import random
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

SEED = 20260801
TRAIN_DOCUMENTS = 40_000
HELD_OUT_DOCUMENTS = 1_000
FACTS = Path(__file__).with_name("facts.toml")

Facts = Mapping[str, Any]
Message = dict[str, str]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One conversation, or one plain text when `text` is not empty."""

    messages: tuple[Message, ...] = ()
    text: str = ""


class Dice:
    """A source of choices that depends on nothing but its seed.

    It uses `random.Random.random` only, the one method whose values Python promises to keep.
    """

    def __init__(self, seed: int) -> None:
        """Start at `seed`."""
        self._random = random.Random(seed).random  # noqa: S311 - reproducible on purpose, no secret

    def number(self) -> float:
        """Return a number from 0 to below 1."""
        return self._random()

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.number() < probability

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of `items`, all equally likely."""
        return items[int(self.number() * len(items))]

    def weighted(self, items: Sequence[tuple[float, Item]]) -> Item:
        """Return one of the (weight, item) pairs' items."""
        rest = self.number() * sum(weight for weight, _ in items)
        for weight, item in items:
            rest -= weight
            if rest < 0:
                return item
        return items[-1][1]


def read_facts(path: Path = FACTS) -> Facts:
    """Read the facts and phrasings."""
    with path.open("rb") as file:
        return tomllib.load(file)


@cache
def _tokens(phrase: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[()|\[\]]|\{\w+\}|[^()|\[\]{}]+", phrase))


def expand(dice: Dice, phrase: str, words: Mapping[str, Sequence[str]]) -> str:
    """Pick one sentence of a phrase grammar; see the head of `facts.toml`."""
    text, _ = _alternatives(dice, _tokens(phrase), 0, words)
    return " ".join(text.split())


def _alternatives(
    dice: Dice, tokens: Sequence[str], start: int, words: Mapping[str, Sequence[str]]
) -> tuple[str, int]:
    """Return one alternative from `start` and where the group ends."""
    options, current, position = [], "", start
    while position < len(tokens) and tokens[position] not in ")]":
        match piece := tokens[position]:
            case "|":
                options.append(current)
                current = ""
            case "(" | "[":
                inner, position = _alternatives(dice, tokens, position + 1, words)
                current += inner if piece == "(" or dice.chance(0.35) else ""
            case _ if piece.startswith("{"):
                current += expand(dice, dice.pick(words[piece[1:-1]]), words)
            case _:
                current += piece
        position += 1
    return dice.pick([*options, current]), position


def question(dice: Dice, facts: Facts, fact: Mapping[str, Any]) -> str:
    """Ask for `fact` in one of its many ways."""
    words = facts["words"]
    kinds = {"things": 1.0, "tasks": 1.2, "commands": 0.8, "devices": 2.0, "asks": 1.2}
    kind = dice.weighted([(weight, kind) for kind, weight in kinds.items() if kind in fact])
    phrase = expand(dice, dice.pick(fact[kind]), words)
    if kind == "asks":
        return phrase
    if kind == "commands":
        phrase = expand(dice, dice.pick(facts["frames"]["command_names"]), {"x": [phrase]})
    asked = expand(dice, dice.pick(facts["frames"][kind]), {**words, "x": [phrase]})
    area = fact.get("area")
    if area and kind in {"things", "tasks"} and dice.chance(0.12):
        asked += dice.pick(facts["noise"]["areas"][area])
    return asked


def noisy(dice: Dice, text: str, noise: Mapping[str, Any]) -> str:
    """Write a question as hurried people do: greetings, lower case, no mark, a typo."""
    if dice.chance(0.15):
        text = dice.pick(noise["prefixes"]) + text
    if dice.chance(0.1):
        text += dice.pick(noise["suffixes"])
    if dice.chance(0.15):
        text = _typo(dice, text)
    if dice.chance(0.5):
        text = text.replace("`", "")
    if dice.chance(0.4):
        text = text.lower()
        text = text.replace("'", "") if dice.chance(0.3) else text
    elif dice.chance(0.95):
        text = text[:1].upper() + text[1:]
    else:
        text = text.upper()
    ends = [(0.6, "?"), (0.3, ""), (0.06, "."), (0.02, "??"), (0.02, "!")]
    return text + dice.weighted(ends)


def _typo(dice: Dice, text: str) -> str:
    """Drop, double or swap one letter inside a longer word."""
    words = [match.span() for match in re.finditer(r"[a-z]{5,}", text)]
    if not words:
        return text
    start, end = dice.pick(words)
    at = dice.pick(range(start + 1, end - 1))
    changes = ("", text[at] * 2, text[at + 1] + text[at])
    change = dice.pick(changes)
    return text[:at] + change + text[at + (2 if change is changes[2] else 1) :]


def story(dice: Dice, grammar: Mapping[str, Any]) -> str:
    """Tell a story of about ten to twenty sentences."""
    hero = dice.pick(grammar["heroes"])
    chosen = {
        "hero": [hero],
        "friend": [dice.pick([other for other in grammar["heroes"] if other != hero])],
        "trait": [dice.pick(grammar["traits"])],
        "name": [dice.pick(grammar["names"])],
        "place": [dice.pick(grammar["places"])],
        "find": [dice.pick(grammar["finds"])],
    }
    middle = grammar["middle"]
    kept = middle if dice.chance(0.5) else [line for line in middle if dice.chance(0.8)]
    lines = [dice.pick(grammar["opening"]), *kept, dice.pick(grammar["ending"])]
    return " ".join(expand(dice, line, chosen) for line in lines)


def _ask_fact(dice: Dice, facts: Facts, weighted: Sequence[tuple[float, Any]]) -> list[Message]:
    fact = dice.weighted(weighted)
    return _turn(noisy(dice, question(dice, facts, fact), facts["noise"]), fact["answer"])


def _ask_story(dice: Dice, facts: Facts) -> list[Message]:
    asked = expand(dice, dice.pick(facts["story"]["asks"]), facts["words"])
    return _turn(noisy(dice, asked, facts["noise"]), story(dice, facts["story"]))


def _ask_overview(dice: Dice, facts: Facts, answers: Mapping[str, str]) -> list[Message]:
    overview = dice.pick(facts["overviews"])
    asked = expand(dice, dice.pick(overview["asks"]), facts["words"])
    text = " ".join(answers[fact] for fact in overview["facts"])
    return _turn(noisy(dice, asked, facts["noise"]), text)


def _turn(asked: str, answer: str) -> list[Message]:
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]


def documents(facts: Facts, seed: int = SEED) -> Iterator[Document]:
    """Yield conversations without end: mostly one question, some of two or three turns."""
    dice = Dice(seed)
    weighted = [(fact.get("weight", 1.0), fact) for fact in facts["facts"]]
    answers = {fact["id"]: fact["answer"] for fact in facts["facts"]}
    while True:
        if dice.chance(0.01):
            told = dice.chance(0.3)
            plain = story(dice, facts["story"]) if told else dice.pick([*answers.values()])
            yield Document(text=plain)
            continue
        messages: list[Message] = []
        if dice.chance(0.2):
            prompt = expand(dice, dice.pick(facts["system"]["prompts"]), facts["words"])
            messages.append({"role": "system", "content": prompt})
        for _ in range(dice.weighted([(0.9, 1), (0.07, 2), (0.03, 3)])):
            kind = dice.weighted([(0.972, "fact"), (0.02, "story"), (0.008, "overview")])
            match kind:
                case "fact":
                    messages += _ask_fact(dice, facts, weighted)
                case "story":
                    messages += _ask_story(dice, facts)
                case _:
                    messages += _ask_overview(dice, facts, answers)
        yield Document(messages=tuple(messages))


def corpus(facts: Facts, seed: int = SEED) -> tuple[list[Document], list[Document]]:
    """Return the training and the held-out documents; the latter's questions are all new."""
    stream = documents(facts, seed)
    train = [next(stream) for _ in range(TRAIN_DOCUMENTS)]
    seen = {message["content"] for document in train for message in document.messages}
    held_out: list[Document] = []
    for document in stream:
        if len(held_out) == HELD_OUT_DOCUMENTS:
            break
        asked = [m["content"] for m in document.messages if m["role"] == "user"]
        if asked and seen.isdisjoint(asked):
            held_out.append(document)
    return train, held_out


def sha256(train: Sequence[Document], held_out: Sequence[Document]) -> str:
    """Return the checksum of both parts, in hex."""
    digest = hashlib.sha256()
    for document in (*train, *held_out):
        line = json.dumps([document.text, document.messages], sort_keys=True)
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def main() -> None:
    """Print the checksum and some conversations."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--facts", type=Path, default=FACTS)
    parser.add_argument("--show", type=int, default=5, help="how many conversations")
    arguments = parser.parse_args()
    train, held_out = corpus(read_facts(arguments.facts))
    sys.stdout.write(f"{sha256(train, held_out)}\n")
    for document in train[: arguments.show]:
        sys.stdout.write(json.dumps(document.messages or document.text, indent=1) + "\n")


if __name__ == "__main__":
    main()
