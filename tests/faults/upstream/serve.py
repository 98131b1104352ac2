# SPDX-License-Identifier: Apache-2.0
"""Stand in for an engine that answers many at once; the standard library is all it needs.

Port 8000 answers what the body asks for: a whole answer, a stream of `pieces` events with `pause_s`
between them, or a stream that breaks off in its middle. Port 8001 says what became of each.
"""

from __future__ import annotations

import hashlib
import json
import select
import socket
import struct
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOOK_S = 0.005
RESET = struct.pack("ii", 1, 0)
"""Close without a word: whoever is behind the connection is told of it by a reset."""


class State:
    """What the two ports share."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.answered: Counter[int] = Counter()
        self.running = 0
        self.left: dict[int, float] = {}


STATE = State()


class Handler(BaseHTTPRequestHandler):
    """What both ports have in common."""

    protocol_version = "HTTP/1.1"
    # An event is a packet of its own, as an engine sends it.
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(self, value: object) -> None:
        """Send `value` as JSON, in one piece."""
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Engine(Handler):
    """Do what the body of a request asks for."""

    wbufsize = -1

    def do_GET(self) -> None:
        """Be healthy."""
        self.answer({"reached": self.path})
        self.wfile.flush()

    def do_POST(self) -> None:
        """Answer, count it, and note who left."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(body)
        number = asked["id"]
        with STATE.lock:
            STATE.answered[number] += 1
            STATE.running += 1
        try:
            if asked["model"] == "whole":
                self.answer({"id": number, "sha256": hashlib.sha256(body).hexdigest()})
                self.wfile.flush()
            else:
                self.stream(asked, number)
        finally:
            with STATE.lock:
                STATE.running -= 1

    def stream(self, asked: dict[str, float], number: int) -> None:
        """Send the events; a client that leaves ends them, and `cut` or `reset` does midway."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        pieces = int(asked["pieces"])
        breaks = {"cut", "reset"} & {str(asked["model"])}
        for piece in range(pieces):
            if breaks and piece == pieces // 2:
                self.break_off(reset="reset" in breaks)
                return
            self.send_event(json.dumps({"id": number, "piece": piece}))
            if self.client_leaves(within_s=asked["pause_s"]):
                with STATE.lock:
                    STATE.left[number] = time.monotonic()
                self.close_connection = True
                return
        self.send_event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def send_event(self, text: str) -> None:
        """Send one event, at once."""
        event = f"data: {text}\n\n".encode()
        try:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
            self.wfile.flush()
        except OSError:
            self.close_connection = True

    def break_off(self, *, reset: bool) -> None:
        """End in the middle of an answer."""
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.connection.close()

    def client_leaves(self, *, within_s: float) -> bool:
        """Pause, and look at the connection all the while."""
        end = time.monotonic() + within_s
        while True:
            left = end - time.monotonic()
            wait = max(0.0, min(LOOK_S, left))
            if select.select([self.connection], [], [], wait)[0]:
                try:
                    return self.connection.recv(1, socket.MSG_PEEK) == b""
                except OSError:
                    return True
            if left <= 0:
                return False


class SideChannel(Handler):
    """Let a test ask."""

    def do_GET(self) -> None:
        """Answer the word in the path."""
        with STATE.lock:
            match self.path.strip("/"):
                case "answered":
                    said: object = STATE.answered
                case "running":
                    said = STATE.running
                case "left":
                    said = STATE.left
                case _:
                    STATE.answered.clear()
                    STATE.left.clear()
                    said = "forgotten"
        self.answer(said)


class Server(ThreadingHTTPServer):
    """One thread a connection, and room for many that come at once."""

    daemon_threads = True
    request_queue_size = 1024


if __name__ == "__main__":
    side_channel = Server(("", 8001), SideChannel)
    threading.Thread(target=side_channel.serve_forever, daemon=True).start()
    Server(("", 8000), Engine).serve_forever()
