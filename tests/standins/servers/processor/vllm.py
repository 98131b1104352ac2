#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for vLLM on the processor: `vllm serve MODEL`, ready within a second.

A context of more than 65,536 is what it cannot serve, as the real one says it. Of more than
4,096 it takes for ever to be ready, so that a test has an engine that never comes up.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from tests.standins.servers.faults import armed
from tests.standins.servers.http_server import Server
from tests.standins.servers.refusals import say
from tests.standins.servers.serving import Serving

MOST, SLOW = 65536, 4096
REFUSED = "ValueError: User-specified max_model_len ({}) is greater than the derived max_model_len"


def main() -> None:
    """Serve until SIGTERM comes."""
    parser = argparse.ArgumentParser(prog="vllm")
    parser.add_argument("verb", choices=["serve"])
    parser.add_argument("model", type=Path)
    parser.add_argument("--served-model-name", required=True)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--max-model-len", type=int, default=SLOW)
    told, _ = parser.parse_known_args(sys.argv[1:])
    if not any(told.model.glob("*.safetensors")):
        sys.exit(f"the model {told.model} has no weights")
    if told.max_model_len > MOST:
        sys.exit(REFUSED.format(told.max_model_len))
    armed(dict(os.environ))
    serve(told)


def serve(told: argparse.Namespace) -> None:
    """Answer, but say that nothing is ready where it never will be."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    delay_s = float(os.environ.get("STANDIN_DELAY_S", "0"))
    ended.wait(delay_s if told.max_model_len <= SLOW else None)
    serving = Serving(contract="processor", model=told.served_model_name, port=told.port)
    with Server(serving, {"arguments": sys.argv[1:]}) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        server.ready = not ended.is_set()
        say("stand-in: ready")
        ended.wait()
        server.shutdown()


if __name__ == "__main__":
    main()
