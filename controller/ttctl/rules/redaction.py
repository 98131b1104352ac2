# SPDX-License-Identifier: Apache-2.0
"""Which part of a text is a password or a token? Pure."""

from __future__ import annotations

import re

_BEFORE_THE_NEXT = r"(?!\s\S{0,20}://)"
"""Not yet at another address of the same line: what stands between two of them stays."""

_CREDENTIALS = (
    # NAME:PASSWORD up to the last @ before the next address: a password may hold blanks ...
    (
        re.compile(
            rf"(://)(?:{_BEFORE_THE_NEXT}[^/@:'\"\n])*:(?:{_BEFORE_THE_NEXT}[^\n])*@(?!sha256:)"
        ),
        r"\1***@",
    ),
    # ... or an @ or a slash of its own, and so may a token without a name ...
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

_LOGIN_FIRST = re.compile(r"\A(?!\S*://)[^/\s:@]+:[^\n]*@(?!sha256:)")
"""How a proxy without a scheme begins: NAME:PASSWORD@."""
_HALF_A_LOGIN = re.compile(r"(://)[^\s/@:\[]+:(?!\d*(?:[/?#]|$))\S*$")
"""NAME:PASS of a password that was cut at a blank: a port has digits alone."""


def redacted(text: str) -> str:
    """Return `text` without the passwords and tokens of the addresses in it.

    For every place that shows a site value. In doubt it hides too much.
    """
    for pattern, instead in _CREDENTIALS:
        text = pattern.sub(instead, text)
    return text


def redacted_value(text: str) -> str:
    """Return one value of a setting without its password, also where it is no address as a whole.

    As `redacted`, and bolder: in a sentence, a colon and an @ behind it are seldom a login.
    """
    return _HALF_A_LOGIN.sub(r"\1***", _LOGIN_FIRST.sub("***@", redacted(text)))
