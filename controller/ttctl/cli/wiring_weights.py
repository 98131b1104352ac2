# SPDX-License-Identifier: Apache-2.0
"""Wires what has to do with weights: the cache, the hub, what other tools and the user have."""
# ruff: noqa: PLC0415 - an adapter is loaded when its part of the world is first asked for

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters import places
from ttctl.cli.wiring_machine import WiredMachine

if TYPE_CHECKING:
    from ttctl.adapters.hub_share import HubShare
    from ttctl.adapters.settings import Settings
    from ttctl.adapters.weights import Hub
    from ttctl.adapters.weights_elsewhere import Elsewhere
    from ttctl.model.site import Site
    from ttctl.model.weights import WeightsCache, WeightsStore


class WiredWeights(WiredMachine):
    """The weights of one user."""

    def __init__(
        self, settings: Settings, *, snapshot: Path | None, models_dir: str, token_file: str
    ) -> None:
        """Nothing is read or asked yet; two flags as they were given, empty where they were not."""
        super().__init__(settings, snapshot=snapshot)
        self._models_dir = str(Path(models_dir).absolute()) if models_dir else ""
        self._token_file = str(Path(token_file).absolute()) if token_file else ""

    @cached_property
    def weights(self) -> WeightsStore:
        """The cache of weights, and the hub behind it."""
        from ttctl.adapters.weights import LocalWeights

        return LocalWeights(
            cache=self.cache / "weights",
            bundled=lambda name: places.shipped() / "images" / name / "model",
            hub=_hub,
            elsewhere=self._elsewhere,
            share=self._share,
        )

    @cached_property
    def weights_cache(self) -> WeightsCache:
        """The weights that are here."""
        from ttctl.adapters.weights_cache import CachedWeights

        return CachedWeights(self.cache / "weights", self._elsewhere)

    @cached_property
    def has_token(self) -> bool:
        """Whether a token of the model hub is at hand; the token itself is not kept."""
        from ttctl.adapters.hub_token import has_token

        named = self._token_file or str(self._settings.find("site.token_file").value or "")
        return has_token(self._environ, home=Path.home(), named=named)

    @cached_property
    def _elsewhere(self) -> Elsewhere:
        """The hub's cache that other tools share, and the user's folders of models.

        The setting is read, and not the site's: that one looks at the whole place.
        """
        from ttctl.adapters.hub_cache import HubCache
        from ttctl.adapters.hub_token import hub_cache
        from ttctl.adapters.model_folders import ModelFolders
        from ttctl.adapters.site import parts
        from ttctl.adapters.weights_elsewhere import Elsewhere

        home = Path.home()
        said = self._models_dir or str(self._settings.find("site.models_dir").value or "")
        named = [self._models_dir] if self._models_dir else parts("models_dir", said)
        folders = (*(Path(one).expanduser() for one in named), home / "models")
        return Elsewhere(
            cache=HubCache(hub_cache(self._environ, home)),
            folders=ModelFolders(folders, records=self.cache / "weights" / "found"),
        )

    @cached_property
    def _share(self) -> HubShare:
        """The hub's cache, to which a fetch gives names of its files."""
        from ttctl.adapters.hub_share import HubShare
        from ttctl.adapters.hub_token import hub_cache, names_cache

        said = self._settings.find("weights.share").value
        return HubShare(
            hub_cache(self._environ, Path.home()),
            wanted=None if said is None else bool(said),
            named=names_cache(self._environ),
        )

    def _with_flags(self, site: Site) -> Site:
        """Return the site with what the flags say of the weights."""
        from ttctl.model.site import Sourced

        if self._models_dir:
            folder = Sourced(value=self._models_dir, source="--models-dir")
            site = replace(site, models_dir=(folder,))
        if self._token_file:
            site = replace(site, token_file=Sourced(value=self._token_file, source="--token-file"))
        return site


def _hub(site: Site) -> Hub:
    from ttctl.adapters.hub import HuggingFace

    return HuggingFace(site)
