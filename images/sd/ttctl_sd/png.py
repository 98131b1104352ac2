# SPDX-License-Identifier: Apache-2.0
"""How are pixels written as PNG, so that equal pixels are equal bytes? Pure.

One filter for all rows, one level, no text and no time. Equal bytes hold for one build of zlib:
another may choose other matches.

Source: PNG (W3C Recommendation, third edition), sections 5, 9.2 and 11.2.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttctl_sd.drawing import Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
EIGHT_BITS, TRUECOLOUR = 8, 2
UP = b"\x02"
"""The filter that stores each byte less the one above it."""
LEVEL = 6


def png(pixels: Pixels) -> bytes:
    """Return an image as a PNG file."""
    stride = 3 * pixels.width
    if len(pixels.rgb) != stride * pixels.height or not pixels.rgb:
        raise ValueError(f"{len(pixels.rgb)} bytes are not {pixels.width} x {pixels.height} pixels")
    rows = _less_the_row_above(pixels.rgb, stride)
    filtered = b"".join(UP + rows[at : at + stride] for at in range(0, len(rows), stride))
    header = struct.pack(">2I5B", pixels.width, pixels.height, EIGHT_BITS, TRUECOLOUR, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered, LEVEL)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _less_the_row_above(rgb: bytes, stride: int) -> bytes:
    """Subtract byte by byte modulo 256, all at once: as one number of 8-bit lanes."""
    size = len(rgb)
    low, high = (int.from_bytes(byte * size, "big") for byte in (b"\x7f", b"\x80"))
    here = int.from_bytes(rgb, "big")
    above = int.from_bytes(bytes(stride) + rgb[: size - stride], "big")
    # The top bit of each lane is set before and put right after, so that no lane borrows.
    lanes = ((here | high) - (above & low)) ^ ((here ^ above ^ high) & high)
    return lanes.to_bytes(size, "big")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
