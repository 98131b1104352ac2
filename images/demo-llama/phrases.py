# SPDX-License-Identifier: Apache-2.0
"""How does one sentence come about? Chance, phrase grammars and noise. Pure, given the dice."""

import random
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

Item = TypeVar("Item")


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


def noisy(dice: Dice, text: str, noise: Mapping[str, Any]) -> str:
    """Write a question as people do: with other words, detours, lower case, no mark, a typo."""
    if dice.chance(0.5):
        text = _synonyms(dice, text, noise["synonyms"])
    text = _with_detours(dice, text, noise)
    if dice.chance(0.35):
        text = _other_words(dice, text, noise)
    if dice.chance(0.12):
        text = _typo(dice, text)
    if dice.chance(0.5):
        text = text.replace("`", "")
    return _cased(dice, text) + dice.weighted(ENDS)


SYNONYM = 0.3
"""How likely each word that has synonyms gives way to one."""

ENDS = [(0.6, "?"), (0.3, ""), (0.06, "."), (0.02, "??"), (0.02, "!")]


def _with_detours(dice: Dice, text: str, noise: Mapping[str, Any]) -> str:
    if dice.chance(0.15):
        text = dice.pick(noise["befores"]) + text
    elif dice.chance(0.13):
        text = dice.pick(noise["prefixes"]) + text
    if dice.chance(0.13):
        text += dice.pick(noise["afters"])
    elif dice.chance(0.1):
        text += dice.pick(noise["suffixes"])
    return text


def _cased(dice: Dice, text: str) -> str:
    if dice.chance(0.35):
        text = text.lower()
        return text.replace("'", "") if dice.chance(0.3) else text
    return text[:1].upper() + text[1:] if dice.chance(0.96) else text.upper()


def _other_words(dice: Dice, text: str, noise: Mapping[str, Any]) -> str:
    """Say it in a slightly different way: words that add nothing, words left out, another order."""
    words = text.split()
    for _ in range(dice.pick((1, 1, 2, 3))):
        at = dice.pick(range(len(words) + 1))
        match dice.pick(("add", "add", "drop", "replace")):
            case "add":
                words.insert(at, dice.pick(noise["fillers"]))
            case "drop" if at < len(words) and words[at].lower() in noise["small"]:
                del words[at]
            case "replace" if at < len(words) and words[at].lower() in noise["small"]:
                words[at] = dice.pick(noise["fillers"])
            case _:
                pass
    if dice.chance(0.15):
        words.sort(key=lambda _: dice.number())
    return " ".join(words)


def _synonyms(dice: Dice, text: str, synonyms: Mapping[str, Sequence[str]]) -> str:
    """Put other words of the same meaning in some places."""
    words = text.split()
    for at, word in enumerate(words):
        if others := synonyms.get(word.lower()):
            words[at] = dice.pick(others) if dice.chance(SYNONYM) else word
    return " ".join(words)


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
