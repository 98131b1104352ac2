# SPDX-License-Identifier: Apache-2.0
"""Which of the engine's own flags may a user add behind `--`? Pure.

An allow-list: what is not in it is refused, with the reason where one is known. Every flag but
our own stands as `vllm serve --help=all` of vLLM 0.32.0 spells it.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

from ttctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.spec import Request

Kind = Literal["bare", "whole", "number", "word", "size", "object"]

_KINDS: dict[Kind, tuple[str, ...]] = {
    "bare": (
        "async-scheduling", "disable-cascade-attn", "disable-chunked-mm-input", "disable-log-stats",
        "disable-sliding-window", "disable-uvicorn-access-log", "enable-auto-tool-choice",
        "enable-chunked-prefill", "enable-force-include-usage", "enable-prefix-caching",
        "enable-prompt-tokens-details", "enable-request-id-headers", "enable-server-load-tracking",
        "enforce-eager", "language-model-only", "no-async-scheduling", "no-enable-chunked-prefill",
        "no-enable-prefix-caching", "no-enforce-eager", "return-tokens-as-token-ids",
    ),
    "whole": (
        "block-size", "long-prefill-token-threshold", "max-log-len", "max-logprobs",
        "max-model-len", "max-num-batched-tokens", "max-num-queued-reqs", "max-num-queued-tokens",
        "max-num-seqs", "num-gpu-blocks-override", "seed", "stream-interval",
    ),
    "number": ("cpu-offload-gb", "gpu-memory-utilization", "watermark"),
    "word": (
        "attention-backend", "chat-template-content-format", "dtype", "generation-config",
        "kv-cache-dtype", "logprobs-mode", "prefix-caching-hash-algo", "quantization",
        "reasoning-parser", "response-role", "scheduling-policy", "tokenizer-mode",
        "tool-call-parser", "uvicorn-log-level",
    ),
    "size": ("kv-cache-memory-bytes",),
    "object": ("default-chat-template-kwargs", "limit-mm-per-prompt", "override-generation-config"),
}  # fmt: skip

OURS: dict[str, Kind] = {"trace-region-size": "whole"}
"""A Tenstorrent option that vLLM takes inside of another flag, where rules/trace_region puts it."""

ALLOWED: dict[str, Kind] = OURS | {name: kind for kind, names in _KINDS.items() for name in names}
"""Flag to what stands behind it."""

_SORTED = tuple(sorted(ALLOWED))

LIMITS = ("max-model-len", "max-num-seqs", "block-size")
"""Flags that are options of ours too: they mean the same in both places."""

_SHAPES: dict[Kind, tuple[str, str]] = {
    "whole": (r"\d{1,12}", "a whole number"),
    "number": (r"\d{1,9}(\.\d{1,9})?", "a number"),
    "word": (r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}", "one word, no path"),
    "size": (r"\d{1,15}([kKmMgGtT](i?B?)?)?", "a number of bytes such as 512M"),
}

_DOOR = "The gateway is the one door: it has the port, the keys, the paths and the limits."
_WEIGHTS = "Which model is served, and its exact files, stand in the catalog and in the lock."
_CODE = "It loads code that is not in the image."
_OUTSIDE = "It reads files or addresses that the container does not have."
_LAYOUT = "How a model is laid over chips and processes is part of what was validated."
_PRIVATE = "It writes what people ask and what they are answered into the log."
_TELLING = "It sends figures to another host; ttctl sends nothing, and lets no engine send."

REFUSED: tuple[tuple[str, str], ...] = (
    (r"host|port|uds|root-path|ssl-.*|enable-ssl-.*|grpc.*|headless|api-server-count", _DOOR),
    (r"api-key|allowed-(origins|methods|headers)|allow-credentials|disable-fastapi-docs", _DOOR),
    (r"enable-offline-docs|h11-.*", _DOOR),
    (r"model|served-model-name|revision|tokenizer|tokenizer-revision|code-revision", _WEIGHTS),
    (r"hf-.*|download-dir|load-format|config-format|model-loader-extra-config", _WEIGHTS),
    (r"trust-.*|.*-plugin|.*-cls|middleware|logits-processors|model-class-overrides", _CODE),
    (r"compilation-config|additional-config|model-impl|tool-server", _CODE),
    (r"config|logging-config|log-config-file|chat-template|lora-modules|allowed-.*", _OUTSIDE),
    (r"default-mm-loras|speculative-config|kv-transfer-config|ec-.*", _OUTSIDE),
    (r".*-parallel-.*|distributed-.*|master-.*|nnodes|node-rank|device-ids|numa-.*", _LAYOUT),
    (r"enable-log-requests|enable-log-outputs|enable-log-deltas", _PRIVATE),
    (r"otlp-.*|collect-detailed-traces", _TELLING),
)  # fmt: skip
"""(pattern of flags, why)."""

_NEXT = "ttctl up --help"


def parse(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return (name, value) of each flag in `words`, as typed behind `--`.

    `--flag value`, `--flag=value` and underscores are understood; a later flag wins.

    Raises:
        UsageError: A flag is not on the list, or its value is not of its kind.
    """
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, has_value, value = _name(word)
        kind = _kind(name, word)
        if kind != "bare" and not has_value:
            if not rest:
                raise _off(name, kind, "")
            value = rest.pop(0)
        _check(name, kind, value)
        found.pop(name, None)
        found[name] = value
    return tuple(found.items())


def with_engine_words(request: Request, words: Sequence[str]) -> Request:
    """Return `request` with what stands behind `--`; limits become the request's own.

    Raises:
        UsageError: A flag is refused, or a limit was also given as an option, and differs.
    """
    if not words:
        return request
    flags = dict(parse(words))
    limits: dict[str, Any] = {
        name.replace("-", "_"): int(flags.pop(name)) for name in LIMITS if name in flags
    }
    for name, value in limits.items():
        if getattr(request, name) not in {None, value}:
            flag = "--" + name.replace("_", "-")
            raise UsageError(
                f"{flag} was given twice, and differs.",
                why="It is an option of ttctl and a flag of the engine, and means the same.",
                evidence=f"Before `--`: {getattr(request, name)}; behind it: {value}.",
                next_step=_NEXT,
            )
    engine_args = tuple(flags.items()) if flags else request.engine_args
    return replace(request, engine_args=engine_args, **limits)


def merged(
    ours: tuple[tuple[str, str], ...], theirs: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Return the catalog's flags with the user's: theirs win, and `--no-x` takes `--x` away.

    A flag is the same with `-` and with `_`, and keeps the catalog's spelling: none is given twice.
    """
    spelling = {_dashed(name): name for name, _ in ours}
    given = {spelling.get(_dashed(name), name): value for name, value in theirs}
    gone = {one for name in given for one in (_dashed(name), _opposite(_dashed(name)))}
    kept = [(name, value) for name, value in ours if _dashed(name) not in gone]
    return (*kept, *given.items())


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _opposite(name: str) -> str:
    return name.removeprefix("no-") if name.startswith("no-") else f"no-{name}"


def _name(word: str) -> tuple[str, bool, str]:
    if not re.fullmatch(r"--[A-Za-z].*", word, re.DOTALL):
        raise UsageError(
            f"{word!r} is no flag of the engine.",
            why="Behind `--` stand the engine's own long flags, each with its value.",
            evidence="For example: -- --max-num-seqs 8",
            next_step=_NEXT,
        )
    name, has_value, value = word[2:].partition("=")
    return _dashed(name).lower(), bool(has_value), value


def _kind(name: str, word: str) -> Kind:
    if name in ALLOWED:
        return ALLOWED[name]
    typed = word.partition("=")[0]
    why = next((why for pattern, why in REFUSED if re.fullmatch(pattern, name)), "")
    near = [] if why else get_close_matches(name, ALLOWED, n=1, cutoff=0.8)
    raise UsageError(
        f"The engine's flag {typed!r} cannot be added.",
        why=why or "It is not among the flags that were looked at and found harmless.",
        evidence=f"{f'Nearest: --{near[0]}. ' if near else ''}Allowed: {', '.join(_SORTED)}.",
        next_step=_NEXT,
        mistyped=typed,
        meant=f"--{near[0]}" if near else "",
    )


def _check(name: str, kind: Kind, value: str) -> None:
    match kind:
        case "bare":
            fits = not value
        case "object":
            fits = _is_object(value)
        case _:
            fits = re.fullmatch(_SHAPES[kind][0], value) is not None
    if not fits:
        raise _off(name, kind, value)


def _is_object(value: str) -> bool:
    try:
        return value.isprintable() and isinstance(json.loads(value), dict)
    except ValueError:
        return False


def _off(name: str, kind: Kind, value: str) -> UsageError:
    wanted = {"bare": "nothing", "object": "a JSON object"}
    expected = wanted.get(kind) or _SHAPES[kind][1]
    return UsageError(
        f"--{name} takes {expected}.",
        why="The engine would refuse the value, or read more into it than was meant.",
        evidence=f"Found: {value!r}." if value else "Found: nothing behind it.",
        next_step=_NEXT,
    )
