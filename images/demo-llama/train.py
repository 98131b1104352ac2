#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Train demo-llama from `facts.toml` and write it as a Hugging Face model folder.

`python train.py --out DIR` takes a few minutes on two CPU cores. Steps are counted, never timed,
and seeds and threads are fixed, so that training again gives the same model up to rounding.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from corpus import FACTS, SEED, Document, corpus, read_facts, sha256
from llama import (
    QUESTION_WEIGHT,
    THREADS,
    VOCABULARY,
    Coder,
    Example,
    Network,
    batches,
    build_model,
    build_tokenizer,
    encode,
    held_out_loss,
    loss_of,
)
from phrases import Dice

PEAK_RATE = 3e-3
WARM_UP_STEPS = 60
TOKENIZER_DOCUMENTS = 8_000
CUT = 0.88
FIRST_WORDS = 8
SLIPS = 0.03


def rate_at(step: int, steps: int) -> float:
    """Return the learning rate: a short rise, then a cosine fall to a fiftieth."""
    if step < WARM_UP_STEPS:
        return PEAK_RATE * (step + 1) / WARM_UP_STEPS
    progress = (step - WARM_UP_STEPS) / max(1, steps - WARM_UP_STEPS)
    return PEAK_RATE * (0.02 + 0.98 * (1 + math.cos(math.pi * progress)) / 2)


def optimizer_for(model: Network) -> torch.optim.AdamW:
    """Return AdamW with weight decay on the matrices only."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    groups = [
        {"params": matrices, "weight_decay": 0.1},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.98))


def hurried(examples: Sequence[Example]) -> list[Example]:
    """Put slips into the questions, and cut most examples soon after their last answer has begun.

    The rest of an answer is learned by heart quickly; which answer fits a question is not.
    """
    dice = Dice(SEED)
    kept = []
    for example in examples:
        end = len(example.ids)
        while end > 1 and example.weights[end - 1] == 1.0:
            end -= 1
        ids = [
            dice.pick(range(VOCABULARY))
            if weight == QUESTION_WEIGHT and dice.chance(SLIPS)
            else one
            for one, weight in zip(example.ids, example.weights, strict=True)
        ]
        end += FIRST_WORDS if end > 1 and dice.chance(CUT) else len(example.ids)
        kept.append(Example(ids=tuple(ids[:end]), weights=example.weights[:end]))
    return kept


def fit(model: Network, examples: Sequence[Example]) -> int:
    """Go through `examples` once and return the number of steps."""
    model.train()
    optimizer = optimizer_for(model)
    todo = list(batches(examples, Dice(SEED)))
    for step, batch in enumerate(todo):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, len(todo))
        loss, weight = loss_of(model, batch, answers_only=False)
        objective: Any = loss / weight
        optimizer.zero_grad()
        objective.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 100 == 0:
            sys.stderr.write(f"step {step}/{len(todo)} loss {objective.item():.3f}\n")
    return len(todo)


def save(model: Network, tokenizer: Coder, out: Path) -> None:
    """Write the model folder, readable for every user."""
    model.generation_config.update(do_sample=True, temperature=0.5, top_p=0.9)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out, save_jinja_files=False)


def texts_of(documents: Sequence[Document]) -> list[str]:
    """Return all that is said in `documents`."""
    said = [message["content"] for d in documents for message in d.messages]
    return said + [document.text for document in documents if document.text]


def main() -> None:
    """Generate the corpus, train, measure and save."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the model folder to write")
    parser.add_argument("--facts", type=Path, default=FACTS)
    arguments = parser.parse_args()
    torch.set_num_threads(THREADS)
    torch.manual_seed(SEED)
    train, held_out = corpus(read_facts(arguments.facts))
    tokenizer = build_tokenizer(sorted(set(texts_of(train[:TOKENIZER_DOCUMENTS]))))
    model = build_model(tokenizer)
    steps = fit(model, hurried(encode(tokenizer, train)))
    model.to(torch.bfloat16)
    record = {
        "corpus_sha256": sha256(train, held_out),
        "documents": len(train),
        "held_out_documents": len(held_out),
        "held_out_loss": round(held_out_loss(model, encode(tokenizer, held_out)), 5),
        "parameters": model.num_parameters(),
        "seed": SEED,
        "steps": steps,
        "threads": THREADS,
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    save(model, tokenizer, arguments.out)
    (arguments.out / "training.json").write_text(json.dumps(record, indent=2) + "\n")
    for path in (arguments.out, *arguments.out.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    sys.stdout.write(f"held-out loss {record['held_out_loss']} after {steps} steps\n")


if __name__ == "__main__":
    main()
