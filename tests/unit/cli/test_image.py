# SPDX-License-Identifier: Apache-2.0
"""Does `ttctl image` draw with the real service, at a terminal and in a pipe?

The service is the program of images/sd, with stand-ins for torch and diffusers.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
from tests.standins.terminal import UP, Terminal
from tests.standins.ttctl_beside import environ_in
from tests.unit.fakes import KEY
from tests.unit.images.sd.serving import until
from tests.unit.images.sd.test_process import ask, free_port, healthy, program
from tests.unit.images.sd.test_processor import weights
from tests.unit.test_schemas import TEXTS

from ttctl.rules.picture import dimensions

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_S = 60
KITTY = re.compile(r"\x1b_Ga=T,f=100,c=(\d+),q=2,m=[01];")


@dataclass
class Place:
    """A stack `sd` that a real service serves, and a folder to draw into."""

    port: int
    folder: Path
    environ: dict[str, str]

    def command(self, *words: str, stacks: str = "") -> list[str]:
        beside = stacks or f"sd={self.port}:sd"
        return [sys.executable, "-m", "tests.standins.ttctl_beside", beside, *words]

    def run(
        self, *words: str, stdin: str = "", exits: int = 0, stacks: str = "", **environ: str
    ) -> tuple[str, str]:
        """Return what was printed to stdout and stderr, with no terminal anywhere."""
        done = subprocess.run(
            self.command(*words, stacks=stacks), cwd=self.folder,
            env={**self.environ, "TERM": "xterm-kitty", **environ}, input=stdin,
            capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        assert done.returncode == exits, done.stderr
        return done.stdout, done.stderr

    def terminal(self, *words: str, **environ: str) -> Terminal:
        return Terminal(
            self.command("image", *words), cwd=self.folder, environ={**self.environ, **environ}
        )

    def size_of(self, name: str) -> tuple[int, int] | None:
        return dimensions((self.folder / name).read_bytes())

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def metric(self, name: str) -> float:
        text = ask(self.port, "/metrics")[1].decode()
        found = [line for line in text.splitlines() if line.startswith(f"ttctl_sd_{name} ")]
        return float(found[0].rpartition(" ")[2]) if found else 0.0


@contextmanager
def serving(tmp_path: Path, **environment: str) -> Iterator[Place]:
    for name in ("service", "weights", "drawn"):
        (tmp_path / name).mkdir()
    key = tmp_path / "key"
    key.write_text(f"{KEY}\n", encoding="utf-8")
    port = free_port()
    words = ("--weights", str(weights(tmp_path / "weights")), "--name", "demo-llama")
    where = ("--port", str(port))
    environ = environ_in(tmp_path)
    with program(tmp_path / "service", *words, *where, TTCTL_KEY_FILE=str(key), **environment):
        until(lambda: healthy(port), "it is healthy")
        yield Place(port, tmp_path / "drawn", environ)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with serving(tmp_path) as one:
        yield one


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Place]:
    with serving(tmp_path, STEP_S="0.3") as one:
        yield one


# In a pipe.


def test_the_service_that_draws_can_be_named(place: Place) -> None:
    assert place.run("image", "--service", "sd", "a red circle")[0] == "a-red-circle.png\n"
    _, err = place.run("image", "--service", "api", "a red circle", exits=2)
    assert "The stack 'sd' has no service 'api' that draws." in err


def test_a_prompt_becomes_a_file_of_its_name_and_stdout_says_which(place: Place) -> None:
    out, err = place.run("image", "a red circle", "--size", "16x24", "--seed", "7")
    assert out == "a-red-circle.png\n"
    assert "16x24, seed 7" in err
    assert "Draw an image" in err
    assert place.size_of("a-red-circle.png") == (16, 24)
    assert place.files == ["a-red-circle.png"]
    out, _ = place.run("image", "a red circle", "--size", "16x24", "--seed", "7", "-q")
    assert out == "a-red-circle-2.png\n"
    first, second = ((place.folder / name).read_bytes() for name in place.files)
    assert first == second


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(place: Place) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        place.run("image", "x", "--size", "16x16", "--seed", seed, "-o", f"{name}.png")
    drawn = [(place.folder / name).read_bytes() for name in place.files]
    assert drawn[0] == drawn[1] != drawn[2]


def test_several_images_are_numbered_and_told_to_programs_with_their_figures(place: Place) -> None:
    words = ("image", "x", "-o", "out.png", "-n", "3", "--size", "16x16", "--seed", "4", "--json")
    out, err = place.run(*words)
    answer = json.loads(out)
    assert answer["schema"] == "ttctl.image/1"
    data = answer["data"]
    assert (data["stack"], data["model"], data["stopped"]) == ("sd", "demo-llama", False)
    assert [(one["path"], one["seed"]) for one in data["files"]] == [
        ("out-1.png", 4), ("out-2.png", 5), ("out-3.png", 6),
    ]  # fmt: skip
    for one in data["files"]:
        assert (one["width"], one["height"]) == (16, 16)
        assert one["size_bytes"] == (place.folder / one["path"]).stat().st_size
        assert 0 <= one["seconds"] <= data["seconds"]
    jsonschema.validate(answer, json.loads(TEXTS["image-1.json"]))
    events = [json.loads(line) for line in err.splitlines()]
    titles = [one["title"] for one in events if one["event"] == "step" and one["state"] == "done"]
    assert titles == [f"Draw image {number} of 3" for number in (1, 2, 3)]
    assert {"progress"} < {one["event"] for one in events}


@pytest.mark.parametrize("words", [("image", "-"), ("image",)], ids=["a dash", "nothing"])
def test_a_prompt_can_be_piped_in(place: Place, words: tuple[str, ...]) -> None:
    out, _ = place.run(*words, "--size", "16x16", stdin="a fox\n")
    assert out == "a-fox.png\n"


def test_no_picture_and_no_escape_code_goes_into_a_pipe_unless_it_is_asked_for(
    place: Place,
) -> None:
    words = ("image", "x", "--size", "16x16", "-o", ".")
    assert "\x1b" not in "".join(place.run(*words))
    assert KITTY.match(place.run(*words, "--show", "kitty")[0])
    assert place.run(*words, "--show", "iterm")[0].startswith("\x1b]1337;File=name=")
    inside = place.run(*words, "--show", "kitty", TMUX="/x,1,0")[0]
    assert inside.startswith("\x1bPtmux;\x1b\x1b_Ga=T")
    assert "\x1b" not in place.run(*words, "--show", "kitty", "--json")[0]
    assert "\x1b" not in place.run(*words, "--show", "kitty", "--no-show")[0]


# Refusals.


def refused(place: Place, *words: str, exits: int, stacks: str = "") -> dict[str, str]:
    """Return the four parts of a refusal by their names."""
    _, err = place.run("image", *words, exits=exits, stacks=stacks)
    found = re.findall(r"^(error|why|evidence|next):\s+(.*)$", err, re.MULTILINE)
    return dict(found)


def test_a_file_that_is_there_is_replaced_only_by_force(place: Place) -> None:
    (place.folder / "out.png").write_bytes(b"old")
    said = refused(place, "x", "-o", "out.png", "--size", "16x16", exits=2)
    assert said["next"] == "ttctl image x -o out.png --size 16x16 --force"
    assert (place.folder / "out.png").read_bytes() == b"old"
    assert place.metric("images_total") == 0
    place.run("image", "x", "-o", "out.png", "--size", "16x16", "--force")
    assert place.size_of("out.png") == (16, 16)


def test_a_size_that_is_refused_names_the_nearest(place: Place) -> None:
    said = refused(place, "x", "--size", "17x33", exits=2)
    assert said["error"] == "The service refused 'size'."
    assert "multiple of 8" in said["why"]
    assert said["evidence"] == "Asked for: 17x33."
    assert said["next"] == "ttctl image x --size 16x32"
    assert place.files == []


@pytest.mark.parametrize(
    ("words", "exits", "said"),
    [
        pytest.param(("x", "--steps", "99"), 2, "ttctl image x --steps 50", id="steps"),
        pytest.param(("x", "-n", "9"), 2, "ttctl image x -n 4", id="images"),
        pytest.param(("x", "-o", "a.jpg"), 2, "ttctl image x -o a.png", id="another format"),
        pytest.param(("x", "-o", "no/a.png"), 2, "mkdir -p no", id="no folder"),
        pytest.param((" ",), 2, 'ttctl image "a red circle" -o out.png', id="nothing"),
        pytest.param(("x", "--force", "-o", "/dev/null"), 2, "ttctl image --help", id="a device"),
        pytest.param(("x", "--stack", "sdd"), 2, "ttctl image x --stack sd", id="no stack"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_says_what_to_type(
    place: Place, words: tuple[str, ...], exits: int, said: str
) -> None:
    assert refused(place, *words, exits=exits)["next"] == said
    assert place.files == []


def test_without_a_stack_that_draws_one_is_to_be_started(place: Place) -> None:
    stacks = f"llama={place.port}"
    said = refused(place, "x", exits=5, stacks=stacks)
    assert said["error"] == "No stack that draws images runs."
    assert said["next"] == "ttctl up sd"
    said = refused(place, "x", "--stack", "llama", exits=2, stacks=stacks)
    assert said["next"] == "ttctl up sd"


def test_among_several_that_draw_one_is_to_be_named(place: Place) -> None:
    stacks = f"one={place.port}:sd,two={place.port}:sd"
    assert refused(place, "x", exits=2, stacks=stacks)["next"] == "ttctl image --stack one x"
    out, _ = place.run("image", "--stack", "two", "x", "--size", "16x16", stacks=stacks)
    assert out == "x.png\n"


def test_a_service_that_is_gone_is_a_refusal(place: Place) -> None:
    said = refused(place, "x", exits=5, stacks=f"sd={free_port()}:sd")
    assert said["error"].startswith("Nothing answers at http://127.0.0.1:")
    assert said["next"] == "ttctl status sd"


def test_ctrl_c_stops_the_service_and_keeps_what_was_whole(slow: Place) -> None:
    words = ("image", "x", "-n", "4", "--steps", "2", "--size", "16x16")
    with subprocess.Popen(
        slow.command(*words), cwd=slow.folder, env=slow.environ, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert child.stdout
        assert child.stderr
        assert child.stdout.readline() == "x-1.png\n"
        child.send_signal(signal.SIGINT)
        assert child.wait(LIMIT_S) == 130
        assert "Whole by then: x-1.png." in child.stderr.read()
    until(lambda: slow.metric("running") == 0, "the service is idle")
    assert slow.metric("images_total") < 4
    assert slow.files == ["x-1.png"]


# At a terminal.


def test_a_terminal_shows_the_steps_and_then_the_image(slow: Place) -> None:
    with slow.terminal("a fox", "--steps", "3", "--size", "16x16", TERM="xterm-kitty") as screen:
        screen.see("Draw an image")
        screen.see("2 of 3 steps")
        screen.see("\x1b_Ga=T,f=100,c=")
        screen.see("a-fox.png")
        assert screen.ends() == 0
    assert KITTY.search(screen.all)


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        pytest.param({"TERM_PROGRAM": "WezTerm"}, "\x1b]1337;File=", id="WezTerm"),
        pytest.param({"TERM": "xterm-256color"}, "", id="any other"),
        pytest.param({"TERM": "xterm-kitty", "TMUX": "/x,1,0"}, "", id="tmux"),
    ],
)
def test_an_image_is_shown_where_the_terminal_says_that_it_can(
    place: Place, environ: dict[str, str], code: str
) -> None:
    with place.terminal("a fox", "--size", "16x16", **environ) as screen:
        screen.see("a-fox.png")
        assert screen.ends() == 0
    if code:
        assert code in screen.all
    else:
        assert not re.search(r"\x1b_G|\x1b\]1337", screen.all)


def test_prompt_after_prompt_is_drawn_with_what_was_set_between(place: Place) -> None:
    with place.terminal() as screen:
        screen.see("demo-llama on sd  (/help, Ctrl-C stops an image, Ctrl-D leaves)")
        screen.see("> ")
        screen.type("/size 24x16\n")
        screen.see("size 24x16")
        screen.type("/seed 5\n")
        screen.see("seed 5")
        screen.type("a fox\n")
        screen.see("(24x16, seed 5, ")
        screen.see("> ")
        screen.type("/n 2\n")
        screen.see("n 2")
        screen.type(f"{UP}{UP}\n")
        screen.see("a-fox-2.png")
        screen.see("> ")
        screen.type("/quit\n")
        assert screen.ends() == 0
    assert place.files == ["a-fox-1.png", "a-fox-2.png", "a-fox.png"]
    history = Path(place.environ["XDG_STATE_HOME"]) / "ttctl" / "image-history"
    assert json.loads(history.read_text().splitlines()[2]) == "a fox"


def test_what_is_refused_between_prompts_is_put_right_by_a_command(place: Place) -> None:
    with place.terminal("--size", "17x17") as screen:
        screen.see("> ")
        screen.type("a fox\n")
        screen.see("The service refused 'size'.")
        screen.see("/size 16x16")
        screen.see("> ")
        screen.type("/hlep\n")
        screen.see("Nearest: /help.")
        screen.see("> ")
        screen.type("/steps many\n")
        screen.see("/steps 20")
        screen.see("> ")
        screen.type("/help\n")
        screen.see("Leave; Ctrl-D does too.")
        screen.type("/size 16x16\n")
        screen.see("size 16x16")
        screen.type("a fox\n")
        screen.see("a-fox.png")
        screen.see("> ")
        screen.type("\x04")
        assert screen.ends() == 0


def test_ctrl_c_stops_an_image_and_a_second_one_leaves(slow: Place) -> None:
    with slow.terminal("--steps", "50", "--size", "16x16") as screen:
        screen.see("> ")
        screen.type("a fox\n")
        screen.see("1 of 50 steps")
        screen.type("\x03")
        screen.see("(stopped; Ctrl-C again leaves)")
        until(lambda: slow.metric("running") == 0, "the service is idle")
        screen.see("> ")
        screen.press("\x03", until="\n")
        assert screen.ends() == 0
    assert slow.files == []


def test_ctrl_c_at_the_prompt_says_how_to_leave_first(place: Place) -> None:
    with place.terminal() as screen:
        screen.see("> ")
        screen.press("\x03", until="Ctrl-C again, Ctrl-D or /quit leaves")
        screen.see("> ")
        screen.type("/seed 1\n")
        screen.see("seed 1")
        screen.see("> ")
        screen.press("\x03", until="Ctrl-C again, Ctrl-D or /quit leaves")
        screen.see("> ")
        screen.type("\x04")
        assert screen.ends() == 0


def test_a_named_file_is_not_written_over_by_the_next_prompt(place: Place) -> None:
    with place.terminal("-o", "out.png", "--size", "16x16") as screen:
        for name in ("out.png", "out-2.png"):
            screen.see("> ")
            screen.type("a fox\n")
            screen.see(name)
        screen.see("> ")
        screen.type("/quit\n")
        assert screen.ends() == 0
    assert place.files == ["out-2.png", "out.png"]
