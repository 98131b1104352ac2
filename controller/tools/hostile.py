# SPDX-License-Identifier: Apache-2.0
"""Texts that would mean more than themselves to a shell, to YAML, to systemd or to a template."""

from __future__ import annotations

TEXTS: tuple[str, ...] = (
    "", " ", "'", '"', "`", "\\", "\n", "\t", "\r", "\x00", "\x1b[2J", "\x85", "\xa0", "\u2028",
    "\u2029", "\u202e", "\ufeff", "\ud800", "\udfff", "\U0001f600", "$", "$$", "$$$", "${X}",
    "${HOME}", "$HOME", "${TTCTL_PORT}", "${TTCTL_PORT:?x}", "${X:-y}", "$${X}", "$(reboot)",
    "`reboot`", "!!", "!x", "{{", "}}", "{{ x }}", "{% raw %}", "{# x #}", "#", " #x", "x #y", "%",
    "%%", "%n", "%%n", "%h/x", ";", "; reboot", "&& reboot", "| sh", "> /x", "&", "*", "?", "[a]",
    "~", "~root", "-", "--", "--privileged", "--volume=/:/host", "-v", "- x", "a: b", "key:", "? x",
    "@x", "yes", "no", "null", "~", "1e3", "0x10", "01", "1_000", "2026-01-01", "<<", "&a", "*a",
    "!!python/object:x", "|", ">", "---", "...", "%YAML 1.1", "\\n", "\\x41", "\\\n", "a\\", "\\'",
    "'\"'\"'", '"]', '", "x', "]\n[Service]\nExecStart=/bin/sh", "\nExecStartPre=/bin/sh",
    "\nprivileged: true", "x\nRUN reboot", "FROM x AS y", "\nUSER root", ",readonly=false",
    '",source=/', "=", "a=b", ":", "a:b:rw", "..", "../..", "/", "/dev/tenstorrent", "/dev", "ALL",
    "SYS_ADMIN,ALL", "0:0 --privileged", "é", "e\u0301", "\u0130", "\U000e0001", "x" * 5000,
    "x" * 200_000, "$\n{X}", "$\u2028{X}", "\\u0024{X}", "\\$X", "$'x'", '$"x"', "<(x)", "{a,b}",
)  # fmt: skip
