# SPDX-License-Identifier: Apache-2.0
"""As whom is the model hub asked? The token goes into a header to the hub and nowhere else."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
from huggingface_hub import constants, get_token
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # public

from ttctl.adapters.hub_transport import within
from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

    from ttctl.model.site import Sourced

NAMED_S = 2.0
"""How long the hub may take to say whose token it is: it is only told besides."""


class Account:
    """The token that is sent, if any: of a file that was named, of a variable, of the login."""

    def __init__(self, token_file: Sourced | None) -> None:
        """Nothing is read yet."""
        self._file = token_file

    @property
    def token(self) -> str | None:
        """The token, None for none.

        Raises:
            BadFileError: The file that was named holds none.
        """
        if self._file is None:
            return get_token()
        try:
            token = Path(self._file.value).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as exc:
            raise _unusable(self._file, getattr(exc, "strerror", "") or "no text") from exc
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise _unusable(self._file, "no token of one word")
        return token

    def headers(self) -> dict[str, str]:
        """Return the headers of a request to the hub itself."""
        # False sends none: the library would look for one by itself.
        return build_hf_headers(library_name="ttctl", token=self.token or False)

    def sent(self, api: HfApi) -> str:
        """Say which token was sent and of which account, or that there is none."""
        where = self._where()
        if not self.token:
            return f"there is no token in {where}"
        name = _name(api)
        return f"the token in {where} was sent{f', of the account {name!r}' if name else ''}"

    def _where(self) -> str:
        if self._file is not None:
            return f"{self._file.value} ({self._file.source})"
        if os.environ.get("HF_TOKEN"):
            return "HF_TOKEN"
        return constants.HF_TOKEN_PATH if get_token() else f"HF_TOKEN or {constants.HF_TOKEN_PATH}"


def _name(api: HfApi) -> str:
    """Return the account's name; a mirror need not know it."""
    try:
        return str(within(NAMED_S, partial(api.whoami, cache=False)).get("name", ""))
    except (httpx2.HTTPError, OSError, TimeoutError, ValueError, AttributeError):
        return ""


def _unusable(file: Sourced, found: str) -> BadFileError:
    return BadFileError(
        f"The token file {file.value!r} cannot be used.",
        why=f"{file.source} names it for the model hub.",
        evidence=f"Expected a file with one token; found: {found}.",
        next_step=f"ls -l {file.value}",
    )
