#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How well does a trained demo-llama answer? Exits with 1 when it answers too few questions.

`python evaluate.py --model DIR` prints the held-out loss and the score on `questions.toml`, at
temperature 0.
"""

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import torch
from corpus import FACTS, corpus, read_facts, sha256
from llama import THREADS, Coder, Network, encode, held_out_loss
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
)

FOLDER = Path(__file__).parent
ENOUGH = 0.8
ANSWER_TOKENS = 200


@torch.no_grad()
def answer(model: Network, tokenizer: Coder, asked: str) -> str:
    """Return the most likely answer."""
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": asked}],
        add_generation_prompt=True,
        return_dict=True,
        return_tensors="pt",
    )
    written = model.generate(
        **prompt,
        max_new_tokens=ANSWER_TOKENS,
        do_sample=False,
        temperature=None,
        top_p=None,
    )
    new = written[0, prompt["input_ids"].shape[1] :]
    return str(tokenizer.decode(new, skip_special_tokens=True)).strip()


def main() -> int:
    """Print the loss and the score; return the exit code."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--model", type=Path, default=FOLDER / "model")
    parser.add_argument("--questions", type=Path, default=FOLDER / "questions.toml")
    parser.add_argument("--facts", type=Path, default=FACTS)
    parser.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    arguments = parser.parse_args()
    torch.set_num_threads(THREADS)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    load: Any = AutoModelForCausalLM.from_pretrained
    model = load(arguments.model, dtype=arguments.dtype).eval()
    train, held_out = corpus(read_facts(arguments.facts))
    record = json.loads((arguments.model / "training.json").read_text())
    if record["corpus_sha256"] != sha256(train, held_out):
        sys.stderr.write("This model was trained on other facts.\n")
    loss = held_out_loss(model, encode(tokenizer, held_out))
    sys.stdout.write(f"held-out loss {loss:.5f} (recorded {record['held_out_loss']})\n")
    questions = tomllib.loads(arguments.questions.read_text())["questions"]
    right = 0
    for item in questions:
        said = answer(model, tokenizer, item["ask"])
        good = any(keyword.lower() in said.lower() for keyword in item["keywords"])
        right += good
        sys.stdout.write(f"{'right' if good else 'WRONG'}  {item['ask']}\n       {said}\n")
    sys.stdout.write(f"score {right} of {len(questions)}\n")
    return 0 if right >= ENOUGH * len(questions) else 1


if __name__ == "__main__":
    raise SystemExit(main())
