# SPDX-License-Identifier: Apache-2.0
"""A request that is not computed, in the shape of OpenAI's errors. Pure.

Source: OpenAI's API reference, "Errors": `message`, `type`, `param` and `code` under `error`.
"""

from __future__ import annotations

from typing import Any


class RefusedError(Exception):
    """What the answer holds in place of a result."""

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: int = 400,
        kind: str = "invalid_request_error",
        retry_after_s: int = 0,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Remember what the answer holds.

        Args:
            param: The field that is wrong.
            status: Of the HTTP answer.
            kind: The error's `type`.
            retry_after_s: When to come back; 0 says nothing.
            headers: Further ones of the answer.
        """
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        if retry_after_s:
            self.headers["Retry-After"] = str(retry_after_s)
        self.body: dict[str, Any] = {
            "error": {"message": message, "type": kind, "param": param, "code": code}
        }
