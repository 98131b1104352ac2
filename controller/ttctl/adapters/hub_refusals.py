# SPDX-License-Identifier: Apache-2.0
"""Which error of ours is it that the hub's library raised?

The hub's own refusal, one of something in between, or a silence: each is told by what came back.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from huggingface_hub.errors import HfHubHTTPError

from ttctl.adapters import hub_errors
from ttctl.adapters.hub_transport import WebPageError, WrongAnswerError, is_of_hub, is_untrusted

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2
    from huggingface_hub import HfApi

    from ttctl.errors import TtctlError

_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def translated(
    exc: Exception, endpoint: str, *, repository: str, path: str = "", sent: Callable[[], str]
) -> TtctlError:
    """Return our error for one of the library's.

    Args:
        exc: What was raised.
        endpoint: The hub's address, as the site has it.
        repository: What was asked of it.
        path: Which file of that; nothing where none was meant.
        sent: Says who asked; called only where the hub refused.
    """
    response = response_of(exc)
    if response is None:
        return _without_answer(exc, endpoint, path or repository)
    status = response.status_code
    if status in _DENIED | {HTTPStatus.NOT_FOUND} and not is_of_hub(response):
        return hub_errors.between(endpoint, path or repository, status=status)
    if status in _DENIED:
        return hub_errors.refused(endpoint, repository, status=status, sent=sent())
    return hub_errors.of_status(
        endpoint, repository, path=path, status=status, headers=response.headers
    )


def response_of(exc: Exception) -> httpx2.Response | None:
    """Return what was answered, None where nothing was."""
    return exc.response if isinstance(exc, HfHubHTTPError) else None


def check_access(api: HfApi, repository: str) -> None:
    """Find out before anything is built whether a gated repository will let its files go.

    Raises:
        HfHubHTTPError: It will not.
    """
    try:
        api.auth_check(repository)
    except HfHubHTTPError as exc:
        # A mirror need not have this call; the download will tell then.
        if exc.response.status_code in _DENIED:
            raise


def _without_answer(exc: Exception, endpoint: str, what: str) -> TtctlError:
    evidence = f"{what}: {type(exc).__name__}: {exc}."
    if is_untrusted(exc):
        return hub_errors.untrusted(endpoint, evidence)
    if isinstance(exc, WrongAnswerError) and not isinstance(exc, WebPageError):
        return hub_errors.unlike(endpoint, evidence)
    return hub_errors.silent(endpoint, evidence)
