# SPDX-License-Identifier: Apache-2.0
"""Hand-written stand-ins for the Protocols, which remember what was asked of them.

The launcher does what compose does: it reads the folder's compose file, keeps a container whose
settings are the wanted ones, and replaces the others.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from tests.unit.living import FakeLive
from tests.unit.sources import FakeCommits, FakeRegistry

from ttctl.adapters import places
from ttctl.adapters.connect_tools import ConnectTools
from ttctl.adapters.contracts import ShippedContracts
from ttctl.adapters.ejected_folder import EjectedFolders
from ttctl.adapters.failures import known_failures
from ttctl.adapters.templates import ShippedRecipes
from ttctl.errors import (
    BadFileError,
    EngineError,
    LockedError,
    OfflineError,
    TtctlError,
    UsageError,
)
from ttctl.model.container import BOARDS_LABEL, CONFIG_LABEL, ContainerState
from ttctl.model.device import System
from ttctl.model.devices import Golden
from ttctl.model.engine_files import EngineCache
from ttctl.model.engines import EngineInfo, PlaceFiles
from ttctl.model.generation import KEPT, Generation
from ttctl.model.health import CardVitals, EngineVitals, FolderVitals, PlaceFolders, PlaceVitals
from ttctl.model.image import BaseImage, BuildResult
from ttctl.model.keys import KeyRow, Ring
from ttctl.model.lease import Claims, ProcessUse, Remembered
from ttctl.model.lock import Lock, LockedFile, LockedWeights
from ttctl.model.lock_summary import LockSummary
from ttctl.model.picture import Picture, Stroke
from ttctl.model.pins import Advice, Origin
from ttctl.model.prebuilt import ImageConfig
from ttctl.model.site import Site, Sourced
from ttctl.model.spec import Limits, ModelSpec, Weights
from ttctl.model.talk import Completion
from ttctl.model.telemetry import Answered, Listed
from ttctl.model.weights import Supply, Verdict
from ttctl.rules.images import SITE_SECRETS
from ttctl.rules.spoiled import with_cleared, with_new
from ttctl.rules.usual_start import with_one_more

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from ttctl.model.acceptance import RanOn
    from ttctl.model.catalog import Catalogs, Refreshed
    from ttctl.model.clock import Clock
    from ttctl.model.commit import CommitResolver
    from ttctl.model.connect import Tool
    from ttctl.model.contract import LaunchContract
    from ttctl.model.ejected import Ejections
    from ttctl.model.engine_files import EngineFiles
    from ttctl.model.failure import Failures
    from ttctl.model.gateway import Gateway
    from ttctl.model.hardware import Hardware
    from ttctl.model.health import Mending
    from ttctl.model.image import ImageSpec
    from ttctl.model.keys import KeyRing
    from ttctl.model.lease import ContainerUse, Spoiled
    from ttctl.model.leasing import Leases
    from ttctl.model.live import Live
    from ttctl.model.override import Override
    from ttctl.model.picture import ImageRequest, Pictures, PlaceKind
    from ttctl.model.pins import Quarantined
    from ttctl.model.plan import How
    from ttctl.model.prebuilt import Registry
    from ttctl.model.protocols import (
        Builder,
        Catalog,
        Engine,
        Folders,
        Host,
        Keys,
        Launcher,
        Reporter,
        StackStore,
        WeightsStore,
    )
    from ttctl.model.recipes import Recipes
    from ttctl.model.reset import ResetOrder, Resets
    from ttctl.model.shelf import Shelf
    from ttctl.model.spec import Request
    from ttctl.model.starts import Started, Starts
    from ttctl.model.stores import Generations
    from ttctl.model.talk import Door, Role, Talk
    from ttctl.model.telemetry import ChipReading, Telemetry, TelemetrySource
    from ttctl.model.vitals import Vitals
    from ttctl.model.weights import Snapshot, WeightsCache

RECIPES = ShippedRecipes(places.shipped())
CONTRACTS = ShippedContracts(places.shipped()).contracts()
REVISION = "1" * 40
NEWER = "2" * 40
OWNER = "0123456789abcdef"
KEY = "k" * 64

HUB_MODEL = ModelSpec(
    model="acme/Small-1B",
    device="cpu",
    engine="vllm",
    aliases=("llama", "small"),
    default=True,
    image="vllm-cpu",
    weights=Weights(kind="hub", repository="acme/Small-1B", size_bytes=1_000),
    limits=Limits(max_model_len=4096, max_num_seqs=8, block_size=64),
    engine_args=(("enforce-eager", ""), ("kv-cache-memory-bytes", "1G")),
    memory_mib=6144,
    status="EXPERIMENTAL",
    offline_model="demo-llama",
    source="a test",
)
DEMO_MODEL = replace(
    HUB_MODEL,
    model="demo-llama",
    aliases=("demo",),
    default=False,
    demo=True,
    weights=Weights(kind="bundled", repository="demo-llama", size_bytes=1_000),
    limits=Limits(max_model_len=2048, max_num_seqs=8, block_size=64),
    memory_mib=4096,
    offline_model="",
)
CARD_MODEL = replace(HUB_MODEL, device="n150", offline_model="")


WELL_ENGINE = EngineVitals(
    client="24.0.7",
    compose="2.29.7",
    buildx="0.17.1",
    endpoint="unix:///var/run/docker.sock",
    version="24.0.7",
    cgroup="2",
    cgroup_driver="systemd",
    storage="overlay2",
    live_restore=True,
    security=("name=apparmor", "name=seccomp,profile=builtin"),
    root_dir="/var/lib/docker",
    root_inodes=10_000_000,
    systemd=True,
)
"""What the docker program says where all is well."""
GOLDEN = Golden(
    driver="2.10.0",
    firmware="19.13.1",
    smi="6.1.0",
    flash="3.10.0",
    hugepages="1.4.1",
    metal="v0.75.0",
    installer="3.5.2",
    source="a test",
    date="2026-08-07",
)
WELL_FOLDERS = PlaceFolders(
    state=FolderVitals(path="/state", exists=True, writable=True, locks=True),
    cache=FolderVitals(path="/cache", exists=True, writable=True, locks=True),
)


STOPPED_AT = "2026-01-31T11:00:00Z"
"""When a container ended that was stopped."""


class FakeReporter:
    """Remembers steps, notes and lines."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.notes: list[str] = []
        self.lines: list[str] = []
        self.counts: list[tuple[float, float, str]] = []
        self.parts: list[tuple[str, float, float]] = []
        self.statuses: list[tuple[str, dict[str, float | str]]] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        self.steps.append(title)
        yield

    def progress(self, done: float, total: float, unit: str, *, part: str = "") -> None:
        if part:
            self.parts.append((part, done, total))
        else:
            self.counts.append((done, total, unit))

    def status(self, text: str, **facts: float | str) -> None:
        self.statuses.append((text, facts))

    def note(self, text: str) -> None:
        self.notes.append(text)

    def detail(self, line: str) -> None:
        self.lines.append(line)


class FakeCatalog:
    """A few entries."""

    def __init__(self) -> None:
        self.entries: tuple[ModelSpec, ...] = (HUB_MODEL, CARD_MODEL, DEMO_MODEL)
        self.advised = Advice()
        self.set_aside: tuple[Quarantined, ...] = ()

    def specs(self) -> tuple[ModelSpec, ...]:
        return self.entries

    def sha256(self) -> str:
        return hashlib.sha256(repr(self.entries).encode()).hexdigest()

    def origin(self) -> Origin:
        return Origin(release="1", source="a test", date="2026-01-31", sha256=self.sha256())

    def quarantined(self) -> tuple[Quarantined, ...]:
        return self.set_aside

    def advice(self) -> Advice:
        return self.advised

    def raw(self, spec_id: str) -> dict[str, object]:
        return {"id": spec_id}


class FakeCatalogs:
    """Catalogs by name, as a test puts them here."""

    def __init__(self) -> None:
        self.here: dict[str, Catalog] = {}
        self.asked: list[tuple[str | None, bool, bool]] = []
        self.told: Refreshed | None = None

    def refresh(self, name: str | None, *, force: bool, dry_run: bool) -> Refreshed:
        self.asked.append((name, force, dry_run))
        if self.told is None:
            raise OfflineError("The catalog could not be fetched.", why="A test says so.")
        return self.told

    def named(self, name: str) -> Catalog:
        return self.here[name]


class FakeHardware:
    """Results of cards that a test puts here."""

    def __init__(self) -> None:
        self.runs: tuple[RanOn, ...] = ()

    def ran(self, spec: ModelSpec) -> tuple[RanOn, ...]:
        return tuple(one for one in self.runs if one.entry == spec.id)


class FakeEngine:
    """An engine with the images and containers that a test gives it."""

    def __init__(self) -> None:
        self.images: set[str] = set()
        self.users: dict[str, str] = {}
        self.digests: dict[str, tuple[str, ...]] = {}
        self.the_layers: tuple[tuple[str, ...], ...] = ()
        self.states: dict[str, ContainerState] = {}
        self.refuses: TtctlError | None = None
        self.logs: dict[str, tuple[str, ...]] = {}

    def info(self) -> EngineInfo:
        if self.refuses:
            raise self.refuses
        return EngineInfo(version="24", root_dir="/var/lib/docker")

    def containers(self, stack: str | None) -> tuple[ContainerState, ...]:
        found = (state for state in self.states.values() if stack in {None, state.stack})
        return tuple(sorted(found, key=lambda state: state.name))

    def has_image(self, reference: str) -> bool:
        return reference in self.images

    def layers(self) -> tuple[tuple[str, ...], ...]:
        return self.the_layers

    def config_of(self, reference: str) -> ImageConfig | None:
        if reference not in self.images | {*self.users}:
            return None
        user, digests = self.users.get(reference, ""), self.digests.get(reference, ())
        return ImageConfig(user=user, digests=digests)

    def log_lines(self, container_id: str, *, tail: int) -> tuple[str, ...]:
        return self.logs.get(container_id, ())[-tail:]

    def stream(
        self,
        names: Mapping[str, str],
        *,
        tail: int | None,
        since: int | None,  # noqa: ARG002
        timestamps: bool,  # noqa: ARG002
        follow: bool,  # noqa: ARG002
    ) -> Iterator[tuple[str, str]]:
        for container_id, name in names.items():
            for line in self.log_lines(container_id, tail=tail or 0):
                yield name, line

    def set_state(self, service: str, **changes: Any) -> None:  # noqa: ANN401
        """Change what is seen of a service's container."""
        name = next(name for name, state in self.states.items() if state.service == service)
        self.states[name] = replace(self.states[name], **changes)


class FakeBuilder:
    """Makes an image by remembering its name."""

    def __init__(self, calls: list[str], engine: FakeEngine) -> None:
        self._calls, self._engine = calls, engine
        self.registry_answers = False
        self.texts: dict[str, str] = dict.fromkeys(SITE_SECRETS, "")
        self.wheels: tuple[str, ...] = ()

    def base(self, site: Site, *, offline: bool) -> BaseImage:
        if site.base_image:
            return BaseImage(
                origin="site",
                reference=site.base_image.value,
                source=site.base_image.value,
                digest=site.base_image.value.partition("@")[2],
                reason="named by the site",
            )
        if self.registry_answers and not offline:
            return BaseImage(
                origin="registry",
                reference="ttctl/rootfs:bookworm-aaaaaaaaaaaaaaaa",
                source="registry.example.org/library/debian:bookworm-slim",
                digest=f"sha256:{'a' * 64}",
                reason="the registry answers",
            )
        return BaseImage(
            origin="bootstrapped",
            reference="ttctl/rootfs:bookworm",
            source="debian bookworm",
            reason="no registry answers",
        )

    def obtain_base(self, base: BaseImage, site: Site, reporter: Reporter) -> None:  # noqa: ARG002
        self._calls.append("base")
        self._engine.images.add(base.reference)

    def pull(self, reference: str, reporter: Reporter, *, name: str = "") -> None:  # noqa: ARG002
        self._calls.append(f"pull {reference}")
        self._engine.images |= {reference, *([name] if name else [])}
        self._engine.digests |= {one: (reference,) for one in (reference, name) if "@" in reference}

    def build(
        self,
        image: ImageSpec,
        reporter: Reporter,  # noqa: ARG002
        *,
        cancel: threading.Event | None = None,  # noqa: ARG002
    ) -> BuildResult:
        self._calls.append(f"build {image.name}")
        self._engine.images.add(image.reference)
        return BuildResult(reference=image.reference, seconds=0, cached=False)

    def check(
        self,
        image: ImageSpec,
        reporter: Reporter,  # noqa: ARG002
        *,
        cancel: threading.Event | None = None,  # noqa: ARG002
    ) -> None:
        self._calls.append(f"verify {image.name}")

    def place_files(self, images: tuple[ImageSpec, ...]) -> PlaceFiles:  # noqa: ARG002
        return PlaceFiles(secrets=tuple(sorted(self.texts.items())), wheels=self.wheels)


class FakeWeights:
    """A hub that answers or not, and a cache of what was fetched."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls
        self.offline = False
        self.revision = REVISION
        self.here: set[tuple[str, str]] = set()
        self.size_bytes = 1_000
        self.tells_hashes = True
        self.elsewhere = ""
        self.looked: list[str] = []
        """Repositories whose files were looked at, as often as they were."""

    def resolve(self, weights: Weights, site: Site) -> LockedWeights:  # noqa: ARG002
        if weights.kind == "hub" and self.offline:
            raise OfflineError("The model hub does not answer.", why="A test says so.")
        known = self.tells_hashes or (weights.repository, weights.revision) in self.here
        sha256 = "c" * 64 if known else ""
        file = LockedFile(path="config.json", size_bytes=self.size_bytes, sha256=sha256)
        return LockedWeights(
            kind=weights.kind,
            repository=weights.repository,
            revision=self.revision if weights.kind == "hub" else "",
            files=(file,),
        )

    def is_complete(self, locked: LockedWeights) -> bool:
        return (locked.repository, locked.revision) in self.here

    def fetch(self, locked: LockedWeights, site: Site, reporter: Reporter) -> None:  # noqa: ARG002
        self._calls.append(f"fetch {locked.repository}")
        self.here.add((locked.repository, locked.revision))

    def path(self, locked: LockedWeights) -> Path:
        return Path("/cache/weights") / locked.repository / (locked.revision or "shipped")

    def supply(self, locked: LockedWeights) -> Supply:
        self.looked.append(locked.repository)
        total = sum(one.size_bytes for one in locked.files)
        if self.elsewhere:
            return Supply(total_bytes=total, fetched_bytes=0, place=self.elsewhere, mounted=True)
        return Supply(total_bytes=total, fetched_bytes=0 if self.is_complete(locked) else total)


class FakeWeightsCache:
    """Snapshots that a test names, some of them damaged."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls
        self.here: list[Snapshot] = []
        self.wrong: dict[str, tuple[str, ...]] = {}

    def snapshots(self) -> tuple[Snapshot, ...]:
        return tuple(self.here)

    def verdict(self, snapshot: Snapshot, reporter: Reporter, *, quick: bool) -> Verdict:  # noqa: ARG002
        return Verdict(snapshot=snapshot, damaged=self.wrong.get(snapshot.repository, ()))

    def remove(self, snapshot: Snapshot, reporter: Reporter) -> None:  # noqa: ARG002
        self._calls.append(f"remove {snapshot.repository}")
        self.here.remove(snapshot)


class FakeHost:
    """A small machine without a card."""

    def __init__(self) -> None:
        self.found = System(
            device="cpu",
            cores=8,
            memory_bytes=32 << 30,
            machine="x86_64",
            reason="no card was found",
        )
        self.free: dict[str, int] = {}
        self.holders: dict[int, str] = {}
        self.silent: set[str] = set()
        self.index = "https://index.example.org/simple"

    def system(self) -> System:
        return self.found

    def free_bytes(self, path: Path) -> int:
        return self.free.get(str(path), 1 << 50)

    def port_holder(self, address: str, port: int) -> str | None:  # noqa: ARG002
        return self.holders.get(port)

    def reaches(self, url: str, site: Site) -> bool:  # noqa: ARG002
        return url not in self.silent

    def why_not(self, url: str, site: Site) -> str:
        return "" if self.reaches(url, site) else "no answer within 5 s"

    def package_index(self, site: Site) -> str:
        return site.pip_index_url.value if site.pip_index_url else self.index


class FakeVitals:
    """A machine that is well, until a test says otherwise."""

    def __init__(self, calls: list[str], engine: FakeEngine) -> None:
        self._calls, self._engine = calls, engine
        self.the_engine = WELL_ENGINE
        self.the_folders = WELL_FOLDERS
        self.the_cards = CardVitals(pci=())
        self.the_place = PlaceVitals(now=2.0, installed=1.0, synchronised=True)

    def engine(self) -> EngineVitals:
        return self.the_engine

    def folders(self) -> PlaceFolders:
        return self.the_folders

    def cards(self) -> CardVitals:
        return self.the_cards

    def place(self, site: Site) -> PlaceVitals:  # noqa: ARG002
        return self.the_place

    def mend(self, what: Mending, targets: Sequence[str] = ()) -> None:
        self._calls.append(" ".join((what, *targets)))
        match what:
            case "make-private":
                state = replace(self.the_folders.state, mode=0o700, exposed=())
                self.the_folders = replace(self.the_folders, state=state)
            case "sweep":
                state = replace(self.the_folders.state, strays=())
                cache = replace(self.the_folders.cache, strays=())
                self.the_folders = PlaceFolders(state=state, cache=cache)
            case "remove-containers":
                for name, one in list(self._engine.states.items()):
                    if one.container_id in targets:
                        del self._engine.states[name]


class FakeTelemetry:
    """Cards that say what a test lets them say."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls
        self.own: tuple[ChipReading, ...] = ()
        self.last: Telemetry | None = None
        self.answer = Answered(telemetry=None, note="tt-smi is not installed")
        self.file: Telemetry | None = None
        self.listing = Listed(topology=None)

    def sensors(self, *, watch: bool) -> tuple[ChipReading, ...]:  # noqa: ARG002
        return self.own

    def kept(self) -> Telemetry | None:
        return self.last

    def ask(self) -> Answered:
        self._calls.append("tt-smi -s")
        return self.answer

    def listed(self, *, ask: bool) -> Listed:
        if ask:
            self._calls.append("tt-topology -ls")
        return self.listing

    def replay(self, file: Path) -> Telemetry:
        if self.file is None:
            raise BadFileError(f"The snapshot {str(file)!r} cannot be read.")
        return self.file

    def golden(self) -> Golden:
        return GOLDEN


class FakeLeases:
    """Containers that a test puts here, and the processes that the machine shows."""

    def __init__(self, host: FakeHost) -> None:
        self._host = host
        self.containers: tuple[ContainerUse, ...] = ()
        self.kept = Remembered()
        self.hugepages: tuple[str, ...] = ()
        self.damaged: TtctlError | None = None
        self.fails: TtctlError | None = None
        self.closed = ""
        self.holding = False
        self.busy = False
        self.now = "2026-01-31T12:00:00Z"

    @contextmanager
    def guard(self, *, timeout_s: float, reporter: Reporter) -> Iterator[None]:  # noqa: ARG002
        if self.busy:
            raise LockedError("Another command is choosing boards.")
        self.holding = True
        try:
            yield
        finally:
            self.holding = False

    def claims(self) -> Claims:
        boards = self._host.found.boards
        return Claims(
            containers=self.containers,
            processes=tuple(
                ProcessUse(name=name, nodes=board.nodes)
                for board in boards
                for name in board.holders
            ),
            blind=tuple(
                node for board in boards if board.free == "unknown" for node in board.nodes
            ),
            hugepages=self.hugepages,
            closed=self.closed,
        )

    def remembered(self) -> Remembered:
        if self.damaged:
            raise self.damaged
        return self.kept

    def remember(self, found: Sequence[Spoiled]) -> None:
        if self.fails:
            raise self.fails
        self.kept = with_new(self.kept, [replace(one, at=one.at or self.now) for one in found])

    def clear(self, names: Sequence[str]) -> None:
        self.kept = with_cleared(self.kept, names, at=self.now)


class FakeResets:
    """A tt-smi that does what a test lets it do."""

    def __init__(self, calls: list[str], leases: FakeLeases) -> None:
        self._calls, self._leases = calls, leases
        self.is_virtual = ""
        self.orders: list[ResetOrder] = []
        self.on_reset: Callable[[], None] = lambda: None

    def virtual(self) -> str:
        return self.is_virtual

    def reset(self, order: ResetOrder, reporter: Reporter) -> None:  # noqa: ARG002
        assert self._leases.holding, "nobody may take a board while one is reset"
        self._calls.append(f"reset {' '.join(order.nodes)}")
        self.orders.append(order)
        self.on_reset()

    def remove_hugepages(self, files: Sequence[str]) -> None:
        assert self._leases.holding
        self._calls.extend(f"remove {name}" for name in files)


class FakeStarts:
    """How long starts took, in memory."""

    def __init__(self) -> None:
        self.kept: tuple[Started, ...] = ()
        self.fails: TtctlError | None = None

    def earlier(self) -> tuple[Started, ...]:
        return self.kept

    def keep(self, started: Started) -> None:
        if self.fails:
            raise self.fails
        self.kept = with_one_more(self.kept, started)


class FakeStore:
    """State folders in memory: locks, rendered folders and keys."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls
        self.locks: dict[str, Lock] = {}
        self.rendered: dict[str, dict[str, tuple[str, bool]]] = {}
        self.made_keys: dict[str, str] = {}
        self.busy = False
        self.holding = False
        self.pending: dict[str, Lock] = {}
        self.overrides: dict[str, Override] = {}

    def stacks(self) -> tuple[str, ...]:
        return tuple(sorted(self.locks))

    def lock(self, stack: str) -> Lock | None:
        return self.locks.get(stack)

    def summary(self, stack: str) -> LockSummary | None:
        lock = self.lock(stack)
        if lock is None:
            return None
        return LockSummary(
            model=lock.model,
            device=lock.device,
            port=lock.port,
            reason=lock.reason,
            experimental=lock.experimental,
        )

    @contextmanager
    def exclusive(self, stack: str, *, timeout_s: float, reporter: Reporter) -> Iterator[None]:  # noqa: ARG002
        if self.busy:
            raise LockedError(f"The stack {stack!r} is locked by another command.")
        self.holding = True
        try:
            yield
        finally:
            self.holding = False

    def folder(self, stack: str) -> Path:
        return Path("/state/stacks") / stack / "rendered"

    def owner(self) -> str:
        return OWNER

    def lock_text(self, lock: Lock) -> str:
        text = repr(lock)
        self.pending[text] = lock
        return text

    def forget(self, stack: str) -> None:
        self._calls.append(f"forget {stack}")
        del self.locks[stack]

    def read_folder(self, folder: Path) -> dict[str, str]:
        return {path: text for path, (text, _) in self.rendered.get(str(folder), {}).items()}

    def write_folder(
        self, folder: Path, files: dict[str, tuple[str, bool]], *, prune: bool
    ) -> None:
        self._calls.append(f"write{' and prune' if prune else ''}")
        self.rendered[str(folder)] = dict(files)
        if not files:
            self.locks = {one: self.locks[one] for one in self.locks if self.folder(one) != folder}
            return
        lock = self.pending[files["ttctl.lock"][0]]
        if folder == self.folder(lock.stack):
            self.locks[lock.stack] = lock

    def override(self, folder: Path) -> Override | None:
        return self.overrides.get(str(folder))

    def has_key(self, stack: str) -> bool:
        return stack in self.made_keys

    def ensure_key(self, stack: str) -> Path:
        if stack not in self.made_keys:
            self._calls.append("key")
            self.made_keys[stack] = KEY
        return self.key_file(stack)

    def key(self, stack: str) -> str:
        return self.made_keys[stack]

    def key_file(self, stack: str) -> Path:
        return Path("/state/stacks") / stack / "secrets/api-key"

    def secrets(self, stack: str) -> Path:
        return Path("/state/stacks") / stack / "secrets/gateway"




class FakeKeyRing:
    """The keys of each stack in memory, and what each gateway was last told."""

    def __init__(self, calls: list[str], store: FakeStore) -> None:
        self._calls, self._store = calls, store
        self.rows: dict[str, tuple[KeyRow, ...]] = {}
        self.told: dict[str, tuple[KeyRow, ...]] = {}
        self.answer = (0, "1")
        self.refusal: TtctlError | None = None
        self.kill_at = ""
        self.fails_at = ""
        self.dead = False
        self._made = 0

    def read(self, stack: str) -> Ring:
        if self.refusal:
            raise self.refusal
        own = self._store.made_keys.get(stack, "")
        rows = self.rows.get(stack, ())
        return Ring(rows=rows, own_sha256=self.hash_of(own) if own else "")

    def write(self, stack: str, rows: tuple[KeyRow, ...]) -> None:
        self._step("write keys")
        self.rows[stack] = rows

    def new_key(self) -> tuple[str, str]:
        self._made += 1
        key = f"canary-of-key-{self._made}"
        return key, self.hash_of(key)

    def set_own(self, stack: str, key: str) -> None:
        self._step("set own")
        self._store.made_keys[stack] = key

    def tell(self, container: str) -> tuple[int, str]:
        self._step("tell")
        if self.answer[0] == 0:
            stack = container.removeprefix("ttctl-").removesuffix("-gateway-1")
            self.told[stack] = self.rows.get(stack, ())
        return self.answer

    @staticmethod
    def hash_of(key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()

    def _step(self, name: str) -> None:
        """Do it, or fail, or end as a killed command does: it tidies nothing up."""
        self._calls.append(name)
        at = f"{name} {self._calls.count(name)}"
        if self.fails_at == at:
            raise EngineError("The gateway was told, and said no.")
        self.dead = self.dead or self.kill_at == at
        if self.dead:
            raise KeyboardInterrupt
