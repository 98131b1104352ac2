# SPDX-License-Identifier: Apache-2.0
"""How are conversations turned into numbers, and what does the network lose on them?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from corpus import Document
from phrases import Dice
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

THREADS = 2
VOCABULARY = 2048
CONTEXT = 2048
TOKENS_PER_BATCH = 2560
BEGIN, END, PAD = "<|begin|>", "<|end|>", "<|pad|>"
ROLES = {"system": "<|system|>", "user": "<|user|>", "assistant": "<|assistant|>"}
QUESTION_WEIGHT = 0.05
"""How much a token that the model does not have to say counts in training."""

Network = Any
Coder = Any
"""A Llama and its tokenizer: transformers' own annotations do not fit together."""

CHAT_TEMPLATE = (
    "{{- bos_token }}"
    "{%- for message in messages %}"
    "{%- if message['role'] in ['system', 'developer'] %}{{- '<|system|>' }}"
    "{%- elif message['role'] == 'assistant' %}{{- '<|assistant|>' }}"
    "{%- else %}{{- '<|user|>' }}{%- endif %}"
    "{{- (message['content'] or '') | trim }}{{- '<|end|>' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A document as token ids, and how much each of them counts."""

    ids: tuple[int, ...]
    weights: tuple[float, ...]


def build_tokenizer(texts: Sequence[str]) -> Coder:
    """Learn a byte-level BPE vocabulary from `texts`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, BEGIN, END, *ROLES.values()],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    begin = tokenizer.token_to_id(BEGIN)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", pair=f"{BEGIN} $A $B", special_tokens=[(BEGIN, begin)]
    )
    wrap: Any = PreTrainedTokenizerFast
    return wrap(
        tokenizer_object=tokenizer,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=PAD,
        chat_template=CHAT_TEMPLATE,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def build_model(tokenizer: Coder) -> Network:
    """Make the untrained network, 1.97 million parameters."""
    build: Any = LlamaForCausalLM
    return build(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=192,
            intermediate_size=512,
            num_hidden_layers=4,
            num_attention_heads=6,
            num_key_value_heads=2,
            head_dim=32,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def encode(tokenizer: Coder, documents: Sequence[Document]) -> list[Example]:
    """Turn documents into token ids, as the chat template does."""
    texts = sorted({message["content"] for d in documents for message in d.messages})
    texts += [document.text for document in documents if document.text]
    coded = tokenizer.backend_tokenizer.encode_batch(texts, add_special_tokens=False)
    ids_of = {text: encoding.ids for text, encoding in zip(texts, coded, strict=True)}
    role_of = {role: tokenizer.convert_tokens_to_ids(mark) for role, mark in ROLES.items()}
    begin, end = int(tokenizer.bos_token_id), int(tokenizer.eos_token_id)
    examples = []
    for document in documents:
        ids, weights = [begin], [0.0]
        if document.text:
            ids += [*ids_of[document.text], end]
            weights += [1.0] * (len(ids) - 1)
        for message in document.messages:
            said = [*ids_of[message["content"]], end]
            weight = 1.0 if message["role"] == "assistant" else QUESTION_WEIGHT
            ids += [role_of[message["role"]], *said]
            weights += [0.0, *[weight] * len(said)]
        examples.append(Example(ids=tuple(ids), weights=tuple(weights)))
    return examples


def batches(examples: Sequence[Example], dice: Dice) -> Iterator[list[Example]]:
    """Yield all examples once, those of similar length together, in random order."""
    by_length = sorted(examples, key=lambda example: (len(example.ids), dice.number()))
    groups: list[list[Example]] = [[]]
    for example in by_length:
        if len(example.ids) * (len(groups[-1]) + 1) > TOKENS_PER_BATCH:
            groups.append([])
        groups[-1].append(example)
    yield from sorted(groups, key=lambda _: dice.number())


def loss_of(
    model: Network, batch: Sequence[Example], *, answers_only: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the summed loss of a batch and the summed weight of its tokens."""
    longest = max(len(example.ids) for example in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    weights = torch.zeros(len(batch), longest)
    for row, example in enumerate(batch):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        weights[row, : len(example.ids)] = torch.tensor(example.weights)
    if answers_only:
        weights = (weights == 1.0).float()
    logits = model(input_ids=ids[:, :-1], use_cache=False).logits.float()
    losses = functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    wanted = weights[:, 1:].flatten()
    return (losses * wanted).sum(), wanted.sum()


@torch.no_grad()
def held_out_loss(model: Network, examples: Sequence[Example]) -> float:
    """Return the mean loss per answer token, in nats."""
    model.eval()
    sums = [loss_of(model, batch, answers_only=True) for batch in batches(examples, Dice(0))]
    return float(sum(loss for loss, _ in sums) / sum(weight for _, weight in sums))
