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
from tests.unit.certified import FakeCertificates
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
from ttctl.model.container import BOARDS_LABEL, CONFIG_LABEL, ContainerState, Project
from ttctl.model.device import System
from ttctl.model.devices import Golden
from ttctl.model.engine_files import EngineCache
from ttctl.model.engines import EngineInfo, PlaceFiles
from ttctl.model.gateway import Health
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
    from ttctl.model.stores import Generations, WantedStacks
    from ttctl.model.talk import Door, Role, Talk
    from ttctl.model.telemetry import ChipReading, Telemetry, TelemetrySource
    from ttctl.model.tls import At, Certificates
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
        self.others: dict[str, tuple[tuple[str, str], ...]] = {}
        self.refuses: TtctlError | None = None
        self.logs: dict[str, tuple[str, ...]] = {}
        self.earlier: dict[str, tuple[str, ...]] = {}
        """What containers printed before they were started last."""

    def info(self) -> EngineInfo:
        if self.refuses:
            raise self.refuses
        return EngineInfo(version="24", root_dir="/var/lib/docker")

    def containers(self, stack: str | None) -> tuple[ContainerState, ...]:
        found = (state for state in self.states.values() if stack in {None, state.stack})
        return tuple(sorted(found, key=lambda state: state.name))

    def project(self, stack: str) -> Project:
        return Project(containers=self.containers(stack), beside=self.others.get(stack, ()))

    def has_image(self, reference: str) -> bool:
        return reference in self.images

    def layers(self) -> tuple[tuple[str, ...], ...]:
        return self.the_layers

    def config_of(self, reference: str) -> ImageConfig | None:
        if reference not in self.images | {*self.users}:
            return None
        user, digests = self.users.get(reference, ""), self.digests.get(reference, ())
        return ImageConfig(user=user, digests=digests)

    def log_lines(
        self, container_id: str, *, tail: int, since: int | None = None
    ) -> tuple[str, ...]:
        earlier = self.earlier.get(container_id, ()) if since is None else ()
        return (*earlier, *self.logs.get(container_id, ()))[-tail:]

    def stream(
        self,
        names: Mapping[str, str],
        *,
        tail: int | None,
        since: int | None,
        timestamps: bool,
        follow: bool,  # noqa: ARG002
    ) -> Iterator[tuple[str, str]]:
        for container_id, name in names.items():
            lines = self.log_lines(container_id, tail=tail or 0, since=since)
            for number, line in enumerate(lines):
                yield name, f"2026-01-31T10:00:00.{number:09}Z {line}" if timestamps else line

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

    def kept(self) -> Answered:
        return Answered(telemetry=self.last)

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

    @contextmanager
    def pulling(self, reporter: Reporter) -> Iterator[None]:  # noqa: ARG002
        self._calls.append("told: begin")
        yield
        self._calls.append("told: end")

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
            tls=lock.tls,
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


class FakeWanted:
    """Which stacks are wanted, in memory; it is changed under a stack's lock only."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store
        self.stacks: set[str] = set()

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.stacks))

    def is_wanted(self, stack: str) -> bool:
        return stack in self.stacks

    def want(self, stack: str) -> None:
        assert self._store.holding
        self.stacks.add(stack)

    def end(self, stack: str) -> None:
        assert self._store.holding
        self.stacks.discard(stack)


class FakeGenerations:
    """Generations in memory."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store
        self.states: dict[str, dict[int, tuple[Generation, dict[str, str]]]] = {}
        self.begun: set[str] = set()
        self.fails: BaseException | None = None

    def stacks(self) -> tuple[str, ...]:
        return tuple(sorted(one for one in self.states if self.states[one]))

    def kept(self, stack: str) -> tuple[Generation, ...]:
        return tuple(one for one, _ in self.states.get(stack, {}).values())

    def files(self, stack: str, number: int) -> dict[str, str]:
        return dict(self.states[stack][number][1])

    def is_kept_for(self, stack: str) -> bool:
        return stack in self.begun

    def begin(self, stack: str) -> None:
        self.begun.add(stack)

    def keep(self, stack: str, files: dict[str, str], *, request: Request, why: str) -> int:
        if self.fails:
            raise self.fails
        self.begin(stack)
        states = self.states.setdefault(stack, {})
        number = max(states, default=0) + 1
        one = Generation(
            number=number,
            at="2026-01-31T12:00:00Z",
            why=why,
            request=request,
            lock=self._store.pending[files["ttctl.lock"]],
        )
        states[number] = (one, dict(files))
        for old in sorted(states)[:-KEPT]:
            del states[old]
        return number


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


class FakeLauncher:
    """Does to the engine's containers what compose would."""

    def __init__(self, calls: list[str], engine: FakeEngine, store: FakeStore) -> None:
        self._calls, self._engine, self._store = calls, engine, store
        self._made = 0
        self.fails: TtctlError | None = None
        self.refuses: dict[str, str] = {}
        """By service, what the engine says once of its container's start."""
        self.piped = (0, "")
        self.asked = (0, ("one", "two"))
        self.waits: list[int] = []

    def up(
        self,
        stack: str,
        folder: Path,
        *,
        how: How,
        wait_s: int,
        reporter: Reporter,  # noqa: ARG002
    ) -> None:
        self.waits.append(wait_s)
        self._calls.append("up, recreating" if how.recreate else "up")
        if self.fails:
            raise self.fails
        files = self._store.rendered[str(folder)]
        port = next(
            int(line.split("'")[1])
            for line in files[".env"][0].splitlines()
            if line.startswith("TTCTL_PORT=")
        )
        services = yaml.safe_load(files["compose.yaml"][0])["services"]
        for orphan in [s.name for s in self._engine.containers(stack) if s.service not in services]:
            del self._engine.states[orphan]
        for service, body in services.items():
            self._start(stack, service, body, port)
            if said := self.refuses.pop(service, ""):
                self._engine.set_state(service, state="created", health="", start_error=said)
                raise EngineError(said)

    def _start(self, stack: str, service: str, body: dict[str, Any], port: int) -> None:
        name = f"ttctl-{stack}-{service}-1"
        found = self._engine.states.get(name)
        wanted = body["labels"][CONFIG_LABEL]
        if found and found.config_hash == wanted:
            health = "healthy" if found.state == "exited" else found.health or "healthy"
            started = replace(found, state="running", health=health, finished_at="")
            ports = (("127.0.0.1", port, 8080),) if "ports" in body else ()
            self._engine.states[name] = replace(started, ports=ports)
            return
        if body["image"] not in self._engine.images:
            raise EngineError(f"No such image: {body['image']}")
        self._made += 1
        self._engine.states[name] = container(
            service,
            stack=stack,
            container_id=f"{self._made:064x}",
            config_hash=wanted,
            image=body["image"],
            ports=(("127.0.0.1", port, 8080),) if "ports" in body else (),
        )

    def create(
        self,
        stack: str,
        folder: Path,
        *,
        recreate: bool,
        reporter: Reporter,  # noqa: ARG002
    ) -> None:
        self._calls.append("create, recreating" if recreate else "create")
        files = self._store.rendered[str(folder)]
        services = yaml.safe_load(files["compose.yaml"][0])["services"]
        for service, body in services.items():
            name = f"ttctl-{stack}-{service}-1"
            found = self._engine.states.get(name)
            if found is None or found.config_hash != body["labels"][CONFIG_LABEL]:
                self._start(stack, service, body, 0)
                made = replace(self._engine.states[name], state="created", health="", ports=())
                leased = body["labels"].get(BOARDS_LABEL, "")
                boards = tuple(one for one in leased.split(",") if one)
                self._engine.states[name] = replace(made, boards=boards)

    def remove(
        self,
        stack: str,
        folder: Path,  # noqa: ARG002
        services: Sequence[str],
        *,
        reporter: Reporter,  # noqa: ARG002
    ) -> None:
        self._calls.append(f"remove {' '.join(services)}")
        for one in self._engine.containers(stack):
            if one.service in services:
                del self._engine.states[one.name]

    def down(
        self,
        stack: str,
        *,
        volumes: Path | None,
        timeout_s: int | None,
        reporter: Reporter,  # noqa: ARG002
    ) -> None:
        limit = "" if timeout_s is None else f" within {timeout_s} s"
        self._calls.append(f"down{' with volumes' if volumes else ''}{limit}")
        for state in self._engine.containers(stack):
            del self._engine.states[state.name]

    def stop(
        self, stack: str, *, timeout_s: int | None, limit_s: float
    ) -> tuple[int, tuple[str, ...]]:
        own = "" if timeout_s is None else f" in {timeout_s} s each"
        self._calls.append(f"stop {stack}{own} within {limit_s:.0f} s")
        if self.asked[0] == 0:
            for one in self._engine.containers(stack):
                if one.state in {"running", "restarting", "paused"}:
                    self._engine.states[one.name] = replace(
                        # Docker shows what it has stopped as unhealthy, and without a port.
                        one,
                        state="exited",
                        health="unhealthy",
                        ports=(),
                        finished_at=STOPPED_AT,
                    )
        return self.asked

    def attach(self, stack: str, arguments: Sequence[str]) -> None:
        self._calls.append(f"attach {stack} {' '.join(arguments)}")

    def pipe(self, stack: str, arguments: Sequence[str]) -> tuple[int, str]:
        self._calls.append(f"pipe {stack} {' '.join(arguments)}")
        return self.piped

    def ask(
        self, stack: str, arguments: Sequence[str], *, timeout_s: float
    ) -> tuple[int, tuple[str, ...]]:
        self._calls.append(f"ask {stack} {' '.join(arguments)} within {timeout_s:.0f} s")
        return self.asked


class FakeGateway:
    """A gateway whose engine answers, or not."""

    def __init__(self) -> None:
        self.is_healthy = True
        self.the_health: Health | None = None
        self.lists: tuple[str, ...] = ("demo-llama", "acme/Small-1B")
        self.behind: dict[str, tuple[str, ...]] = {}
        """Prefix to what is listed behind it, where that is not `lists`."""
        self.fails: TtctlError | None = None
        self.on_look: Callable[[], None] = lambda: None
        self.on_ask: Callable[[], None] = lambda: None
        """Done before a completion is answered."""
        self.limits: list[float] = []
        """Seconds that each completion had."""
        self.asked: list[tuple[int, str, list[dict[str, str]]]] = []
        self.bases: list[str] = []
        """What stood before the paths of each conversation's questions."""
        self.drawn: list[tuple[int, str, ImageRequest]] = []

    def health(self, at: At) -> Health:
        status = 200 if self.healthy(at) else 503
        return self.the_health or Health(status=status, seconds=0.1, taken=True)

    def healthy(self, at: At) -> bool:  # noqa: ARG002
        self.on_look()
        return self.is_healthy

    def models(self, at: At, key: str, *, base: str = "") -> tuple[str, ...]:  # noqa: ARG002
        return self.behind.get(base, self.lists)

    def complete(
        self,
        at: At,
        key: str,
        *,
        model: str,
        prompt: str,
        limit_s: float,
    ) -> Completion:
        self.limits.append(limit_s)
        self.on_ask()
        return self._answer(at.port, key, model, [{"role": "user", "content": prompt}])

    def chat(
        self,
        door: Door,
        key: str,
        *,
        model: str,
        messages: list[dict[str, str]],
        max_tokens: int,  # noqa: ARG002
        temperature: float,  # noqa: ARG002
        on_text: Callable[[str], None],
    ) -> Completion:
        self.bases.append(door.base)
        answer = self._answer(door.at.port, key, model, messages)
        on_text(answer.text)
        return answer

    def draw(self, at: At, key: str, request: ImageRequest) -> Generator[Stroke | Picture]:
        self.drawn.append((at.port, key, request))
        if self.fails:
            raise self.fails
        for image in range(1, request.images + 1):
            self.on_look()
            yield Stroke(image=image, done=1, steps=2)
            yield Picture(image=image, data=b"PNG", width=4, height=2, seed=image + 6, seconds=0.5)

    def _answer(
        self, port: int, key: str, model: str, messages: list[dict[str, str]]
    ) -> Completion:
        self.asked.append((port, key, messages))
        if self.fails:
            raise self.fails
        return Completion(
            text="Hi.",
            model=model,
            prompt_tokens=1,
            completion_tokens=2,
            seconds=0.5,
            first_token_s=0.1,
        )


class FakePictures:
    """Folders of images in memory: the current one, and `folder`."""

    def __init__(self) -> None:
        self.files: dict[Path, bytes] = {}
        self.others: set[Path] = set()
        self.appears: set[Path] = set()
        """Files that somebody else makes before ours is written."""

    def kind(self, path: Path) -> PlaceKind:
        if path in {Path(), Path("folder")}:
            return "folder"
        if path in self.others:
            return "other"
        return "file" if path in self.files else "none"

    def taken(self, folder: Path) -> frozenset[str]:
        if self.kind(folder) != "folder":
            raise UsageError(f"There is no folder {str(folder)!r}.")
        return frozenset(path.name for path in self.files if path.parent == folder)

    def write(self, path: Path, data: bytes, *, replace: bool) -> bool:
        if path in self.appears:
            self.files[path] = b"of another"
        if path in self.files and not replace:
            return False
        self.files[path] = data
        return True


class FakeShelf:
    """Conversations, inputs and other programs' files in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Talk] = {}
        self.typed: list[str] = []
        self.files: dict[Path, str] = {}
        self.own_roles: tuple[Role, ...] = ()
        self._shipped = ConnectTools(places.shipped() / "controller" / "talk" / "connect")

    @property
    def talks(self) -> FakeShelf:
        return self

    @property
    def inputs(self) -> FakeShelf:
        return self

    @property
    def prompts(self) -> FakeShelf:
        return self

    @property
    def tools(self) -> FakeShelf:
        return self

    def roles(self) -> tuple[Role, ...]:
        return self.own_roles

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.kept))

    def save(self, name: str, talk: Talk) -> Path:
        self.kept[name] = talk
        return Path("/state/talks") / f"{name}.json"

    def load(self, name: str) -> Talk:
        return replace(self.kept[name], name=name)

    def recent(self) -> tuple[str, ...]:
        return tuple(self.typed)

    def add(self, text: str) -> None:
        self.typed.append(text)

    def known(self) -> tuple[Tool, ...]:
        return self._shipped.known()

    def render(self, tool: Tool, values: dict[str, object]) -> str:
        return self._shipped.render(tool, values)

    def read(self, path: Path) -> str | None:
        return self.files.get(path)

    def write(self, path: Path, text: str) -> None:
        self.files[path] = text


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    def epoch(self) -> int:
        return 1_800_000_000 + int(self.at)


class FakeEngineFiles:
    """Caches and keys of engines, in memory."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls
        self.made: dict[str, tuple[str, ...]] = {}
        self.parts: dict[str, int] = {}
        self.looked = 0

    def cache(self, name: str) -> Path:
        return Path("/cache/engines") / name

    def prepare(self, name: str, folders: Sequence[str], *, user: int | None) -> None:
        self._calls.append(f"prepare {name} for {'its entrypoint' if user is None else user}")
        self.made[name] = tuple(folders)

    def caches(self, name: str = "") -> tuple[EngineCache, ...]:
        self.looked += 1
        parts = self.parts or {".": 7}
        return tuple(
            EngineCache(
                name=one,
                path=self.cache(one),
                size_bytes=sum(parts.values()),
                parts=tuple(parts.items()),
            )
            for one in self.made
            if name in {"", one}
        )

    def ensure_key(self, stack: str) -> None:
        self._calls.append(f"engine key {stack}")

    def secrets(self, stack: str) -> Path:
        return Path("/state/stacks") / stack / "secrets/engine"


@dataclass(frozen=True, kw_only=True)
class FakeWorld:
    """A `World` whose parts are all made."""

    catalog: Catalog
    catalogs: Catalogs
    hardware: Hardware
    recipes: Recipes
    contracts: Mapping[str, LaunchContract]
    engine_files: EngineFiles
    engine: Engine
    builder: Builder
    launcher: Launcher
    weights: WeightsStore
    weights_cache: WeightsCache
    host: Host
    vitals: Vitals
    leases: Leases
    resets: Resets
    starts: Starts
    telemetry: TelemetrySource
    store: StackStore
    folders: Folders
    generations: Generations
    wanted: WantedStacks
    keys: Keys
    key_ring: KeyRing
    gateway: Gateway
    clock: Clock
    reporter: Reporter
    site: Site
    cache: Path
    shelf: Shelf
    pictures: Pictures = field(default_factory=FakePictures)
    commits: CommitResolver = field(default_factory=FakeCommits)
    registry: Registry = field(default_factory=FakeRegistry)
    has_token: bool = False
    failures: Failures = field(default_factory=known_failures)
    ejections: Ejections = field(default_factory=EjectedFolders)
    live: Live = field(default_factory=FakeLive)
    certificates: Certificates = field(default_factory=FakeCertificates)


@dataclass(slots=True, kw_only=True)
class Scene:
    """A machine with ttctl on it; `calls` holds whatever changed something."""

    calls: list[str] = field(default_factory=list)
    catalog: FakeCatalog = field(default_factory=FakeCatalog)
    catalogs: FakeCatalogs = field(default_factory=FakeCatalogs)
    hardware: FakeHardware = field(default_factory=FakeHardware)
    engine: FakeEngine = field(default_factory=FakeEngine)
    host: FakeHost = field(default_factory=FakeHost)
    vitals: FakeVitals = field(init=False)
    leases: FakeLeases = field(init=False)
    resets: FakeResets = field(init=False)
    starts: FakeStarts = field(default_factory=FakeStarts)
    telemetry: FakeTelemetry = field(init=False)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    clock: FakeClock = field(default_factory=FakeClock)
    reporter: FakeReporter = field(default_factory=FakeReporter)
    site: Site = field(default_factory=Site)
    shelf: FakeShelf = field(default_factory=FakeShelf)
    pictures: FakePictures = field(default_factory=FakePictures)
    commits: FakeCommits = field(default_factory=FakeCommits)
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    live: FakeLive = field(default_factory=FakeLive)
    has_token: bool = False
    builder: FakeBuilder = field(init=False)
    weights: FakeWeights = field(init=False)
    weights_cache: FakeWeightsCache = field(init=False)
    store: FakeStore = field(init=False)
    generations: FakeGenerations = field(init=False)
    wanted: FakeWanted = field(init=False)
    launcher: FakeLauncher = field(init=False)
    engine_files: FakeEngineFiles = field(init=False)
    key_ring: FakeKeyRing = field(init=False)

    def __post_init__(self) -> None:
        self.builder = FakeBuilder(self.calls, self.engine)
        self.engine_files = FakeEngineFiles(self.calls)
        self.vitals = FakeVitals(self.calls, self.engine)
        self.leases = FakeLeases(self.host)
        self.resets = FakeResets(self.calls, self.leases)
        self.telemetry = FakeTelemetry(self.calls)
        self.weights = FakeWeights(self.calls)
        self.weights_cache = FakeWeightsCache(self.calls)
        self.store = FakeStore(self.calls)
        self.generations = FakeGenerations(self.store)
        self.wanted = FakeWanted(self.store)
        self.launcher = FakeLauncher(self.calls, self.engine, self.store)
        self.key_ring = FakeKeyRing(self.calls, self.store)

    @property
    def world(self) -> FakeWorld:
        """Everything, as operations get it; templates and recipes are the shipped ones."""
        return FakeWorld(
            catalog=self.catalog,
            catalogs=self.catalogs,
            hardware=self.hardware,
            recipes=RECIPES,
            contracts=CONTRACTS,
            engine_files=self.engine_files,
            engine=self.engine,
            builder=self.builder,
            launcher=self.launcher,
            weights=self.weights,
            weights_cache=self.weights_cache,
            host=self.host,
            vitals=self.vitals,
            leases=self.leases,
            resets=self.resets,
            starts=self.starts,
            telemetry=self.telemetry,
            store=self.store,
            folders=self.store,
            generations=self.generations,
            wanted=self.wanted,
            keys=self.store,
            key_ring=self.key_ring,
            gateway=self.gateway,
            clock=self.clock,
            reporter=self.reporter,
            site=self.site,
            cache=Path("/cache"),
            has_token=self.has_token,
            shelf=self.shelf,
            pictures=self.pictures,
            commits=self.commits,
            registry=self.registry,
            live=self.live,
        )

    def taken(self) -> list[str]:
        """Return the changes since the last look."""
        found, self.calls[:] = list(self.calls), []
        return found


def container(service: str, **changes: Any) -> ContainerState:  # noqa: ANN401
    """Return a container that runs well."""
    stack = changes.get("stack", "llama")
    plain = ContainerState(
        container_id="f" * 64,
        name=f"ttctl-{stack}-{service}-1",
        stack=stack,
        owner=OWNER,
        service=service,
        image="ttctl/x:1",
        config_hash="",
        state="running",
        health="healthy",
        exit_code=0,
        oom_killed=False,
        started_at="2026-01-31T10:00:00Z",
    )
    return replace(plain, **changes)


def at(value: str, source: str = "test") -> Sourced:
    """Return a setting."""
    return Sourced(value=value, source=source)
