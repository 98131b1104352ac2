# SPDX-License-Identifier: Apache-2.0
"""Is each host of an entry that spans several given a folder that is complete by itself?"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.unit.cards import card_scene
from tests.unit.rules.launching import named, pins_of

from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.operations.forms import in_forms

if TYPE_CHECKING:
    from ttctl.model.plan import StackForm

SHELLCHECK = Path(sys.executable).with_name("shellcheck")
DEVICES = {"dual_galaxy": 2, "quad_galaxy": 4}
VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z_0-9]+):\?")
NAMES = ("alpha", "beta.site", "gamma", "delta")


def folder_of(
    device: str, *forms: StackForm, image: str = "", port: int | None = None
) -> dict[str, str]:
    """Return path to text of what is rendered for DeepSeek on several hosts."""
    spec = named(f"id_deepseek-r1-galaxy_DeepSeek-R1-0528_{device}")
    pins = pins_of(spec)
    spec = replace(spec, pins=replace(pins, image=image or pins.image))
    scene = card_scene(spec)
    request = Request(model=spec.model, device=device, port=port)
    desired = desire(scene.world, request, rendering=True)
    whole = in_forms(scene.world, desired, forms or ("compose",))
    return {path: text for path, (text, _) in whole.files.items()}


def values_of(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {name: value.strip("'") for name, _, value in pairs}


def part(files: dict[str, str], number: int) -> dict[str, str]:
    """Return the files of one host, by their path in its folder."""
    prefix = f"host-{number}/" if number > 1 else ""
    return {
        path.removeprefix(prefix): text for path, text in files.items() if path.startswith(prefix)
    }


@pytest.mark.parametrize(("device", "hosts"), DEVICES.items())
def test_each_host_has_a_folder_with_everything_that_its_compose_file_names(
    device: str, hosts: int
) -> None:
    files = folder_of(device)
    for number in range(1, hosts + 1):
        own = part(files, number)
        composed = own["compose.yaml"]
        values = values_of(own[".env"])
        assert all(values[name] for name in VARIABLE.findall(composed))
        assert "README.md" in own
        for service in yaml.safe_load(composed)["services"].values():
            for mount in service["volumes"]:
                source = mount["source"]
                if source.startswith("./"):
                    assert any(path.startswith(source[2:] + "/") for path in own), source
    assert f"host-{hosts + 1}/compose.yaml" not in files


def test_the_first_host_has_worker_server_and_gateway_and_each_other_a_worker() -> None:
    files = folder_of("quad_galaxy")
    found = [
        list(yaml.safe_load(part(files, number)["compose.yaml"])["services"])
        for number in range(1, 5)
    ]
    assert found == [["worker-0", "vllm", "gateway"], ["worker-1"], ["worker-2"], ["worker-3"]]


def services(files: dict[str, str], number: int = 1) -> Any:  # noqa: ANN401 - YAML
    return yaml.safe_load(part(files, number)["compose.yaml"])["services"]


def test_all_but_the_gateway_use_the_hosts_network_and_processes() -> None:
    files = folder_of("dual_galaxy")
    for service in (
        services(files)["worker-0"],
        services(files)["vllm"],
        *services(files, 2).values(),
    ):
        assert (service["network_mode"], service["pid"]) == ("host", "host")
        assert len(service["devices"]) == 32
    gateway = services(files)["gateway"]
    assert gateway["networks"] == ["front"]
    assert gateway["extra_hosts"] == ["vllm:host-gateway"]
    assert "resolvers stack resolve-prefer" not in files["gateway/haproxy.cfg"]


def test_a_worker_gets_neither_the_servers_key_nor_its_settings_nor_the_private_ssh_key() -> None:
    worker = services(folder_of("dual_galaxy"), 2)["worker-1"]
    given = {name: value for name, value in worker["environment"].items() if value}
    assert given == {
        "MULTIHOST_ROLE": "worker",
        "PUBKEY_SRC": "/etc/ttctl/cluster/authorized_keys.pub",
        "SSH_PORT": "2200",
    }
    sources = [mount["source"] for mount in worker["volumes"]]
    assert not [one for one in sources if "SECRETS" in one or "TTCTL_CACHE" in one]
    (cluster,) = [one for one in sources if "TTCTL_CLUSTER" in one]
    assert cluster.endswith("}/worker")
    assert worker["entrypoint"] == ["/usr/local/bin/multihost_entrypoint.sh"]
    assert "command" not in worker


def test_a_worker_is_healthy_when_its_ssh_server_answers() -> None:
    worker = services(folder_of("dual_galaxy"), 2)["worker-1"]
    assert "/dev/tcp/127.0.0.1/2200" in worker["healthcheck"]["test"][-1]
    assert worker["healthcheck"]["start_period"] == "60s"


def test_the_server_is_told_which_variables_of_the_place_it_has() -> None:
    environment = services(folder_of("quad_galaxy"))["vllm"]["environment"]
    assert environment["MESH_DEVICE"] == "(8,16)"
    assert environment["MULTIHOST_ROLE"] == "controller"
    assert environment["VLLM_TARGET_DEVICE"] == "tt"
    for name in ("NCCL_SOCKET_IFNAME", "ETH"):
        assert environment[name].startswith("${TTCTL_INTERFACE:?")
    assert environment["HOSTS"].startswith("${TTCTL_HOSTS:?")
    assert environment["DEEPSEEK_V3_HF_MODEL"].startswith("/home/container_app_user/readonly_hub/")
    assert environment["DEEPSEEK_V3_CACHE"].startswith("/home/container_app_user/shared/")


def test_the_servers_settings_start_a_process_in_each_worker() -> None:
    told = json.loads(folder_of("dual_galaxy")["launch/model_spec.json"])
    options = json.loads(told["device_model_spec"]["vllm_args"]["override_tt_config"])
    assert options["rank_binding"].endswith("/dual_galaxy_rank_bindings.yaml")
    assert options["mpi_args"] == (
        "--host @TTCTL_HOSTS@ --map-by rankfile:file=/etc/ttctl/cluster/rankfile --bind-to none"
    )
    assert options["extra_ttrun_args"] == "--tcp-interface @TTCTL_INTERFACE@"
    assert options["fabric_config"] == "FABRIC_1D"
    assert {"DEEPSEEK_V3_CACHE", "DEEPSEEK_V3_HF_MODEL", "MESH_DEVICE", "VLLM_*"} <= set(
        options["env_passthrough"]
    )


def test_the_readmes_say_the_order_the_gateways_host_and_what_is_not_known() -> None:
    files = folder_of("quad_galaxy")
    assert "Begin with HOSTS.md" in files["README.md"]
    page = files["HOSTS.md"]
    assert "`gateway` (the one door, port 8080)" in page
    assert "| 4 | `host-4/` | `worker-3` |" in page
    assert page.index("sh hosts.sh") < page.index("Copy each `host-N/`") < page.index("--wait`\n")
    assert "## Not known to ttctl" in page
    assert "not yet run on a card" in page
    for number in range(2, 5):
        assert f"# Host {number} of 4" in files[f"host-{number}/README.md"]
        assert "There is no gateway here" in files[f"host-{number}/README.md"]


def test_the_gateway_has_another_port_than_the_server_on_the_first_hosts_network() -> None:
    files = folder_of("dual_galaxy")
    assert values_of(files[".env"])["TTCTL_PORT"] == "8080"
    assert "Port 8000 of host 1 is the\n  server itself" in files["HOSTS.md"]
    assert (
        "| `TTCTL_PORT` | 1 | the port of the gateway: any that is free but 8000"
        in (files["HOSTS.md"])
    )
    asked = folder_of("dual_galaxy", port=9000)
    assert values_of(asked[".env"])["TTCTL_PORT"] == "9000"


def test_an_image_that_was_not_made_for_several_hosts_is_said_to_be_none() -> None:
    said = "whether this image can do it at all"
    older = "ghcr.io/tenstorrent/tt-inference-server/vllm-tt-metal-src-release-ubuntu-22.04-amd64"
    assert said in folder_of("dual_galaxy", image=f"{older}:0.9.0-805f43d-a45c614")["HOSTS.md"]
    assert said not in folder_of("dual_galaxy")["HOSTS.md"]


def test_every_form_is_in_every_hosts_folder() -> None:
    files = folder_of("dual_galaxy", "compose", "run", "quadlet")
    stack = yaml.safe_load(files["compose.yaml"])["name"]
    for number in (1, 2):
        own = part(files, number)
        assert {"compose.yaml", "run.sh", "stop.sh"} <= set(own)
        assert f"{stack}-worker-{number - 1}.container" in own
    assert f"{stack}-worker-0.container" in files
    assert "./run.sh" in files["host-2/README.md"]
    assert "systemctl start" in files["host-2/README.md"]


def laid(folder: Path, device: str, **changes: str) -> Path:
    """Write what `hosts.sh` reads, with .env filled in as a user would."""
    files = folder_of(device)
    (folder / "shared").mkdir(parents=True)
    own = {
        **values_of(files[".env"]),
        "TTCTL_HOSTS": ",".join(NAMES[: DEVICES[device]]),
        "TTCTL_INTERFACE": "cnx1",
        "TTCTL_SHARED": str(folder / "shared"),
        "TTCTL_SECRETS": str(folder / "secrets"),
        "TTCTL_ENGINE_SECRETS": str(folder / "secrets" / "engine"),
        **changes,
    }
    for path in ("hosts.sh", "launch/model_spec.json"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(files[path], encoding="utf-8")
    text = "".join(f"{name}='{value}'\n" for name, value in own.items())
    (folder / ".env").write_text(text, encoding="utf-8")
    return folder


def ran(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "hosts.sh"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(("device", "hosts"), DEVICES.items())
def test_hosts_sh_writes_what_names_the_hosts(tmp_path: Path, device: str, hosts: int) -> None:
    folder = laid(tmp_path / "made", device)
    done = ran(folder)
    assert (done.returncode, done.stderr) == (0, "")
    cluster, names = folder / "cluster", NAMES[:hosts]
    assert (cluster / "rankfile").read_text() == "".join(
        f"rank {rank}={name} slot=0:*\n" for rank, name in enumerate(names)
    )
    config = (cluster / "ssh" / "config").read_text()
    assert re.findall(r"^Host (.*)$", config, re.MULTILINE) == list(names)
    assert config.count("    Port 2200\n") == hosts
    text = (cluster / "model_spec.json").read_text()
    options = json.loads(json.loads(text)["device_model_spec"]["vllm_args"]["override_tt_config"])
    assert options["mpi_args"].startswith(f"--host {','.join(names)} --map-by")
    assert options["extra_ttrun_args"] == "--tcp-interface cnx1"
    assert "@TTCTL" not in text
    public = (cluster / "worker" / "authorized_keys.pub").read_text()
    assert public == (cluster / "ssh" / "id_ed25519_multihost.pub").read_text()
    for number in range(2, hosts + 1):
        copied = folder / f"host-{number}" / "cluster" / "worker"
        assert [path.name for path in copied.iterdir()] == ["authorized_keys.pub"]
    key = (folder / "secrets" / "engine" / "key").read_text()
    assert re.fullmatch(r"[0-9a-f]{64}", key)
    assert (folder / "secrets" / "engine.map").read_text() == f"engine {key}\n"
    shared = {path.name for path in (folder / "shared").iterdir()}
    assert shared == {"config_pkl", "cache_DeepSeek-R1-0528"}


def test_only_their_owner_reads_the_private_keys(tmp_path: Path) -> None:
    folder = laid(tmp_path / "made", "dual_galaxy")
    assert ran(folder).returncode == 0
    modes = {
        path: (folder / path).stat().st_mode & 0o777
        for path in (
            "cluster/ssh", "cluster/ssh/id_ed25519_multihost", "secrets/engine/key",
            "cluster/worker/authorized_keys.pub", "cluster/model_spec.json",
        )
    }  # fmt: skip
    assert list(modes.values()) == [0o700, 0o600, 0o600, 0o644, 0o644]


def test_hosts_sh_typed_again_keeps_both_keys_and_takes_the_new_names(tmp_path: Path) -> None:
    folder = laid(tmp_path / "made", "dual_galaxy")
    assert ran(folder).returncode == 0
    kept = [
        (folder / path).read_text()
        for path in ("cluster/ssh/id_ed25519_multihost", "secrets/engine/key")
    ]
    text = (folder / ".env").read_text().replace("alpha", "omega")
    (folder / ".env").write_text(text)
    assert ran(folder).returncode == 0
    assert "rank 0=omega slot=0:*\n" in (folder / "cluster" / "rankfile").read_text()
    assert kept == [
        (folder / path).read_text()
        for path in ("cluster/ssh/id_ed25519_multihost", "secrets/engine/key")
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TTCTL_HOSTS", "host-1.example,host-2.example"),
        ("TTCTL_HOSTS", "alpha"),
        ("TTCTL_HOSTS", "alpha,alpha"),
        ("TTCTL_HOSTS", "alpha,beta,gamma"),
        ("TTCTL_HOSTS", "alpha,"),
        ("TTCTL_HOSTS", "alpha,-oProxyCommand"),
        ("TTCTL_HOSTS", "alpha,b/g"),
        ("TTCTL_HOSTS", "alpha,be ta"),
        ("TTCTL_HOSTS", "alpha,b\n"),
        ("TTCTL_INTERFACE", "interface.example"),
        ("TTCTL_INTERFACE", ""),
        ("TTCTL_INTERFACE", "cnx1 --bad"),
        ("TTCTL_INTERFACE", 'a"b'),
        ("TTCTL_SHARED", "/shared.example"),
        ("TTCTL_PORT", "8000"),
        ("TTCTL_PORT", "08000"),
        ("TTCTL_PORT", ""),
    ],
)
def test_hosts_sh_refuses_what_no_host_is_called_and_writes_nothing(
    tmp_path: Path, name: str, value: str
) -> None:
    folder = laid(tmp_path / "made", "dual_galaxy", **{name: value})
    done = ran(folder)
    assert done.returncode == 9
    assert f"hosts.sh: {name} in .env" in done.stderr
    assert not (folder / "cluster").exists()


@pytest.mark.parametrize("device", DEVICES)
def test_the_scripts_of_every_host_are_ones_that_shellcheck_takes(
    tmp_path: Path, device: str
) -> None:
    scripts = []
    for path, text in folder_of(device, "compose", "run").items():
        if path.endswith(".sh"):
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
            scripts.append(path)
    assert "hosts.sh" in scripts
    done = subprocess.run(
        [SHELLCHECK, *scripts], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
