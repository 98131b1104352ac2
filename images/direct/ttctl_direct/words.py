# SPDX-License-Identifier: Apache-2.0
"""The tokenizer that lies beside the weights, by transformers; the same on every backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transformers import AutoTokenizer, GenerationConfig

from ttctl_direct.asked import BadAskedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NO_TEMPLATE = "This model has no template for conversations: send a prompt."


class HubWords:
    """A tokenizer of the hub's format."""

    def __init__(self, weights: Path) -> None:
        """Read it from the folder of the weights; nothing is fetched."""
        self._tokenizer: Any = AutoTokenizer.from_pretrained(weights, local_files_only=True)
        self.stops = frozenset(_stops(weights, self._tokenizer))
        # A vocabulary says a token by characters of text, or by one character for each byte.
        self.longest_token = max(map(len, self._tokenizer.get_vocab()))

    def tokens_of(self, messages: Sequence[tuple[str, str]]) -> list[int]:
        """Return the tokens of a conversation that waits for an answer.

        Raises:
            BadAskedError: The model's tokenizer takes no such conversation.
        """
        try:
            return self._tokens_of(messages)
        except BadAskedError:
            raise
        except Exception as refused:  # noqa: BLE001 - a template says no in its own way
            kind = type(refused).__name__
            message = f"The model's tokenizer takes no such conversation ({kind})."
            raise BadAskedError(message, "messages") from None

    def text_of(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens."""
        return str(
            self._tokenizer.decode(
                list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )

    def _tokens_of(self, messages: Sequence[tuple[str, str]]) -> list[int]:
        if not self._tokenizer.chat_template:
            return self._plain(messages)
        text = self._tokenizer.apply_chat_template(
            [{"role": role, "content": content} for role, content in messages],
            tokenize=False,
            add_generation_prompt=True,
        )
        # The template has said the special tokens.
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _plain(self, messages: Sequence[tuple[str, str]]) -> list[int]:
        if len(messages) != 1 or messages[0][0] != "user":
            raise BadAskedError(NO_TEMPLATE, "messages")
        return list(self._tokenizer(messages[0][1])["input_ids"])


def _stops(weights: Path, tokenizer: Any) -> set[int]:  # noqa: ANN401 - of whichever class
    """Return every token that ends an answer: some models have one for turns and one for texts."""
    found = {tokenizer.eos_token_id}
    try:
        said = GenerationConfig.from_pretrained(weights, local_files_only=True).eos_token_id
    except OSError:
        said = None
    found |= set(said) if isinstance(said, list) else {said}
    return {one for one in found if one is not None}
