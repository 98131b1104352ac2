# SPDX-License-Identifier: Apache-2.0
"""Load a model as small as can be and let it answer: the root of a container is read-only.

So the bytecode of all that a start imports is in the image.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.models.qwen2 import modeling_qwen2

from ttctl_direct.answer import speak
from ttctl_direct.asked import Asked
from ttctl_direct.documents import openapi
from ttctl_direct.processor import Processor
from ttctl_direct.wire import Wire
from ttctl_direct.words import HubWords
from ttctl_serving.server import Server

VOCABULARY = {"<end>": 0, "Hello": 1}


def make(folder: Path) -> None:
    """Write a model of one layer and a tokenizer of two words."""
    shape = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 1, "num_key_value_heads": 1}
    config = LlamaConfig(vocab_size=2, max_position_embeddings=32, eos_token_id=0, **shape, **heads)
    LlamaForCausalLM(config).save_pretrained(folder)
    words = Tokenizer(WordLevel(VOCABULARY, unk_token="<end>"))  # noqa: S106 - no secret
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>")  # noqa: S106 - as above
    tokenizer.chat_template = "{{ messages[0]['content'] }}"
    tokenizer.save_pretrained(folder)


with tempfile.TemporaryDirectory() as made:
    make(Path(made))
    words, asked = HubWords(Path(made)), Asked(messages=(("user", "Hello"),), max_tokens=3)
    said = speak(
        asked,
        words.tokens_of(asked.messages),
        Processor(Path(made), context=16),
        words,
        say=lambda _text: None,
        left=lambda: False,
    )
print(f"warm: {said.tokens} tokens, {modeling_qwen2.__name__}, {Server.__name__}, {Wire.__name__}")
print(f"warm: {len(openapi(model='m', context=16)['paths'])} paths")
