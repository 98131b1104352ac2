# SPDX-License-Identifier: Apache-2.0
"""What do quadlet's units say of a container, and what the command that the generator makes of one?

Source: https://www.freedesktop.org/software/systemd/man/latest/systemd.syntax.html and
systemd.service.html, "Command lines".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.said_run import of_options, parted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.said import Said

Unit = dict[str, list[tuple[str, str]]]
FLAGS = {
    "Image": "", "Exec": "", "Pull": "", "LogDriver": "", "Notify": "", "ReadOnlyTmpfs": "",
    "User": "", "Group": "", "ReadOnly": "", "RunInit": "", "NoNewPrivileges": "",
    "ContainerName": "--name", "Network": "--network", "NetworkAlias": "--network-alias",
    "PublishPort": "--publish", "DropCapability": "--cap-drop", "AddCapability": "--cap-add",
    "GroupAdd": "--group-add", "Ulimit": "--ulimit", "StopTimeout": "--stop-timeout",
    "PidsLimit": "--pids-limit", "ShmSize": "--shm-size", "HealthCmd": "--health-cmd",
    "HealthInterval": "--health-interval", "HealthTimeout": "--health-timeout",
    "HealthRetries": "--health-retries", "HealthStartPeriod": "--health-start-period",
    "Tmpfs": "--tmpfs", "Volume": "-v", "AddDevice": "--device", "Environment": "--env",
    "Label": "--label", "Entrypoint": "--entrypoint", "PodmanArgs": "",
}  # fmt: skip
"""Key to the option that it becomes; empty for what is read on its own."""
SPLIT = frozenset({"Environment", "Label", "PodmanArgs", "Exec"})
"""Keys that hold several words."""
_ESCAPE = re.compile(
    r"\\(?:([abfnrtvs\\\"'])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))"
)
_NAMED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}
_DOLLAR = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)\})")


def unit(text: str) -> Unit:
    """Read a unit file: section to its keys and values in order.

    Raises:
        ValueError: A line is none, a section comes twice, or a line is continued.
    """
    found: Unit = {}
    lines: list[tuple[str, str]] | None = None
    for line in text.split("\n"):
        if not line or line[0] in "#;":
            continue
        key, equals, value = line.partition("=")
        if line.startswith("[") and line.endswith("]") and line[1:-1] not in found:
            lines = found.setdefault(line[1:-1], [])
        elif equals and key.isalpha() and lines is not None and not line.endswith("\\"):
            lines.append((key, value.lstrip()))
        else:
            raise ValueError(line)
    return found


def words(text: str) -> list[str]:
    """Split a value into words as systemd does; a word without letters ends quadlet's reading."""
    found: list[str] = []
    place = 0
    while place < len(text):
        if text[place] in " \t":
            place += 1
            continue
        word, place = _word(text, place)
        if not word:
            break
        found.append(word)
    return found


def _word(text: str, place: int) -> tuple[str, int]:
    word, quote = "", ""
    while place < len(text):
        char = text[place]
        if char == "\\":
            match = _ESCAPE.match(text, place)
            if match is None:
                raise ValueError(text)
            word += _unescaped(match)
            place = match.end()
            continue
        place += 1
        if quote and char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        elif not quote and char in " \t":
            break
        else:
            word += char
    if quote:
        raise ValueError(text)
    return word, place


def _unescaped(match: re.Match[str]) -> str:
    named, *numbers = match.groups()
    if named:
        return _NAMED.get(named, named)
    return chr(int(next(one for one in numbers if one), 16))


def expanded(text: str, values: Mapping[str, str]) -> str:
    """Fill in what systemd fills in: `%%` is a percent, `$$` a dollar, `${NAME}` a variable.

    Raises:
        ValueError: There is another specifier, or a dollar that begins nothing.
    """
    plain = text.replace("%%", "")
    if "%" in plain or "$" in _DOLLAR.sub("", text):
        raise ValueError(text)
    return _DOLLAR.sub(
        lambda match: "$" if match[1] else values.get(match[2], ""), text.replace("%%", "%")
    )


def said_by_unit(text: str, values: Mapping[str, str]) -> Said:
    """Read a `.container` file by its keys."""
    whole = unit(text)
    options: dict[str, list[str]] = {}
    alone: dict[str, str] = {}
    command: list[str] = []
    for key, raw in whole["Container"]:
        flag = FLAGS[key]
        split = words(raw) if key in SPLIT else [raw]
        given = [expanded(one, values) for one in split]
        if key == "Exec":
            command = given
        elif key == "PodmanArgs":
            for name, found in parted([*given, "end"])[0].items():
                options.setdefault(name, []).extend(found)
        elif flag:
            options.setdefault(flag, []).extend(given)
        else:
            (alone[key],) = given
    options["--network"] = [one.removesuffix(".network") for one in options["--network"]]
    options["--user"] = [f"{alone['User']}:{alone['Group']}"]
    for key, name in (("ReadOnly", "--read-only"), ("RunInit", "--init")):
        options[name] = ["" if alone[key] == "true" else "false"]
    options["--security-opt"] = ["no-new-privileges"] * (alone["NoNewPrivileges"] == "true")
    options["--restart"] = _restart(whole)
    return of_options(options, [alone["Image"], *command], values, podman=True)


def said_by_generator(text: str, values: Mapping[str, str]) -> Said:
    """Read the service that podman's generator made, by the command that systemd would run."""
    whole = unit(text)
    (line,) = [value for key, value in whole["Service"] if key == "ExecStart"]
    split = words(line)
    if ";" in split:
        raise ValueError(line)
    # The generator's own specifiers are the place of a container's id.
    known = [one for one in split[2:] if one != "--cidfile=%t/%N.cid"]
    options, rest = parted([expanded(one, values) for one in known])
    options["--restart"] = _restart(whole)
    return of_options(options, rest, values, podman=True)


def _restart(whole: Unit) -> list[str]:
    (restart,) = [value for key, value in whole["Service"] if key == "Restart"]
    return ["unless-stopped" if restart == "always" else "no"]
