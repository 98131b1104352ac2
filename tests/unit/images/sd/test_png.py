# SPDX-License-Identifier: Apache-2.0
"""Does another reader of PNG see the pixels that were written, and are equal ones equal bytes?"""

from __future__ import annotations

import random
import struct
import zlib

import pytest

from ttctl_sd.drawing import Pixels
from ttctl_sd.png import png


def read(data: bytes) -> tuple[int, int, bytes]:
    """Read a PNG of eight bits and three colours by the letter of the specification."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, body, width, height = 8, b"", 0, 0
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, inside = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (check,) = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        assert check == zlib.crc32(kind + inside)
        if kind == b"IHDR":
            width, height, *rest = struct.unpack(">2I5B", inside)
            assert rest == [8, 2, 0, 0, 0]
        body += inside if kind == b"IDAT" else b""
        at += 12 + length
    raw, stride = zlib.decompress(body), 3 * width
    above, rows = bytes(stride), []
    for row in range(height):
        start = row * (stride + 1)
        assert raw[start] == 2
        line = raw[start + 1 : start + 1 + stride]
        above = bytes((one + two) % 256 for one, two in zip(line, above, strict=True))
        rows.append(above)
    return width, height, b"".join(rows)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 7), (5, 3), (64, 64)])
def test_the_pixels_are_read_back(width: int, height: int) -> None:
    rgb = random.Random(width * height).randbytes(3 * width * height)  # noqa: S311 - only pixels
    assert read(png(Pixels(width=width, height=height, rgb=rgb))) == (width, height, rgb)


def test_all_differences_of_two_rows_are_read_back() -> None:
    pairs = [(one, two) for one in range(256) for two in range(256)]
    rgb = b"".join(bytes([pair[row]] * 3) for row in (0, 1) for pair in pairs)
    assert read(png(Pixels(width=len(pairs), height=2, rgb=rgb)))[2] == rgb


def test_equal_pixels_are_equal_bytes_and_hold_no_text() -> None:
    one = Pixels(width=8, height=8, rgb=bytes(range(192)))
    assert png(one) == png(Pixels(width=8, height=8, rgb=bytes(range(192))))
    assert b"tEXt" not in png(one)
    assert b"tIME" not in png(one)


@pytest.mark.parametrize("rgb", [b"", b"\x00" * 11])
def test_what_is_no_image_is_not_written(rgb: bytes) -> None:
    with pytest.raises(ValueError, match="are not 2 x 2 pixels"):
        png(Pixels(width=2, height=2, rgb=rgb))
