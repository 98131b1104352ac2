# SPDX-License-Identifier: Apache-2.0
"""Which part of a text is a password or a token? Pure."""

from __future__ import annotations

import re

_CREDENTIALS = (
    # All up to the last @ of an address: a password may hold an @ or a slash of its own ...
    (re.compile(r"(://)\S*@(?!sha256:)"), r"\1***@"),
    # ... and so in a proxy without a scheme. NAME:TAG@sha256:... is an image.
    (re.compile(r"(?:(?<=\s)|^)(?!\S*://)[^/\s:@]+:\S*@(?!sha256:)"), "***@"),
    (
        re.compile(
            r"([?&#;][^=&\s#]*(?:token|key|secret|passw|pwd|sig|auth|credential)[^=&\s#]*=)[^&\s#]+",
            re.IGNORECASE,
        ),
        r"\1***",
    ),
    # A header, as programs print it when they are asked to say more.
    (re.compile(r"(\b(?:Basic|Bearer)\s+)[A-Za-z0-9._~+/-]{6,}=*", re.IGNORECASE), r"\1***"),
    # A hub's token by its own mark. Source: https://huggingface.co/docs/hub/security-tokens
    (re.compile(r"\bhf_[A-Za-z0-9]{8,}"), "hf_***"),
)


def redacted(text: str) -> str:
    """Return `text` without the passwords and tokens of the addresses in it.

    For every place that shows a site value. In doubt it hides too much.
    """
    for pattern, instead in _CREDENTIALS:
        text = pattern.sub(instead, text)
    return text
