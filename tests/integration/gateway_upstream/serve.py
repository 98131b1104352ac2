# SPDX-License-Identifier: Apache-2.0
"""Stand in for an engine behind the gateway; the standard library is all it needs.

Port 8000 answers like an engine and remembers what reached it. Port 8001 is the side channel on
which a test says when the next chunk may go, and asks whether a client left.
"""

from __future__ import annotations

import hashlib
import json
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE_S = 20
UNKNOWN_MODEL = {
    "error": {
        "message": "The model `missing` does not exist.",
        "type": "NotFoundError",
        "param": "model",
        "code": 404,
    }
}


class State:
    """What the two ports share."""

    def __init__(self) -> None:
        self.health = 200
        self.seen: list[dict[str, object]] = []
        self.next_chunk = threading.Semaphore(0)
        self.waiting = threading.Semaphore(0)
        self.left = threading.Semaphore(0)


STATE = State()


class Handler(BaseHTTPRequestHandler):
    """What both ports have in common."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(self, status: int, value: object) -> None:
        """Send `value` as JSON."""
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Engine(Handler):
    """Answer every path, so that a test sees what the gateway let through."""

    def do_GET(self) -> None:
        """Answer the health check, and anything else."""
        if self.path == "/health":
            self.answer(STATE.health, {"health": STATE.health})
            return
        self.remember(b"")
        self.answer(200, {"object": "list", "data": [], "reached": self.path})

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self.remember(b"")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        """Do what the `model` of the body asks for."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.remember(body)
        asked = json.loads(body)
        match asked.get("model"):
            case "missing":
                self.answer(404, UNKNOWN_MODEL)
            case "break":
                self.close_connection = True
            case "hang":
                STATE.waiting.release()
                self.wait_until_client_left()
            case "stream":
                self.stream()
            case _:
                self.answer(200, completion(body))

    def remember(self, body: bytes) -> None:
        """Note what came."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        STATE.seen.append(
            {
                "method": self.command,
                "path": self.path,
                "headers": headers,
                "length": len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
            }
        )

    def stream(self) -> None:
        """Send one event for each word on the side channel, until told or left."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        STATE.waiting.release()
        for number in range(5):
            while not STATE.next_chunk.acquire(timeout=0.05):
                if self.client_left():
                    STATE.left.release()
                    self.close_connection = True
                    return
            event = f"data: {number}\n\n".encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
        self.wfile.write(b"0\r\n\r\n")

    def wait_until_client_left(self) -> None:
        """Hold the request, as a long generation does."""
        for _ in range(PATIENCE_S * 20):
            if self.client_left():
                STATE.left.release()
                break
        self.close_connection = True

    def client_left(self) -> bool:
        """Look at the connection for a moment."""
        readable, _, _ = select.select([self.connection], [], [], 0.05)
        if not readable:
            return False
        try:
            return self.connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True


class SideChannel(Handler):
    """Let a test steer and ask."""

    def do_GET(self) -> None:
        """Do the word in the path."""
        word, _, value = self.path.strip("/").partition("/")
        match word:
            case "seen":
                self.answer(200, STATE.seen)
            case "forget":
                STATE.seen.clear()
                self.answer(200, "ok")
            case "health":
                STATE.health = int(value)
                self.answer(200, "ok")
            case "next":
                STATE.next_chunk.release()
                self.answer(200, "ok")
            case "waiting":
                self.answer(200, STATE.waiting.acquire(timeout=PATIENCE_S))
            case "left":
                self.answer(200, STATE.left.acquire(timeout=PATIENCE_S))
            case _:
                self.answer(404, word)


def completion(body: bytes) -> dict[str, object]:
    """Return a chat completion that says what was received."""
    message = {"role": "assistant", "content": hashlib.sha256(body).hexdigest()}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "stand-in",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }


if __name__ == "__main__":
    side_channel = ThreadingHTTPServer(("", 8001), SideChannel)
    threading.Thread(target=side_channel.serve_forever, daemon=True).start()
    ThreadingHTTPServer(("", 8000), Engine).serve_forever()
