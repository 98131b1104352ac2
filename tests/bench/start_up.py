# SPDX-License-Identifier: Apache-2.0
"""What a command costs before it does anything: its CPU time over `python -c pass`, in one run.

The wheel of this checkout is measured, since that is what people install: its modules are compiled,
which those of a checkout need not be. Each command and what it starts are counted, in turns, and
the least of each is compared: nothing makes a command cheaper than it is.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
TURNS = 15
MANY = 1000
"""Entries of a catalog that is much larger than upstream's."""
MANY_GOAL = 20
"""Five times the entries may cost a third more: reading and listing them is the smaller part."""
CUT = ("unshare", "--map-root-user", "--net")
OPEN = ("unshare", "--map-root-user")
CUT_GOAL = 1.1
INSIDE = "--inside"
"""Said to this script where it measures the listings in a network of its own, which is empty."""
LISTINGS = (
    ("models ls", ("models", "ls")),
    ("models search", ("models", "search", "llama")),
    ("plan on n150", ("plan", "llama", "--device", "n150")),
)
"""What only reads the catalog and this machine: (name, words)."""
ENTRY = """
[[spec]]
model = "acme/Model-{number}"
device = "cpu"
engine = "vllm"
aliases = ["model-{number}"]
description = "A model that only fills a catalog"
license = "Apache-2.0"
status = "EXPERIMENTAL"
image = "vllm-cpu"
memory_mib = 6144
weights = {{ kind = "hub", repository = "acme/Model-{number}", size_mib = 700 }}
limits = {{ max_model_len = 4096, max_num_seqs = 8, block_size = 64 }}
engine_args = {{ enforce-eager = true, kv-cache-memory-bytes = "1G" }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that is measured."""

    name: str
    words: tuple[str, ...]
    goal: float = 0
    environ: dict[str, str] = field(default_factory=dict)


def main() -> int:
    """Measure; `start_up.py STACK` names a stack that runs. Exit 1 where a goal is missed."""
    if sys.argv[1:2] == [INSIDE]:
        python = Path(sys.argv[2])
        missed = print_table(python, listings(python))
        return 1 if missed else 0
    missed = measure(sys.argv[1] if len(sys.argv) > 1 else None)
    print("goals missed:", ", ".join(missed) or "none")
    return 1 if missed else 0


def measure(stack: str | None) -> list[str]:
    """Print the table; return what missed its goal. What was not measured is missed."""
    with tempfile.TemporaryDirectory() as folder:
        python = installed(Path(folder))
        missed = print_table(python, commands(python, stack))
        missed += print_cut(python)
        missed += print_sockets(python, Path(folder) / "calls.txt")
        missed += print_many(python, Path(folder) / "cache")
        missed += measure_matching(python)
    return [*missed, *([] if stack else ["status was not measured"])]


def measure_matching(python: Path) -> list[str]:
    """Print what a match costs in larger and larger catalogs; its module says how."""
    script = str(Path(__file__).with_name("matching.py"))
    done = subprocess.run([str(python), script], check=False, timeout=600)
    return ["a match that is linear"] if done.returncode else []


def commands(python: Path, stack: str | None) -> list[Command]:
    """Return what has a goal: the CPU time of `python -c pass`, so many times."""
    ttctl = str(python.with_name("ttctl"))
    typed = {"_TTCTL_COMPLETE": "bash_complete", "COMP_WORDS": "ttctl mod", "COMP_CWORD": "1"}
    looks = [Command(name=f"status {stack}", words=(ttctl, "status", stack), goal=15)]
    return [
        Command(name="--version", words=(ttctl, "--version"), goal=2),
        Command(name="--help", words=(ttctl, "--help"), goal=6),
        Command(name="completion of a verb", words=(ttctl,), goal=6, environ=typed),
        Command(
            name="completion of a model",
            words=(ttctl,),
            goal=6,
            environ={**typed, "COMP_WORDS": "ttctl up ", "COMP_CWORD": "2"},
        ),
        *(looks if stack else []),
    ]  # fmt: skip


def listings(python: Path) -> list[Command]:
    """Return what has to answer without a network: the same goal in an empty one."""
    ttctl = str(python.with_name("ttctl"))
    return [Command(name=name, words=(ttctl, *words), goal=15) for name, words in LISTINGS]


def print_table(python: Path, measured: list[Command]) -> list[str]:
    """Print each command's CPU time and ratio; return the names of those that missed."""
    nothing = Command(name="python -c pass", words=(str(python), "-c", "pass"))
    least = in_turns([nothing, *measured])
    floor = least[nothing.name]
    print(f"CPU time with what each command starts, least of {TURNS} turns:")
    print(f"  {nothing.name:<22} {floor:6.1f} ms")
    for one in measured:
        ratio = least[one.name] / floor
        print(f"  {one.name:<22} {least[one.name]:6.1f} ms  {ratio:5.2f} (goal <= {one.goal})")
    sys.stdout.flush()
    return [one.name for one in measured if least[one.name] > one.goal * floor]


def print_cut(python: Path) -> list[str]:
    """Print what the listings cost with the network cut, and one of them over with it."""
    if shutil.which(CUT[0]) is None or subprocess.run([*CUT, "true"], check=False).returncode:
        print("listings with the network cut: not measured, no network of its own can be made")
        return ["listings with the network cut"]
    print("with the network cut:", flush=True)
    inside = [*CUT, sys.executable, __file__, INSIDE, str(python)]
    missed = ["listings"] if subprocess.run(inside, check=False, timeout=600).returncode else []
    words = (str(python.with_name("ttctl")), "models", "ls")
    cut, free = (
        Command(name=name, words=(*prefix, *words)) for name, prefix in (("cut", CUT), ("", OPEN))
    )
    least = in_turns([cut, free])
    ratio = least[cut.name] / least[free.name]
    print(f"models ls with the network cut / with it: {ratio:.2f} (goal <= {CUT_GOAL})", flush=True)
    return [*missed, *(["models ls with the network cut"] if ratio > CUT_GOAL else [])]


def print_sockets(python: Path, calls: Path) -> list[str]:
    """Print how many sockets of any kind each listing opens; every one of them misses the goal."""
    if shutil.which("strace") is None:
        print("sockets: not counted, strace is missing")
        return ["sockets of the listings"]
    missed = []
    for name, words in LISTINGS:
        trace = ("strace", "-f", "-qq", "-e", "trace=socket,socketpair", "-o", str(calls))
        output(*trace, str(python.with_name("ttctl")), *words)
        opened = len(re.findall(r"\bsocket(?:pair)?\(", calls.read_text(encoding="utf-8")))
        print(f"sockets opened by {name}: {opened} (goal 0)", flush=True)
        missed += [f"sockets of {name}"] if opened else []
    return missed


def print_many(python: Path, cache: Path) -> list[str]:
    """Print what `models ls` costs with a large catalog: when it is new, and from then on."""
    where = "from ttctl.adapters import places; print(places.catalog())"
    catalog = Path(output(str(python), "-c", where))
    text = "".join(ENTRY.format(number=number) for number in range(MANY))
    (catalog / "many.toml").write_text(f'schema = 1\nsource = "a bench"\n{text}', encoding="utf-8")
    environ = {"XDG_CACHE_HOME": str(cache)}
    words = (str(python.with_name("ttctl")), "models", "ls")
    nothing = Command(name="python -c pass", words=(str(python), "-c", "pass"))
    again = Command(name="again", words=words, environ=environ)
    new = cpu_ms(again)
    least = in_turns([nothing, again])
    floor = least[nothing.name]
    ratio = least[again.name] / floor
    print(
        f"models ls with {MANY} more entries: {new / floor:.0f} when they are new, "
        f"then {ratio:.2f} (goal <= {MANY_GOAL})",
        flush=True,
    )
    return [f"models ls with {MANY} entries"] if ratio > MANY_GOAL else []


def in_turns(measured: list[Command]) -> dict[str, float]:
    """Return each command's least CPU time in milliseconds, measured in turns."""
    found: dict[str, list[float]] = {one.name: [] for one in measured}
    for _ in range(TURNS):
        for one in measured:
            found[one.name].append(cpu_ms(one))
    return {name: min(times) for name, times in found.items()}


def cpu_ms(command: Command) -> float:
    """Return the CPU time of one run, with everything that it started and waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output(*command.words, environ=command.environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def output(*words: str, environ: dict[str, str] | None = None) -> str:
    """Return what a command prints; one that fails or prints nothing measures nothing."""
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, **(environ or {})},
    )  # fmt: skip
    if done.returncode or not (done.stdout or words[-1] == "pass"):
        print(done.stderr, file=sys.stderr)
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}")
    return done.stdout.strip()


def installed(folder: Path) -> Path:
    """Install this checkout's wheel beside the libraries that are here; return its Python."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    output_of_build = folder / "wheel"
    build = ["wheel", "--no-deps", "--wheel-dir", str(output_of_build), str(ROOT)]
    subprocess.run([*pip, *build], check=True, timeout=600, stdout=subprocess.DEVNULL)
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv/bin/python"
    (wheel,) = output_of_build.glob("ttctl-*.whl")
    install = ["--python", str(python), "install", "--no-deps", str(wheel)]
    subprocess.run([*pip, *install], check=True, timeout=600, stdout=subprocess.DEVNULL)
    # Behind the wheel's own folder, in which ttctl is found first.
    own = Path(output(str(python), "-c", "import sysconfig;print(sysconfig.get_path('purelib'))"))
    (own / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return python


if __name__ == "__main__":
    raise SystemExit(main())
