# SPDX-License-Identifier: Apache-2.0
"""The arguments that a vLLM of one pin knows; what it does not know ends it, as argparse does."""

from __future__ import annotations

import argparse

KNOWN = (
    "model", "host", "port", "served_model_name", "block_size", "max_model_len", "max_num_seqs",
    "max_num_batched_tokens", "max_log_len", "seed", "data_parallel_size",
    "default_chat_template_kwargs", "limit_mm_per_prompt", "mm_processor_cache_gb",
    "mm_processor_kwargs", "num_scheduler_steps", "override_generation_config", "reasoning_parser",
    "tool_call_parser", "chat_template", "api_key", "hf_overrides", "tokenizer",
)  # fmt: skip
SWITCHES = (
    "enable_auto_tool_choice",
    "disable_mm_preprocessor_cache",
    "enforce_eager",
    "trust_remote_code",
)


def engine_arguments(words: list[str], *, tt_option: str) -> dict[str, str]:
    """Return what vLLM was told, by the names of its options with underscores.

    Args:
        words: Arguments as on a command line.
        tt_option: The one spelling of the Tenstorrent options that this pin knows.
    """
    parser = argparse.ArgumentParser(prog="api_server.py", allow_abbrev=False)
    for name in (*KNOWN, tt_option):
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name)
    for name in SWITCHES:
        # The legacy exports say them with a value too.
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, nargs="?", const="true")
    found = vars(parser.parse_args([_dashed(word) for word in words]))
    return {name: value for name, value in found.items() if value is not None}


def words_of(arguments: dict[str, object]) -> list[str]:
    """Return a spec's `vllm_args` as a command line: true is a bare flag, false and null none."""
    words: list[str] = []
    for name, value in arguments.items():
        if value is not None and value is not False:
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return words


def _dashed(word: str) -> str:
    if not word.startswith("--"):
        return word
    name, sign, value = word.partition("=")
    return f"{name.replace('_', '-')}{sign}{value}"
