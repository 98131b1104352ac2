# SPDX-License-Identifier: Apache-2.0
"""What shall be typed where a service refuses what it was asked to draw? Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ttctl.errors import UsageError

if TYPE_CHECKING:
    from ttctl.model.picture import ImageRequest

_SIZE = re.compile(r"[1-9][0-9]{0,4}x[1-9][0-9]{0,4}")
_MULTIPLE = re.compile(r"multiple of ([0-9]+)")
_AT_MOST = re.compile(r"at most ([0-9]+)")
_FROM_TO = re.compile(r"from ([0-9.]*[0-9]) to ([0-9.]*[0-9])")
_BOUND = re.compile(r"(?:greater|less) than or equal to (-?[0-9.]*[0-9])")
"""How pydantic, with which the media server reads requests, says a limit.

Source: https://docs.pydantic.dev/latest/errors/validation_errors/#greater_than_equal
"""


def field_in(answer: object) -> tuple[str, str]:
    """Return which field a refusal names, and what it says; two empty texts where it names none.

    OpenAI's errors have `param` and `message`, those of FastAPI `detail` with `loc` and `msg`.
    """
    if not isinstance(answer, dict):
        return "", ""
    error = answer.get("error")
    if isinstance(error, dict):
        return _text(error.get("param")), _text(error.get("message"))
    detail = answer.get("detail")
    first = detail[0] if isinstance(detail, list) and detail else None
    if isinstance(first, dict):
        place = first.get("loc")
        return _text(place[-1]) if isinstance(place, list) and place else "", _text(
            first.get("msg")
        )
    return "", ""


def refusal(request: ImageRequest, field: str, message: str) -> UsageError:
    """Return what is said where a service refused one field of `request`."""
    value = _typed(dict(request.body).get(field, ""))
    long = field in {"prompt", "negative_prompt"}
    return UsageError(
        f"The service refused {field!r}.",
        why=message[:400],
        evidence=f"Asked for: {value}." if value and not long else "",
        next_step="ttctl image --help",
        mistyped="" if long else value,
        meant="" if long or not value else nearest(field, value, message),
    )


def nearest(field: str, value: str, message: str) -> str:
    """Return the value next to `value` that `message` allows; nothing where it does not say."""
    if field == "size":
        return _nearest_size(value, message)
    if within := _FROM_TO.search(message):
        low, high = within.groups()
        return low if float(value) < float(low) else high
    bound = _BOUND.search(message)
    return bound[1] if bound else ""


def _nearest_size(value: str, message: str) -> str:
    if known := _SIZE.search(message.replace("'512x512'", "")):
        return known[0]
    multiple, most = _MULTIPLE.search(message), _AT_MOST.search(message)
    if not multiple or not most or not _SIZE.fullmatch(value):
        return "auto"
    step, limit = int(multiple[1]), int(most[1])
    sides = (int(one) for one in value.split("x"))
    return "x".join(str(max(step, min(limit, one) // step * step)) for one in sides)


def _typed(value: Any) -> str:  # noqa: ANN401 - a field's
    return f"{value:g}" if isinstance(value, float) else str(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
