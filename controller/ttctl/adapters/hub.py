# SPDX-License-Identifier: Apache-2.0
"""Which files does a revision on the model hub have, and how does one of them get here?

The library's own downloader is not used: it sleeps as long as a server's Retry-After says, starts a
file anew after a kill, and hands large files to a second client (hf_xet) that takes proxy and
certificates from the process's environment only, so that a site's mirror would be passed by. The
library says who the user is, where a file is, what an answer means.
"""

from __future__ import annotations

import time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx2
from huggingface_hub import (
    HfApi,
    constants,
    get_session,
    hf_hub_url,
    is_offline_mode,
    set_client_factory,
)
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # public, but not in an __all__
    hf_raise_for_status,
)

from ttctl.adapters import hub_errors
from ttctl.adapters.hub_account import Account
from ttctl.adapters.hub_refusals import check_access, response_of, translated
from ttctl.adapters.hub_snapshot import content_names, locked_by
from ttctl.adapters.hub_transport import (
    TIMEOUT,
    WrongAnswerError,
    client,
    endpoint,
    forget,
    is_untrusted,
    pause_s,
    receive,
    size,
    within,
)
from ttctl.model.site import Sourced
from ttctl.model.spec import Weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from huggingface_hub import ModelInfo

    from ttctl.errors import TtctlError
    from ttctl.model.lock import LockedFile, LockedWeights
    from ttctl.model.site import Site

ANSWER_S = 5.0
"""How long the hub may take to say what a repository holds, name look-up and retries included."""
TRIES = 3
"""How often in a row a request may fail."""
MAX_WAIT_S = 120.0
"""How long all waits for one file may take together; a longer Retry-After is not waited for."""
REVIVED_BYTES = 16 * 1024 * 1024
"""An attempt that brought this much does not count as failed: long downloads survive bad lines."""


class HuggingFace:
    """The hub as this site reaches it, through its mirror, proxy and certificates."""

    def __init__(
        self, site: Site, *, pause: Callable[[float], None] = time.sleep, answer_s: float = ANSWER_S
    ) -> None:
        """Prepare; nothing is asked yet. `pause` waits for a number of seconds."""
        address = site.hub_endpoint or Sourced(value=constants.ENDPOINT, source="HF_ENDPOINT")
        self._endpoint = endpoint(address.value, address.source)
        self._account = Account(site.token_file)
        self._pause = pause
        self._answer_s = answer_s
        set_client_factory(partial(client, site))
        # Else the library asks the public hub, mirror or not, for a list by which it names the
        # program that called, and sends that along.
        # Source: huggingface_hub 2.4, utils/_detect_agent.py
        constants.HF_HUB_DISABLE_TELEMETRY = True

    def snapshot(self, weights: Weights) -> LockedWeights:
        """Return the commit that a revision (or `main`) means, and the files that serving needs.

        Raises:
            OfflineError: The hub did not answer in time.
            PrivilegeError: It does not let this user read the repository.
            BadFileError: It has no such repository or revision, or nothing in it can be served.
        """
        self._refuse_when_offline()
        return locked_by(weights, self._asked(weights))

    def bring(
        self, locked: LockedWeights, file: LockedFile, target: Path, on_bytes: Callable[[int], None]
    ) -> str:
        """Bring one file to `target`, from where an earlier attempt left off.

        Args:
            locked: Names the repository and the commit.
            file: What to bring; its size is checked here, its hash is the caller's to check.
            target: Where the bytes go.
            on_bytes: Gets every change of the number of bytes that are here; may raise to stop.

        Returns:
            The hub's own name for the content: a git blob id, a SHA-256, or nothing.

        Raises:
            OfflineError: The hub did not deliver within a few tries.
            PrivilegeError: It does not let this user read the file.
            BadFileError: It has no such file.
        """
        self._refuse_when_offline()
        on_bytes(size(target))
        failures, waited_s = 0, 0.0
        while True:
            before = size(target)
            try:
                return self._stream(locked, file, target, on_bytes)
            except (httpx2.HTTPError, WrongAnswerError) as exc:
                failures = 0 if size(target) - before >= REVIVED_BYTES else failures + 1
                wait_s = None if is_untrusted(exc) else pause_s(response_of(exc), failures)
                if wait_s is None or failures >= TRIES or waited_s + wait_s > MAX_WAIT_S:
                    raise self._translated(exc, locked.repository, file.path) from exc
                waited_s += wait_s
                self._idle(wait_s, on_bytes)

    def content_ids(self, locked: LockedWeights) -> dict[str, str]:
        """Return the hub's names for the contents of a commit's files, by path.

        Raises:
            TtctlError: As `snapshot`.
        """
        self._refuse_when_offline()
        weights = Weights(
            kind="hub", repository=locked.repository, revision=locked.revision,
            original=locked.original,
        )  # fmt: skip
        return content_names(self._asked(weights))

    def _api(self) -> HfApi:
        token = self._account.token or False
        return HfApi(endpoint=self._endpoint, library_name="ttctl", token=token)

    def _asked(self, weights: Weights) -> ModelInfo:
        try:
            return within(self._answer_s, partial(self._info, weights))
        except TimeoutError as exc:
            raise self._silent(f"No answer within {self._answer_s:g} s.") from exc

    def _info(self, weights: Weights) -> ModelInfo:
        api = self._api()
        failures = 0
        while True:
            try:
                info = api.model_info(
                    weights.repository, revision=weights.revision or None, files_metadata=True,
                    timeout=self._answer_s,
                )  # fmt: skip
                if info.gated:
                    check_access(api, weights.repository)
                locked_by(weights, info)
            except httpx2.HTTPError as exc:
                failures += 1
                response = response_of(exc)
                wait_s = pause_s(response, failures) if response is not None else None
                if wait_s is None or wait_s > self._answer_s or failures >= TRIES:
                    raise self._translated(exc, weights.repository) from exc
                self._pause(wait_s)
            except (ValueError, TypeError, KeyError) as exc:
                raise self._silent(f"The answer is not a hub's: {type(exc).__name__}.") from exc
            else:
                return info

    def _stream(
        self, locked: LockedWeights, file: LockedFile, target: Path, on_bytes: Callable[[int], None]
    ) -> str:
        start = size(target)
        if start == file.size_bytes and file.sha256:
            return ""
        url = hf_hub_url(
            locked.repository, file.path, revision=locked.revision, endpoint=self._endpoint
        )
        headers = self._account.headers() | {"Accept-Encoding": "identity"}
        if 0 < start < file.size_bytes:
            headers["Range"] = f"bytes={start}-"
        with get_session().stream("GET", url, headers=headers, timeout=TIMEOUT) as response:
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                forget(target, on_bytes)
            hf_raise_for_status(response)
            return receive(response, file, target, on_bytes, commit=locked.revision)

    def _idle(self, seconds: float, on_bytes: Callable[[int], None]) -> None:
        """Wait in short naps, so that a caller who stops is heard through `on_bytes`."""
        while seconds > 0:
            on_bytes(0)
            self._pause(min(seconds, 1.0))
            seconds -= 1.0

    def _refuse_when_offline(self) -> None:
        if is_offline_mode():
            raise hub_errors.forbidden_here()

    def _translated(self, exc: Exception, repository: str, path: str = "") -> TtctlError:
        return translated(
            exc, self._endpoint, repository=repository, path=path,
            sent=lambda: self._account.sent(self._api()),
        )  # fmt: skip

    def _silent(self, evidence: str) -> TtctlError:
        return hub_errors.silent(self._endpoint, evidence)
