# SPDX-License-Identifier: Apache-2.0
"""Do images get names that can be typed, and that nothing has yet?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ttctl.errors import UsageError
from ttctl.model.picture import Place
from ttctl.rules.picture_names import LONGEST, check_suffix, names, next_free, slug_of

FREE = Place(folder=Path(), stem="fox", suffix=".png", exact=False)
NAMED = replace(FREE, exact=True)


@pytest.mark.parametrize(
    ("prompt", "slug"),
    [
        ("a red circle", "a-red-circle"),
        ("  A Fox, running!  ", "a-fox-running"),
        ("Äpfel & Öl", "apfel-ol"),
        ("../../etc/passwd", "etc-passwd"),
        ("夕暮れの灯台", "image"),
        ("-o", "o"),
        ("\udcff", "image"),
    ],
)
def test_a_prompt_becomes_a_plain_name(prompt: str, slug: str) -> None:
    assert slug_of(prompt) == slug


def test_a_long_prompt_ends_at_a_word() -> None:
    assert slug_of("word " * 40) == "-".join(["word"] * 9)
    assert slug_of("x" * 200) == "x" * LONGEST


@pytest.mark.parametrize(
    ("images", "taken", "expected"),
    [
        (1, set(), ("fox.png",)),
        (1, {"fox.png"}, ("fox-2.png",)),
        (1, {"fox.png", "fox-2.png"}, ("fox-3.png",)),
        (2, set(), ("fox-1.png", "fox-2.png")),
        (2, {"fox-2.png"}, ("fox-3.png", "fox-4.png")),
    ],
)
def test_a_name_of_our_own_is_a_free_one(
    images: int, taken: set[str], expected: tuple[str, ...]
) -> None:
    assert names(FREE, images, taken) == expected


def test_a_name_that_was_given_is_used_as_it_is() -> None:
    assert names(NAMED, 1, set()) == ("fox.png",)
    assert names(NAMED, 3, {"fox.png"}) == ("fox-1.png", "fox-2.png", "fox-3.png")


@pytest.mark.parametrize("images", [1, 2])
def test_a_file_is_replaced_only_by_force(images: int) -> None:
    taken = {"fox.png", "fox-2.png"}
    with pytest.raises(UsageError, match="is there already") as caught:
        names(NAMED, images, taken)
    assert caught.value.added == "--force"
    assert names(replace(NAMED, force=True), images, taken) == names(NAMED, images, set())


def test_an_image_whose_name_was_taken_meanwhile_gets_the_next_one() -> None:
    assert next_free(NAMED, {"fox.png", "fox-2.png"}) == "fox-3.png"


def test_another_format_is_refused_with_the_name_to_type() -> None:
    with pytest.raises(UsageError, match="no PNG") as caught:
        check_suffix(Path("a/out.JPG"))
    assert (caught.value.mistyped, caught.value.meant) == ("a/out.JPG", "a/out.png")
    for fine in ("out.png", "out.PNG", "out", "v1.2"):
        check_suffix(Path(fine))
