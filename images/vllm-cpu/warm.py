# SPDX-License-Identifier: Apache-2.0
"""Import what a start imports, so that its bytecode is in the image: the root is read-only."""

from importlib import import_module

for name in (
    "vllm.entrypoints.cli.main",
    "vllm.entrypoints.openai.api_server",
    "vllm.model_executor.models.llama",
    "vllm.model_executor.models.qwen2",
    "vllm.v1.engine.async_llm",
    "vllm.v1.engine.core",
    "vllm.v1.worker.cpu_model_runner",
    "vllm.v1.worker.cpu_worker",
):
    import_module(name)
