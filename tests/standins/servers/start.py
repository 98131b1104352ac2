# SPDX-License-Identifier: Apache-2.0
"""Starts a stand-in: reads, refuses, checks all that it must reach, serves, stops cleanly."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from tests.standins.servers import media, media_cpp, own, vllm_current, vllm_legacy
from tests.standins.servers.device_nodes import opened
from tests.standins.servers.faults import armed
from tests.standins.servers.http_server import Server
from tests.standins.servers.places import tried
from tests.standins.servers.refusals import RefusedError, say
from tests.standins.servers.seen import seen

if TYPE_CHECKING:
    from tests.standins.servers.serving import Serving

CLEAN_STOP = "stand-in: clean stop"
READY = "stand-in: ready"


def main(contract: str) -> None:
    """Be the server of a contract until SIGTERM comes."""
    words, environ = sys.argv[1:], dict(os.environ)
    armed(environ)
    try:
        serving = _read(contract, words, environ)
        report = checked(serving)
    except RefusedError as exc:
        say(f"stand-in refuses: {exc}")
        raise SystemExit(1) from None
    _serve(serving, report, environ)


def _read(contract: str, words: list[str], environ: dict[str, str]) -> Serving:
    match contract:
        case "vllm-legacy":
            return vllm_legacy.read(words, environ)
        case "vllm-current":
            return vllm_current.read(words, environ)
        case "media-cpp":
            return media_cpp.read(environ)
        case "own":
            return own.read(words, environ)
    return media.read(contract, environ)


def checked(serving: Serving) -> dict[str, Any]:
    """Return the report of everything that was tried.

    Raises:
        RefusedError: A path that the server cannot do without is not as it must be.
    """
    places = [tried(place) for place in serving.places]
    vital = [one.error for one in places if one.error and one.place.vital]
    if vital:
        raise RefusedError("; ".join(vital))
    nodes = opened()
    for node in nodes:
        say(f"stand-in: {node['path']} {'opened' if node['own'] else node['error']}")
    return {
        "contract": serving.contract,
        "model": serving.model,
        "arguments": serving.arguments,
        "auth": bool(serving.key),
        "nodes": nodes,
        "places": [one.as_json() for one in places],
        **seen(),
    }


def _serve(serving: Serving, report: dict[str, Any], environ: dict[str, str]) -> None:
    stopped = threading.Event()
    if not environ.get("STANDIN_DEAF"):
        signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    else:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    delay_s = float(environ.get("STANDIN_DELAY_S", "0"))
    if not serving.listens_early:
        stopped.wait(delay_s)
    with Server(serving, report) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        if serving.listens_early:
            stopped.wait(delay_s)
        server.ready = not stopped.is_set()
        say(READY)
        stopped.wait()
        time.sleep(float(environ.get("STANDIN_STOP_S", "0")))
        server.shutdown()
    say(CLEAN_STOP)
