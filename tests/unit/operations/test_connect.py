# SPDX-License-Identifier: Apache-2.0
"""Are a tool's settings what its makers describe, and is no file of anybody's lost?"""

from __future__ import annotations

import ast
import shlex
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.unit.fakes import KEY, Scene

from ttctl.errors import TtctlError, UsageError
from ttctl.model.spec import Request
from ttctl.model.talk import Door
from ttctl.model.tls import At
from ttctl.operations.connect import HIDDEN, connection, is_ours, meant_tool, tool_named, write
from ttctl.operations.up import up

if TYPE_CHECKING:
    from ttctl.model.connect import Connection, Tool

URL = "http://127.0.0.1:8123/v1"
ODD = 'acme/It\'s a "$(touch x)" model: #1'
TOOLS = Scene().shelf.known()
every_tool = pytest.mark.parametrize("tool", TOOLS, ids=[tool.name for tool in TOOLS])


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    up(scene.world, Request(model="llama", port=8123))
    return scene


def door(model: str = "acme/Small-1B") -> Door:
    return Door(stack="llama", model=model, device="cpu", at=At(port=8123), max_model_len=4096)


def named(name: str) -> Tool:
    return tool_named(TOOLS, name)


def settings(scene: Scene, name: str, *, model: str = "acme/Small-1B", key: bool = False) -> str:
    return connection(scene.world, door(model), named(name), show_key=key).settings


def shell(text: str, tmp_path: Path, *, program: str = "sh") -> str:
    """Run a text in a shell without any command of this machine but `cat`."""
    done = subprocess.run(
        [program, "-c", text], cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True,
        text=True, check=True, timeout=30,
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []
    return done.stdout


@every_tool
def test_no_tool_is_told_the_key_unless_it_was_asked_for(scene: Scene, tool: Tool) -> None:
    found = connection(scene.world, door(), tool, show_key=False)
    assert KEY not in repr(found)
    assert not found.holds_key
    assert str(found.key_file) in found.settings
    assert "127.0.0.1:8123" in found.settings


@every_tool
def test_a_tools_page_and_what_to_type_are_filled_in(scene: Scene, tool: Tool) -> None:
    found = connection(scene.world, door(), tool, show_key=False)
    assert tool.source.startswith("https://")
    assert not {"STACK", "FILE", "KEYFILE"} & set(shlex.split(found.use, comments=True))
    assert "llama" in found.use


@every_tool
@pytest.mark.parametrize("key", [False, True], ids=["by its file", "itself"])
def test_an_odd_name_stays_one_value(scene: Scene, tool: Tool, *, key: bool) -> None:
    text = settings(scene, tool.name, model=ODD, key=key)
    match tool.form:
        case "yaml":
            assert any(ODD in leaf for leaf in leaves(yaml.safe_load(text)))
        case "python":
            assert ODD in {
                n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant)
            }
        case "sh" | "fish":
            assert "touch x" in text


def leaves(value: Any) -> list[str]:  # noqa: ANN401
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in leaves(one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in leaves(one)]
    return [str(value)]


@pytest.mark.parametrize("model", ["acme/Small-1B", ODD], ids=["plain", "odd"])
def test_a_shell_reads_the_variables(scene: Scene, tmp_path: Path, model: str) -> None:
    text = settings(scene, "env", model=model, key=True)
    told = (
        '\nprintf "%s\\n" "$OPENAI_BASE_URL" "$OPENAI_API_BASE" "$OPENAI_API_KEY" "$OPENAI_MODEL"'
    )
    assert shell(text + told, tmp_path).splitlines() == [URL, URL, KEY, model]


def test_a_shell_reads_the_key_from_its_file(scene: Scene, tmp_path: Path) -> None:
    kept = tmp_path / "key's file"
    kept.write_text(f"{KEY}\n")
    scene.store.key_file = lambda _: kept  # type: ignore[method-assign]
    text = settings(scene, "env")
    done = subprocess.run(
        ["sh", "-c", f'{text}\nprintf %s "$OPENAI_API_KEY"'], capture_output=True, check=True
    )
    assert done.stdout.decode() == KEY


def test_open_webui_gets_the_key_as_a_file_and_stays_on_loopback(scene: Scene) -> None:
    words = shlex.split(settings(scene, "open-webui", key=True), comments=True)
    assert KEY not in " ".join(words)
    given = {
        word.partition("=")[0]: word.partition("=")[2]
        for flag, word in pairwise(words)
        if flag == "--env"
    }
    assert given["OPENAI_API_BASE_URLS"] == URL
    assert given["HOST"] == "127.0.0.1"
    key_file = scene.store.key_file("llama")
    assert f"type=bind,source={key_file},target=/run/ttctl-key,readonly" in words
    assert "OPENAI_API_KEYS" in words[-1]
    assert words[words.index("--network") + 1] == "host"


def test_continue_gets_a_config_with_what_its_reference_requires(scene: Scene) -> None:
    """Required: https://docs.continue.dev/reference."""
    config = yaml.safe_load(settings(scene, "continue", key=True))
    assert {"name", "version", "schema", "models"} == config.keys()
    assert config["schema"] == "v1"
    (model,) = config["models"]
    assert {"name", "provider", "model"} <= model.keys()
    assert (model["provider"], model["apiBase"], model["apiKey"]) == ("openai", URL, KEY)
    assert set(model["roles"]) <= {
        "chat", "autocomplete", "embed", "rerank", "edit", "apply", "summarize",
    }  # fmt: skip
    assert model["defaultCompletionOptions"] == {"contextLength": 4096, "maxTokens": 1024}
    hidden = yaml.safe_load(settings(scene, "continue"))["models"][0]["apiKey"]
    assert hidden == "${{ secrets.TTCTL_API_KEY }}"


def test_aider_gets_its_own_option_names(scene: Scene) -> None:
    """The names: https://aider.chat/docs/config/aider_conf.html."""
    config = yaml.safe_load(settings(scene, "aider", key=True))
    assert config["model"] == "openai/acme/Small-1B"
    assert config["openai-api-base"] == URL
    assert config["openai-api-key"] == KEY
    assert "openai-api-key" not in yaml.safe_load(settings(scene, "aider"))


def test_llm_gets_a_list_of_models_whose_key_has_a_name(scene: Scene) -> None:
    """The keys: https://llm.datasette.io/en/stable/other-models.html."""
    assert yaml.safe_load(settings(scene, "llm", key=True)) == [
        {
            "model_id": "ttctl/llama",
            "model_name": "acme/Small-1B",
            "api_base": URL,
            "api_key_name": "ttctl-llama",
        }
    ]


def test_litellm_gets_a_list_of_models(scene: Scene) -> None:
    """The keys: https://docs.litellm.ai/docs/proxy/configs."""
    (model,) = yaml.safe_load(settings(scene, "litellm"))["model_list"]
    assert model["model_name"] == "acme/Small-1B"
    assert model["litellm_params"] == {
        "model": "openai/acme/Small-1B",
        "api_base": URL,
        "api_key": "os.environ/TTCTL_API_KEY",
    }


# Files.


def written(scene: Scene, name: str, **options: Any) -> Connection:  # noqa: ANN401
    shown = connection(scene.world, door(), named(name), show_key=False)
    values = {"file": None, "dry_run": False, **options}
    return write(scene.world, door(), named(name), shown, **values)


def test_a_file_is_written_once_and_replaced_where_it_is_ours(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home")
    target = Path("/home/.aider.conf.yml")
    assert written(scene, "aider").state == "written"
    first = scene.shelf.files[target]
    assert KEY in first
    assert is_ours(first)
    again = written(scene, "aider")
    assert (again.state, again.file, again.holds_key) == ("unchanged", str(target), True)
    shown = connection(scene.world, door("other"), named("aider"), show_key=False)
    write(scene.world, door("other"), named("aider"), shown, file=None, dry_run=False)
    assert "openai/other" in scene.shelf.files[target]


@pytest.mark.parametrize("text", ["", "x: 1\n", "# Written by ttctl connect aider; sha256 of\n"])
def test_a_file_of_somebodys_is_never_replaced(scene: Scene, text: str) -> None:
    target = Path("/etc/mine")
    scene.shelf.files[target] = text
    with pytest.raises(TtctlError, match="not ours to replace") as caught:
        written(scene, "aider", file=target)
    assert scene.shelf.files[target] == text
    assert "openai-api-base" in caught.value.evidence
    assert KEY not in caught.value.evidence
    assert caught.value.next_step == "ttctl connect aider llama --output /etc/mine.ttctl"


def test_a_file_that_was_changed_since_is_somebodys(scene: Scene) -> None:
    target = Path("/etc/mine")
    written(scene, "aider", file=target)
    scene.shelf.files[target] += "dark-mode: true\n"
    with pytest.raises(TtctlError, match="not ours to replace"):
        written(scene, "aider", file=target)


def test_a_dry_run_writes_nothing_and_still_refuses(scene: Scene) -> None:
    target = Path("/etc/mine")
    planned = written(scene, "aider", file=target, dry_run=True)
    assert (planned.state, planned.holds_key) == ("planned", True)
    assert scene.shelf.files == {}
    done = written(scene, "aider", file=target)
    assert planned.settings == scene.shelf.files[target].replace(KEY, HIDDEN)
    assert done.state == "written"
    scene.shelf.files[target] = "x: 1\n"
    with pytest.raises(TtctlError):
        written(scene, "aider", file=target, dry_run=True)


def test_a_folder_that_is_not_there_is_not_made(scene: Scene) -> None:
    with pytest.raises(UsageError, match="There is no folder '/nonexist'") as caught:
        written(scene, "aider", file=Path("/nonexist/x"))
    assert caught.value.next_step == "mkdir -p /nonexist"
    assert scene.shelf.files == {}


def test_a_stack_in_the_place_of_a_tool_is_told_as_such(scene: Scene) -> None:
    with pytest.raises(UsageError, match="'llama' is a stack, and no program") as caught:
        meant_tool(scene.world, "llama")
    assert caught.value.next_step == "ttctl connect env llama"
    with pytest.raises(UsageError, match="no settings for 'aidr'"):
        meant_tool(scene.world, "aidr")


def test_a_tool_without_a_file_says_how_to_name_one(scene: Scene) -> None:
    with pytest.raises(UsageError, match="env has no file of its own") as caught:
        written(scene, "env")
    assert caught.value.next_step == "ttctl connect env --output ttctl-env"


def test_an_unknown_tool_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no settings for 'aidr'") as caught:
        named("aidr")
    assert (caught.value.mistyped, caught.value.meant) == ("aidr", "aider")
    with pytest.raises(UsageError) as caught:
        named("xyz")
    assert caught.value.next_step == "ttctl connect"
