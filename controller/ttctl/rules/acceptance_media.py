# SPDX-License-Identifier: Apache-2.0
"""Make a small picture and a small sound, to be shown to a model. Pure, without a library.

Source: https://www.w3.org/TR/png-3/ and the RIFF form of WAVE with PCM samples.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from functools import lru_cache

RATE = 16_000
"""Samples a second, what models of speech take."""
TONE_HZ = 440


@lru_cache(maxsize=4)
def png(width: int, height: int) -> bytes:
    """Return a picture in three colours that run into each other; equal sizes give equal bytes."""
    rows = b"".join(
        b"\0" + bytes(
            value
            for x in range(width)
            for value in (255 * x // width, 255 * y // height, 255 - 255 * x // width)
        )
        for y in range(height)
    )  # fmt: skip
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


@lru_cache(maxsize=4)
def wav(seconds: int) -> bytes:
    """Return a tone that comes and goes, one channel of 16 bits."""
    samples = (
        8000 * math.sin(math.tau * TONE_HZ * at / RATE) * abs(math.sin(math.tau * at / RATE))
        for at in range(seconds * RATE)
    )
    data = b"".join(struct.pack("<h", int(one)) for one in samples)
    head = struct.pack("<IHHIIHH", 16, 1, 1, RATE, RATE * 2, 2, 16)
    body = b"WAVEfmt " + head + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def base64_of(data: bytes) -> str:
    """Return bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
