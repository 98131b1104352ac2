# SPDX-License-Identifier: Apache-2.0
"""Is the next token drawn as asked, and is only whole text said, up to a stop word?"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest

from ttctl_direct.asked import Sampling
from ttctl_direct.sampling import chosen
from ttctl_direct.speech import Speech

if TYPE_CHECKING:
    from collections.abc import Sequence

THREE = [(7, 2.0), (8, 1.0), (9, -20.0)]


def drawn(sampling: Sampling, times: int = 2000) -> Counter[int]:
    chance = Random(1)  # noqa: S311
    return Counter(chosen(THREE, sampling, chance) for _ in range(times))


def test_without_temperature_the_likeliest_is_taken() -> None:
    assert drawn(Sampling(temperature=0)) == {7: 2000}
    assert drawn(Sampling(temperature=1, top_k=1)) == {7: 2000}


def test_a_token_is_drawn_by_its_probability() -> None:
    found = drawn(Sampling(temperature=1))
    assert found[7] / 2000 == pytest.approx(0.731, abs=0.03)
    hot = drawn(Sampling(temperature=2))
    assert hot[7] / 2000 == pytest.approx(0.622, abs=0.03)


def test_only_the_first_ones_are_drawn_from_where_that_is_asked() -> None:
    assert set(drawn(Sampling(temperature=2, top_k=2))) == {7, 8}
    assert set(drawn(Sampling(temperature=1, top_p=0.7))) == {7}
    assert set(drawn(Sampling(temperature=1, top_p=0.75))) == {7, 8}


def test_equal_seeds_give_equal_tokens() -> None:
    both = [
        [chosen(THREE, Sampling(temperature=1), Random(seed)) for seed in range(50)]  # noqa: S311
        for _ in range(2)
    ]
    assert both[0] == both[1]
    assert len(set(both[0])) == 2


def text_of(tokens: Sequence[int]) -> str:
    """Return the text of tokens that are bytes."""
    return bytes(tokens).decode("utf-8", errors="replace")


def said(text: bytes, *stop: str) -> tuple[list[str], str, bool]:
    speech = Speech(text_of, stop)
    pieces = []
    for token in text:
        pieces.append(speech.add(token))
        if speech.stopped:
            break
    return [one for one in pieces if one], speech.end(), speech.stopped


def test_a_character_is_said_when_it_is_whole() -> None:
    assert said("aé€😀b".encode()) == (["a", "é", "€", "😀", "b"], "", False)


def test_what_never_becomes_a_character_is_said_all_the_same() -> None:
    pieces, rest, _ = said(b"a" + b"\xe2" * 9)
    assert "".join(pieces) + rest == "a" + "\ufffd" * 9
    assert said(b"a\xe2") == (["a"], "\ufffd", False)


def test_nothing_of_a_stop_word_is_said() -> None:
    assert said(b"one END two", "END") == (["o", "n", "e", " "], "", True)


@pytest.mark.parametrize(
    "tokens", [["a E", "ND b"], ["a ", "E", "N", "D b"], ["a END b"], ["a EE", "ND"]]
)
def test_a_stop_word_is_found_wherever_the_tokens_end(tokens: list[str]) -> None:
    speech = Speech(lambda some: "".join(tokens[one] for one in some), ("END", "NDX"))
    found = "".join(speech.add(one) for one in range(len(tokens))) + speech.end()
    assert found == "".join(tokens).partition("END")[0]
    assert speech.stopped


def test_the_beginning_of_a_stop_word_is_said_when_it_was_none() -> None:
    pieces, rest, stopped = said(b"EN END? ENE", "END!", "xy")
    assert ("".join(pieces) + rest, stopped) == ("EN END? ENE", False)


def test_the_first_of_several_stop_words_counts() -> None:
    speech = Speech(lambda tokens: "".join("abcd" for _ in tokens), ("d", "b"))
    assert speech.add(1) == "a"
    assert speech.stopped


def test_a_space_that_depends_on_the_word_before_is_kept() -> None:
    words = ["Hello", "there", "you"]
    speech = Speech(lambda tokens: " ".join(words[one] for one in tokens), ())
    assert [speech.add(one) for one in range(3)] == ["Hello", " there", " you"]


def test_halves_of_a_character_are_said_as_one_and_a_lone_one_as_no_character() -> None:
    pieces = ["a", "\ud83d", "\ude00", "b", "\ude00", "c", "\ud83d"]
    speech = Speech(lambda tokens: "".join(pieces[one] for one in tokens), ())
    said = [speech.add(one) for one in range(len(pieces))]
    assert "".join(said) + speech.end() == "a\U0001f600b\ufffdc\ufffd"
    assert said[1] == ""
    assert all(one.encode("utf-8") or not one for one in said)
