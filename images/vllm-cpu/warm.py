# SPDX-License-Identifier: Apache-2.0
"""Import what a start imports, so that its bytecode is in the image: the container's root is read-only."""
import vllm.entrypoints.openai.api_server
import vllm.entrypoints.cli.main
import vllm.v1.engine.async_llm
import vllm.v1.engine.core
import vllm.v1.worker.cpu_worker
import vllm.v1.worker.cpu_model_runner
import vllm.model_executor.models.llama
