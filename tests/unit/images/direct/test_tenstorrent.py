# SPDX-License-Identifier: Apache-2.0
"""Is the Generator API spoken in both of its namings, on the device's choice and on the host's?

Against a stand-in that was written from its signatures: this never met the real one.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from tests.standins.generator_api import files

from ttctl_direct.answer import speak
from ttctl_direct.asked import Asked, BadAskedError, Sampling
from ttctl_direct.generator_api import NoGeneratorError, called, check, takes
from ttctl_direct.prompts import Prompts
from ttctl_direct.tenstorrent import Tenstorrent, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ttctl_direct.backend import Candidates

NAMINGS = ["text", "plain", "mixed", "host"]


class Lists:
    """Tensors of the stand-in, where no torch is needed."""

    def row(self, tokens: Sequence[int]) -> object:
        return import_module("ttnn").tensor([list(tokens)])

    def numbers(self, values: Sequence[int]) -> object:
        return import_module("ttnn").tensor(list(values))

    def candidates(self, found: Any, *, vocabulary: int) -> Candidates:  # noqa: ANN401
        inner = found.tolist()
        while isinstance(inner[0], list):
            inner = inner[0]
        if len(inner) < vocabulary:
            return [(inner[0], 0.0)]
        return sorted(enumerate(inner), key=lambda one: -one[1])


class Numbers:
    """A tokenizer of numbers with a space between."""

    stops = frozenset({40})
    longest_token = 3

    def tokens_of(self, messages: Sequence[tuple[str, str]]) -> list[int]:
        return [int(one) for _, text in messages for one in text.split()]

    def text_of(self, tokens: Sequence[int]) -> str:
        return "".join(f" {one}" for one in tokens)


def forget() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in {"ttnn", "models"}]:
        del sys.modules[name]


@pytest.fixture
def tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[dict[str, str]], None]]:
    """Lay files out where Python finds them."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HF_MODEL", "")

    def lay_out(texts: dict[str, str]) -> None:
        for name, text in texts.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    forget()
    yield lay_out
    forget()


@pytest.fixture
def card(
    tree: Callable[[dict[str, str]], None], tmp_path: Path, request: pytest.FixtureRequest
) -> Tenstorrent:
    tree(files(getattr(request, "param", "text")))
    return load(tmp_path / "weights", context=128, tensors=Lists())


def said(card: Tenstorrent, prompt: str, **more: Any) -> str:  # noqa: ANN401
    pieces: list[str] = []
    asked = Asked(messages=(("user", prompt),), **more)
    words = Numbers()
    tokens = asyncio.run(Prompts(words, card).tokens_of(asked))
    speak(asked, tokens, card, words, say=pieces.append, left=lambda: False)
    return "".join(pieces)


@pytest.mark.parametrize("card", NAMINGS, indirect=True)
def test_an_answer_goes_on_where_the_prompt_ends(card: Tenstorrent) -> None:
    greedy = Sampling(temperature=0)
    assert said(card, "3 4 5", sampling=greedy, max_tokens=3) == " 6 7 8"
    # The cache of the first one is written over from its beginning.
    assert said(card, "37", sampling=greedy) == " 38 39"


@pytest.mark.parametrize("card", NAMINGS, indirect=True)
def test_a_seed_gives_the_same_answer_again_wherever_the_host_draws(card: Tenstorrent) -> None:
    hot = Sampling(temperature=2, seed=5)
    first = said(card, "3", sampling=hot, max_tokens=8)
    assert first == said(card, "3", sampling=hot, max_tokens=8)
    assert first != said(card, "3", sampling=Sampling(temperature=0), max_tokens=8)


@pytest.mark.parametrize(
    ("card", "on_device"),
    [("text", True), ("plain", True), ("mixed", True), ("host", False)],
    indirect=["card"],
)
def test_the_device_chooses_where_it_can(card: Tenstorrent, *, on_device: bool) -> None:
    assert card.samples_on_device is on_device
    generator = card._decode.__self__  # type: ignore[attr-defined] # noqa: SLF001
    said(card, "3", sampling=Sampling(temperature=0), max_tokens=4)
    assert generator.on_device == (3 if on_device else 0)
    said(card, "3", sampling=Sampling(temperature=1), max_tokens=4)
    assert generator.on_device == (3 if on_device else 0)


@pytest.mark.parametrize(
    "instead",
    [
        pytest.param("raise RuntimeError('TT_FATAL')", id="it refuses"),
        pytest.param("return tensor([0])", id="it chooses another token"),
    ],
)
def test_the_host_chooses_where_the_device_does_not(
    tree: Callable[[dict[str, str]], None], tmp_path: Path, instead: str
) -> None:
    texts = files("text")
    path = "models/tt_transformers/tt/generator.py"
    texts[path] = texts[path].replace("self.on_device += 1", instead)
    tree(texts)
    card = load(tmp_path, context=128, tensors=Lists())
    assert card.samples_on_device
    card.warm_up([1, 2])
    assert not card.samples_on_device
    assert said(card, "3", sampling=Sampling(temperature=0), max_tokens=2) == " 4 5"


def test_a_failure_that_is_not_the_choices_is_told(card: Tenstorrent) -> None:
    card._greedy = None  # noqa: SLF001
    card._cache = None  # noqa: SLF001
    with pytest.raises(TypeError):
        card.warm_up([1])


def test_a_prompt_that_would_take_paged_attention_is_refused(card: Tenstorrent) -> None:
    with pytest.raises(BadAskedError, match="has 33 tokens; 32 fit here"):
        said(card, " ".join(["1"] * 33))


def test_the_mesh_is_opened_once_and_closed(card: Tenstorrent, tmp_path: Path) -> None:
    ttnn = import_module("ttnn")
    assert ttnn.opened == [(1, 1)]
    card.close()
    assert len(ttnn.closed) == 1
    assert import_module("os").environ["HF_MODEL"] == str(tmp_path / "weights")


def test_the_mesh_is_closed_where_the_model_does_not_load(
    tree: Callable[[dict[str, str]], None], tmp_path: Path
) -> None:
    common = "models/tt_transformers/tt/common.py"
    tree({**files("text"), common: "def create_tt_model(mesh):\n    raise MemoryError\n"})
    with pytest.raises(MemoryError):
        load(tmp_path, context=128, tensors=Lists())
    assert len(import_module("ttnn").closed) == 1


@pytest.mark.parametrize(("chips", "mesh"), [(8, (1, 8)), (32, (8, 4))])
def test_several_chips_are_one_mesh_over_the_fabric(
    tree: Callable[[dict[str, str]], None], tmp_path: Path, chips: int, mesh: tuple[int, int]
) -> None:
    texts = files("text")
    texts["ttnn/__init__.py"] += (
        f"def get_device_ids():\n    return list(range({chips}))\n"
        "class FabricConfig:\n    FABRIC_1D = 'FABRIC_1D'\n"
        "def set_fabric_config(config):\n    opened.append(config)\n"
    )
    tree(texts)
    load(tmp_path, context=128, tensors=Lists())
    assert import_module("ttnn").opened == ["FABRIC_1D", mesh]


def test_an_older_tree_has_one_setting_for_all_decoders(
    tree: Callable[[dict[str, str]], None], tmp_path: Path
) -> None:
    config = "models/tt_transformers/tt/model_config.py"
    older = (
        "class ModelOptimizations:\n"
        "    @classmethod\n    def performance(cls, args):\n        return cls()\n"
    )
    tree({**files("text"), config: older})
    card = load(tmp_path, context=128, tensors=Lists())
    assert said(card, "3", sampling=Sampling(temperature=0), max_tokens=1) == " 4"


@pytest.mark.parametrize(
    ("naming", "names"),
    [
        ("text", ("prefill_forward_text", "decode_forward_text")),
        ("plain", ("prefill_forward", "decode_forward")),
        ("mixed", ("prefill_forward_text", "decode_forward")),
    ],
)
def test_the_check_says_which_names_there_are(
    tree: Callable[[dict[str, str]], None], naming: str, names: tuple[str, str]
) -> None:
    tree(files(naming))
    assert check() == names


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        pytest.param("generator", "", "has no Generator", id="no class"),
        pytest.param("generator", "class Generator: pass\n", "neither prefill_", id="no steps"),
        pytest.param("common", "", "neither create_tt_model", id="no loader"),
        pytest.param("model_config", "", "neither DecodersPrecision", id="no settings"),
        pytest.param("common", "import not_there\n", "No module named", id="not importable"),
    ],
)
def test_a_tree_of_another_time_is_told(
    tree: Callable[[dict[str, str]], None], name: str, text: str, why: str
) -> None:
    tree({**files("text"), f"models/tt_transformers/tt/{name}.py": text})
    with pytest.raises(NoGeneratorError, match=why):
        check()


def test_an_argument_that_a_function_does_not_take_is_left_out() -> None:
    def narrow(a: int) -> int:
        return a

    def wide(**given: int) -> dict[str, int]:
        return given

    assert called(narrow, 1, b=2) == 1
    assert called(wide, b=2) == {"b": 2}
    assert takes(wide, "anything")
