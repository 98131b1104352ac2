# SPDX-License-Identifier: Apache-2.0
"""Run inside a service's container: ask it by itself and through its gateway, in turns.

`python - SERVICE` reads the key from its first line of input, and prints one JSON object: seconds,
tokens and first tokens of each way. It imports what the image has, and nothing of ttctl's.
"""

import json
import re
import sys
import time
import urllib.request
from typing import Any

ROUNDS = {"vllm": 24, "api": 24, "sd": 8}
"""A text takes tenths of a second, a picture seconds; on a busy machine a few turns say nothing."""
TOKENS = 96
PROMPT = "What is Tenstorrent?"
OWN, DOOR = "http://127.0.0.1:8000", "http://gateway:8080"
SIDE, STEPS = 256, 20
COUNTED = re.compile(rb'"(?:completion_)?tokens": ?([0-9]+)')
"""As vLLM says it, and as `/chat` does; an event may hold several tokens."""


def asked(base: str, path: str, key: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - an answer
    """Return an open answer."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(base + path, json.dumps(body).encode(), headers)
    return urllib.request.urlopen(request, timeout=300)


def streamed(base: str, path: str, key: str, body: dict[str, Any]) -> dict[str, float]:
    """Return seconds, seconds to the first event, and the tokens that the answer says it has."""
    started, first, tokens = time.perf_counter(), 0.0, 0
    with asked(base, path, key, {**body, "stream": True}) as answer:
        for line in answer:
            if not first and line.startswith(b"data: "):
                first = time.perf_counter() - started
            if counted := COUNTED.search(line):
                tokens = int(counted[1])
    return {"seconds": time.perf_counter() - started, "first_s": first, "tokens": tokens}


def vllm(key: str) -> dict[str, Any]:
    """Return the ways to a completion of so many tokens."""
    body = {
        "model": "demo-llama", "prompt": PROMPT, "max_tokens": TOKENS, "temperature": 0,
        "ignore_eos": True, "stream_options": {"include_usage": True},
    }  # fmt: skip
    return {
        "alone": lambda: streamed(OWN, "/v1/completions", key, body),
        "gateway": lambda: streamed(DOOR, "/v1/completions", key, body),
    }


def api(key: str) -> dict[str, Any]:
    """Return the ways to an answer, and transformers by itself with the same weights."""
    import torch  # noqa: PLC0415 - of this image alone
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415 - as above

    folder = "/models/demo-llama"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    body = {"prompt": PROMPT, "max_tokens": TOKENS, "temperature": 0}
    words = tokenizer.apply_chat_template(
        [{"role": "user", "content": PROMPT}], add_generation_prompt=True, return_tensors="pt",
        return_dict=True,
    )  # fmt: skip

    def bare() -> dict[str, float]:
        started = time.perf_counter()
        with torch.inference_mode():
            told = model.generate(**words, max_new_tokens=TOKENS, do_sample=False)
        tokens = told.shape[1] - words["input_ids"].shape[1]
        return {"seconds": time.perf_counter() - started, "first_s": 0.0, "tokens": tokens}

    def service(base: str) -> dict[str, float]:
        started = time.perf_counter()
        with asked(base, "/chat", key, body) as answer:
            told = json.load(answer)
        seconds = time.perf_counter() - started
        return {
            "seconds": seconds, "first_s": told["time_to_first_token_s"], "tokens": told["tokens"],
        }  # fmt: skip

    return {
        "alone": lambda: service(OWN), "gateway": lambda: service(DOOR), "bare": bare,
        "streamed": lambda: streamed(DOOR, "/chat", key, body),
    }  # fmt: skip


def sd(key: str) -> dict[str, Any]:
    """Return the way to a picture, and diffusers by itself with the same weights."""
    import torch  # noqa: PLC0415 - of this image alone
    from diffusers import DiffusionPipeline  # noqa: PLC0415 - as above

    pipeline = DiffusionPipeline.from_pretrained("/models/demo-sd")
    pipeline.set_progress_bar_config(disable=True)
    body = {
        "model": "demo-sd", "prompt": "a red circle", "size": f"{SIDE}x{SIDE}", "steps": STEPS,
        "seed": 1, "guidance": 3, "response_format": "b64_json",
    }  # fmt: skip

    def bare() -> dict[str, float]:
        started = time.perf_counter()
        pipeline(
            "a red circle", width=SIDE, height=SIDE, num_inference_steps=STEPS, guidance_scale=3.0,
            generator=torch.Generator("cpu").manual_seed(1),
        )  # fmt: skip
        return {"seconds": time.perf_counter() - started, "first_s": 0.0, "tokens": 0}

    def service() -> dict[str, float]:
        started = time.perf_counter()
        with asked(DOOR, "/v1/images/generations", key, body) as answer:
            json.load(answer)
        return {"seconds": time.perf_counter() - started, "first_s": 0.0, "tokens": 0}

    return {"gateway": service, "bare": bare}


def main() -> None:
    """Measure in turns; the first turn of each warms up and is left out.

    Each turn begins with another way, so that none comes always after the same one.
    """
    key = sys.stdin.readline().strip()
    ways = {"vllm": vllm, "api": api, "sd": sd}[sys.argv[1]](key)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    names = list(ways)
    for turn in range(ROUNDS[sys.argv[1]] + 1):
        first = turn % len(names)
        for name in (*names[first:], *names[:first]):
            one = ways[name]()
            if turn:
                found[name].append(one)
    print(json.dumps(found))


main()
