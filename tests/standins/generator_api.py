# SPDX-License-Identifier: Apache-2.0
"""A stand-in for tt-metal's Generator API, under its older names, its newer ones, and a mixture.

Written from the signatures of the real one; it counts on by one, keeps a cache as strictly as a
card would need it, and refuses what the real one refuses. With torch it takes torch's tensors.

Source: tenstorrent/tt-metal:models/tt_transformers/tt/generator.py at 000ec12.
"""

import re

TTNN = '''\
"""Stands in for ttnn: chips, a mesh, and tensors by torch where it is there."""
opened, closed = [], []
bfloat8_b = "bfloat8_b"
try:
    from torch import tensor
except ImportError:
    class tensor:
        def __init__(self, values):
            self.values = values
        @property
        def shape(self):
            found, one = [], self.values
            while isinstance(one, list):
                found.append(len(one))
                one = one[0] if one else None
            return tuple(found)
        def tolist(self):
            return self.values
class MeshShape(tuple):
    def __new__(cls, rows, columns):
        return super().__new__(cls, (rows, columns))
def get_device_ids():
    return [0]
def open_mesh_device(shape):
    opened.append(tuple(shape))
    return object()
def close_mesh_device(mesh):
    closed.append(mesh)
'''
COUNTING = """\
VOCABULARY, LONGEST = 64, 32
def logits_after(cache):
    return [float(-abs(one - (cache[-1] + 1) % VOCABULARY)) for one in range(VOCABULARY)]
"""
BY_TRANSFORMERS = """\
import os
import torch
from transformers import AutoModelForCausalLM
model = AutoModelForCausalLM.from_pretrained(os.environ["HF_MODEL"]).eval()
VOCABULARY, LONGEST = model.config.vocab_size, 512
@torch.inference_mode()
def logits_after(cache):
    return model(torch.tensor([cache])).logits[0, -1].tolist()
"""
"""What a token's logits are computed by, in place of counting; from the weights of a real model."""
COMMON = """\
import os
from models.computing import LONGEST, VOCABULARY
class Arguments:
    n_layers, model_name, vocab_size, max_prefill_chunk_size = 2, "small", VOCABULARY, LONGEST
    tokenizer = None
def create_tt_model(mesh_device, instruct, max_batch_size, optimizations, max_seq_len,
                    paged_attention_config=None, dtype=None, state_dict=None):
    assert max_batch_size == 1 and paged_attention_config is None
    arguments = Arguments()
    arguments.weights = os.environ["HF_MODEL"]
    optimizations(arguments)
    return arguments, object(), [], state_dict
"""
CONFIG = """\
class DecodersPrecision:
    @staticmethod
    def performance(num_decoders, model_name):
        return (num_decoders, model_name)
"""
GENERATOR = """\
from dataclasses import dataclass
from models.computing import logits_after
from ttnn import tensor
@dataclass(frozen=True)
class SamplingParams:
    temperature: float
    top_k: int
    top_p: float
def likeliest(cache):
    row = logits_after(cache)
    return row.index(max(row))
class Generator:
    def __init__(self, model, model_args, mesh_device, tokenizer=None, formatter=None):
        assert isinstance(model, list) and isinstance(model_args, list)
        self.model_args = model_args
        self.on_device = 0
    def PREFILL(self, tokens, page_table=None, kv_cache=None, prompt_lens=None, empty_slots=NEWER):
        [row] = tokens.tolist()
        assert list(prompt_lens) == [len(row)] and page_table is None
        if len(row) > self.model_args[0].max_prefill_chunk_size:
            raise AssertionError("page_table must be provided for chunked prefill")
        [cache] = kv_cache
        cache[:] = row
        WARMS_UP
        return tensor([[logits_after(cache)]])
    def DECODE(self, tokens, start_pos, page_table=None, kv_cache=None, enable_trace=True,
               read_from_device=True, SAMPLING):
        assert tuple(tokens.shape) == (1, 1) and tuple(start_pos.shape) == (1,)
        assert not enable_trace and read_from_device, "no trace region is set aside"
        [[token]], [position], [cache] = tokens.tolist(), start_pos.tolist(), kv_cache
        assert position == len(cache), "the cache would have a hole"
        cache.append(token)
        BATCH
        RETURN
"""
ON_DEVICE = """\
        if sampling_params is not None:
            assert sampling_params.temperature == 0, "only greedy decoding on device"
            self.on_device += 1
            return tensor([likeliest(cache)])
        return tensor([[logits_after(cache)]])
"""

BATCH = """\
[prompt] = prompt_tokens.tolist()
        assert reset_batch == (position == len(prompt)) and cache[: len(prompt)] == prompt
        assert output_tokens.tolist() == [[token]]"""


def files(naming: str, *, computing: str = COUNTING) -> dict[str, str]:
    """Return path to text of the API.

    Args:
        naming: `text` for the older names, `host` for those without a choice on the device, `plain`
            for the newer ones, `mixed` for a newer decode beside an older prefill; the last two
            take more arguments, give the probabilities beside the tokens, and pad the batch.
        computing: What logits are made by.
    """
    newer = naming in {"plain", "mixed"}
    sampling = "" if naming == "host" else ", sampling_params=None"
    ending = ON_DEVICE if sampling else "        return tensor([[logits_after(cache)]])\n"
    if newer:
        ending = ending.replace("[likeliest(cache)]", "[likeliest(cache), 0]")
        ending = re.sub(r"return (tensor\(.*\))\n", r"return (\1, None)\n", ending)
        sampling += ", reset_batch=False, prompt_tokens=None, output_tokens=None"
    said = {
        "PREFILL": "prefill_forward" if naming == "plain" else "prefill_forward_text",
        "DECODE": "decode_forward" if newer else "decode_forward_text",
        ", SAMPLING": sampling,
        "=NEWER": "=None, warmup_prefill=True, **kwargs" if newer else "=None",
        "WARMS_UP": "assert not warmup_prefill" if newer else "pass",
        "BATCH": BATCH if newer else "pass",
        "        RETURN\n": ending,
    }
    generator = GENERATOR
    for word, text in said.items():
        generator = generator.replace(word, text)
    empty = ("models", "models/tt_transformers", "models/tt_transformers/tt")
    return {
        **{f"{folder}/__init__.py": "" for folder in empty},
        "models/computing.py": computing,
        "models/tt_transformers/tt/generator.py": generator,
        "models/tt_transformers/tt/common.py": COMMON,
        "models/tt_transformers/tt/model_config.py": CONFIG,
        "ttnn/__init__.py": TTNN,
    }
