# SPDX-License-Identifier: Apache-2.0
"""Load the model once, then serve it until the stop: `python -m ttctl_direct --weights ...`."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

# Behind what tt-metal's own environment has: what its tree pins wins.
sys.path.append(str(Path(__file__).parents[1] / "lib"))

from ttctl_direct.arguments import Arguments, arguments_of
from ttctl_direct.generator_api import NoGeneratorError, check
from ttctl_direct.service import Service
from ttctl_direct.wire import Wire
from ttctl_serving.key import read_key
from ttctl_serving.log import QUIET, hold_libraries, log
from ttctl_serving.server import Server, config_of

if TYPE_CHECKING:
    from ttctl_direct.backend import Backend, Words

FINISH_S = 60
"""Seconds after a stop in which an answer may end by itself; the container's grace is longer."""


def main() -> None:
    """Become the server."""
    if sys.argv[1:] == ["--ttctl-check"]:
        _check()
        return
    arguments = arguments_of()
    hold_libraries()
    os.environ.update(QUIET)
    key = read_key()
    # A stop while the model loads closes the card, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.monotonic()
    words, backend = _loaded(arguments)
    log("loaded", model=arguments.name, seconds=round(time.monotonic() - started, 1))
    try:
        service = Service(backend, words, model=arguments.name, places=arguments.places)
        _serve(service, Wire(service, context=backend.context), key, arguments)
    finally:
        backend.close()
    log("stopped")


def _serve(service: Service, wire: Wire, key: bytes, arguments: Arguments) -> None:
    """Serve until the stop: the server has a thread of its own, the model keeps the one it has."""
    door = wire.door(key)
    config = config_of(door, host=arguments.host, port=arguments.port, finish_s=FINISH_S)
    server = Server(config, at_stop=service.stop, at_last=service.line.interrupt)
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, server.handle_exit)

    def listen() -> None:
        try:
            server.run()
        finally:
            service.stop()

    listener = threading.Thread(target=listen, name="server")
    listener.start()
    service.line.work()
    server.should_exit = True
    listener.join()
    if not server.started:
        sys.exit(f"ttctl: error: port {arguments.port} cannot be listened on")


def _loaded(arguments: Arguments) -> tuple[Words, Backend]:
    """Load what computes, and make it ready for a first answer."""
    words: Words = import_module("ttctl_direct.words").HubWords(arguments.weights)
    if arguments.backend == "cpu":
        processor = import_module("ttctl_direct.processor")
        return words, processor.Processor(arguments.weights, context=arguments.context)
    tensors = import_module("ttctl_direct.tensors").Torch()
    tenstorrent = import_module("ttctl_direct.tenstorrent")
    card = tenstorrent.load(arguments.weights, context=arguments.context, tensors=tensors)
    try:
        card.warm_up(words.tokens_of([("user", "Hello")]))
    except BaseException:
        card.close()
        raise
    log("warmed up", samples_on="device" if card.samples_on_device else "host")
    return words, card


def _check() -> None:
    """Say how this tt-metal names its steps, or end."""
    try:
        prefill, decode = check()
    except NoGeneratorError as missing:
        sys.exit(f"ttctl: error: this tt-metal has no Generator API that direct knows: {missing}")
    print(f"generator: {prefill} {decode}")


if __name__ == "__main__":
    main()
