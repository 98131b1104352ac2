# SPDX-License-Identifier: Apache-2.0
"""Is the base image pulled by digest where a registry answers, and else made from packages?"""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest
from tests.unit.adapters.programs import Programs
from tests.unit.fakes import FakeReporter, at

from ttctl.adapters.base_image import (
    bootstrap_commands,
    decide_base,
    mirror_of,
    mirrored,
    obtain_base,
    pull,
)
from ttctl.adapters.sources import BaseEntry
from ttctl.errors import BadFileError, BuildError, OfflineError, PrivilegeError, TtctlError
from ttctl.model.image import BaseImage
from ttctl.model.site import Site

GOLDEN = Path(__file__).parents[2] / "golden"
IMAGE = "registry.example.org/library/debian:bookworm-slim"
ENTRY = BaseEntry(distribution="debian", release="bookworm", image=IMAGE)
DIGEST = f"sha256:{'a' * 64}"
BOOTSTRAPPED = BaseImage(
    origin="bootstrapped", reference="ttctl/rootfs:bookworm", source="debian bookworm"
)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return Programs(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"""print('{{"digest": "{DIGEST}", "size": 1}}')""", id="on one line"),
        pytest.param(
            f"""print('WARNING: x', file=sys.stderr); print('{{"digest": "{DIGEST}"}}')""",
            id="after a warning",
        ),
        pytest.param(f"""print('{{\\n  "digest": "{DIGEST}"\\n}}')""", id="on several lines"),
    ],
)
def test_a_registry_that_answers_gives_the_digest(programs: Programs, body: str) -> None:
    programs.add("docker", body)
    base = decide_base(ENTRY, Site(), offline=False)
    assert (base.origin, base.digest, base.source) == ("registry", DIGEST, IMAGE)
    assert base.reference == f"ttctl/rootfs:bookworm-{'a' * 16}"
    assert programs.calls[0][-1] == IMAGE


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("sys.exit(1)", id="no registry"),
        pytest.param("print('not json')", id="no JSON"),
        pytest.param("print('null')", id="null"),
        pytest.param("print('[]')", id="a list"),
        pytest.param("""print('{"digest": "sha256:abc"}')""", id="no digest"),
        pytest.param("import time; print('{', flush=True); time.sleep(30)", id="silence"),
    ],
)
def test_a_registry_that_does_not_answer_is_done_without(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setattr("ttctl.adapters.registry.REGISTRY_S", 0.3)
    programs.add("docker", body)
    base = decide_base(ENTRY, Site(), offline=False)
    assert (base.origin, base.reference, base.digest) == (
        "bootstrapped",
        "ttctl/rootfs:bookworm",
        "",
    )
    assert IMAGE in base.reason


def test_without_docker_the_base_is_made(programs: Programs) -> None:
    assert decide_base(ENTRY, Site(), offline=False).origin == "bootstrapped"
    assert decide_base(ENTRY, Site(), offline=True).origin == "bootstrapped"
    assert programs.calls == []


def test_offline_the_engine_alone_is_asked_and_what_was_pulled_before_is_taken(
    programs: Programs,
) -> None:
    programs.add("docker")
    made = decide_base(ENTRY, Site(), offline=True)
    assert (made.origin, made.reference) == ("bootstrapped", "ttctl/rootfs:bookworm")
    assert "no registry may be asked" in made.reason
    assert [call[:3] for call in programs.calls] == [["docker", "image", "ls"]]
    had = f"ttctl/rootfs:bookworm-{'a' * 16}"
    digests = f"print('r.example.org/library/debian@{DIGEST}')"
    programs.add("docker", f"print('{had}') if 'ls' in sys.argv else {digests}")
    pulled = decide_base(ENTRY, Site(), offline=True)
    assert (pulled.origin, pulled.reference, pulled.digest) == ("registry", had, DIGEST)
    assert "pulled before" in pulled.reason


def test_an_image_that_only_has_such_a_name_is_not_taken_for_one_that_was_pulled(
    programs: Programs,
) -> None:
    lies = "print('ttctl/rootfs:bookworm-0123456789abcdef') if 'ls' in sys.argv else print('')"
    programs.add("docker", lies)
    assert decide_base(ENTRY, Site(), offline=True).origin == "bootstrapped"


@pytest.mark.parametrize(
    ("said", "kind", "step"),
    [
        pytest.param(
            "unexpected status: 401 Unauthorized",
            PrivilegeError,
            "docker login m.example.org:5000",
            id="a login is missing",
        ),
        pytest.param(
            "x509: certificate signed by unknown authority",
            OfflineError,
            "/etc/docker/certs.d/m.example.org:5000/ca.crt",
            id="its certificate is unknown",
        ),
    ],
)
def test_a_mirror_that_answers_and_does_not_give_is_no_silence(
    programs: Programs, said: str, kind: type[TtctlError], step: str
) -> None:
    programs.add("docker", f"print({said!r}); sys.exit(1)")
    site = Site(registry=at("m.example.org:5000/hub"))
    with pytest.raises(kind, match=r"'m\.example\.org:5000'") as refused:
        decide_base(ENTRY, site, offline=False)
    assert step in refused.value.next_step
    with pytest.raises(kind):
        pull("m.example.org:5000/hub/vllm:1", FakeReporter())
    # The public registry is done without: no person named it.
    assert decide_base(ENTRY, Site(), offline=False).origin == "bootstrapped"


@pytest.mark.parametrize(
    "value", ["https://m.example.org", "me:canary@m.example.org", "m.example.org/Über", "a b", "-x"]
)
def test_a_mirror_that_is_no_start_of_a_reference_is_refused(
    programs: Programs, value: str
) -> None:
    with pytest.raises(BadFileError, match="'registry' cannot be put before") as refused:
        decide_base(ENTRY, Site(registry=at(value, "TTCTL_REGISTRY")), offline=False)
    assert "TTCTL_REGISTRY" in refused.value.evidence
    assert "canary" not in str(vars(refused.value))
    assert programs.calls == []


def test_a_registry_is_asked_through_the_places_proxy_and_with_its_certificates(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://of-the-shell.example.org")
    names = ("https_proxy", "HTTPS_PROXY", "http_proxy", "SSL_CERT_FILE", "HOME")
    seen = tmp_path / "seen"
    programs.add(
        "docker",
        f"import os; open({str(seen)!r}, 'w').write(repr([os.environ.get(n) for n in {names}]))",
    )
    proxy = "http://p.example.org:1"
    site = Site(https_proxy=at(proxy), ca_bundle=at("/etc/corporate.pem"))
    decide_base(ENTRY, site, offline=False)
    expected = [proxy, proxy, None, "/etc/corporate.pem", os.environ["HOME"]]
    assert seen.read_text() == repr(expected)


@pytest.mark.parametrize(
    ("image", "digest"),
    [
        pytest.param("r.example.org/debian:12", "", id="by tag"),
        pytest.param(f"r.example.org/debian@{DIGEST}", DIGEST, id="by digest"),
    ],
)
def test_a_sites_own_image_is_taken_as_it_is_named(
    programs: Programs, image: str, digest: str
) -> None:
    base = decide_base(ENTRY, Site(base_image=at(image, "TTCTL_BASE_IMAGE")), offline=False)
    assert (base.origin, base.reference, base.digest) == ("site", image, digest)
    assert base.reason == "named by TTCTL_BASE_IMAGE"
    assert programs.calls == []


@pytest.mark.parametrize(
    ("registry", "expected"),
    [
        pytest.param(None, IMAGE, id="no mirror"),
        pytest.param("m.example.org:5000", "m.example.org:5000/library/debian:bookworm-slim"),
        pytest.param("m.example.org/hub/", "m.example.org/hub/library/debian:bookworm-slim"),
        pytest.param("[::1]:5000", "[::1]:5000/library/debian:bookworm-slim"),
    ],
    ids=["no mirror", "a port", "a path", "an address of version 6"],
)
def test_a_mirror_takes_the_registrys_place(registry: str | None, expected: str) -> None:
    site = Site(registry=at(registry)) if registry else Site()
    assert mirrored(IMAGE, site) == expected


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        pytest.param(
            BaseImage(origin="registry", reference="ttctl/rootfs:x", source=IMAGE, digest=DIGEST),
            [
                ["docker", "pull", f"registry.example.org/library/debian@{DIGEST}"],
                [
                    "docker",
                    "tag",
                    f"registry.example.org/library/debian@{DIGEST}",
                    "ttctl/rootfs:x",
                ],
            ],
            id="by the digest that the registry gave, with a name of its own",
        ),
        pytest.param(
            BaseImage(origin="site", reference="r/d:12", source="r/d:12"),
            [["docker", "pull", "r/d:12"]],
            id="a site's by its tag",
        ),
        pytest.param(
            BaseImage(
                origin="site", reference=f"r/d@{DIGEST}", source=f"r/d@{DIGEST}", digest=DIGEST
            ),
            [["docker", "pull", f"r/d@{DIGEST}"]],
            id="a site's by its digest",
        ),
    ],
)
def test_a_base_image_is_pulled(
    programs: Programs, base: BaseImage, expected: list[list[str]]
) -> None:
    programs.add("docker")
    obtain_base(base, "bookworm", Site(), FakeReporter())
    assert programs.calls == expected


def test_a_pull_that_fails_is_told_with_what_docker_said(programs: Programs) -> None:
    programs.add("docker", "print('manifest unknown'); sys.exit(1)")
    with pytest.raises(BuildError, match="'r/x:1' cannot be pulled") as caught:
        pull("r/x:1", FakeReporter())
    assert caught.value.evidence == "manifest unknown"
    assert caught.value.why == "docker ended with 1."


def test_the_bootstrap_needs_three_commands_and_leaves_the_places_own_files_out() -> None:
    first, second, third = bootstrap_commands(
        "bookworm", "https://m.example.org/debian", "/s/rootfs", "/s/rootfs.tar", "ttctl/rootfs:x"
    )
    assert first == (
        "debootstrap", "--variant=minbase", "bookworm", "/s/rootfs", "https://m.example.org/debian"
    )  # fmt: skip
    assert {"--sort=name", "--mtime=@0", "--numeric-owner"} < set(second)
    for left_out in ("./etc/apt/sources.list", "./etc/resolv.conf", "./etc/hostname", "./proc/*"):
        assert f"--exclude={left_out}" in second
    assert third == ("docker", "import", "/s/rootfs.tar", "ttctl/rootfs:x")


def test_the_build_script_by_hand_makes_the_same_image() -> None:
    script = (GOLDEN / "demo-llama-cpu" / "build.sh").read_text(encoding="utf-8")
    words = [word for word in shlex.split(script, comments=True) if word.strip()]
    start = words.index("tar")
    folder, archive = "$rootfs/root", "$rootfs/root.tar"
    first, second, third = bootstrap_commands("bookworm", "", folder, archive, "ttctl/rootfs:x")
    assert tuple(words[start : start + len(second)]) == second
    assert f'{" ".join(first[:3])} "{folder}"' in script
    assert f'{" ".join(third[:2])} "{archive}"' in script


def test_without_a_mirror_debootstrap_takes_its_own() -> None:
    assert bootstrap_commands("bookworm", "", "/f", "/a", "r")[0][-1] == "/f"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([], "", id="none"),
        pytest.param(
            ["deb https://a/debian bookworm main"], "https://a/debian", id="the release's"
        ),
        pytest.param(
            ["deb https://s/security bookworm-security main", "deb https://a/debian bookworm main"],
            "https://a/debian",
            id="not the updates'",
        ),
        pytest.param(
            ["deb [signed-by=/k trusted=yes] https://a/debian bookworm main"],
            "https://a/debian",
            id="with options",
        ),
        pytest.param(["# deb https://a/debian bookworm main"], "", id="a comment"),
        pytest.param(["deb https://a/debian"], "", id="half a line"),
    ],
)
def test_the_mirror_of_the_release_is_found(lines: list[str], expected: str) -> None:
    assert mirror_of(Site(apt_sources=tuple(map(at, lines))), "bookworm") == expected


def ran(programs: Programs) -> list[str]:
    return [call[0] for call in programs.calls]


@pytest.fixture
def tools(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """A user who is root, and programs that do nothing."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    for name in ("debootstrap", "tar", "docker"):
        programs.add(name)
    programs.add("rm", "import shutil; shutil.rmtree(sys.argv[-1])")
    return programs


def test_a_base_image_is_bootstrapped_and_its_folder_removed(
    tools: Programs, tmp_path: Path
) -> None:
    reporter = FakeReporter()
    obtain_base(BOOTSTRAPPED, "bookworm", Site(), reporter)
    assert ran(tools) == ["debootstrap", "tar", "docker", "rm"]
    assert tools.calls[3][1:3] == ["-rf", "--one-file-system"]
    assert reporter.counts[-1] == (3, 3, "steps")
    assert not list(tmp_path.glob("ttctl-rootfs-*"))


@pytest.mark.parametrize("failing", ["debootstrap", "tar", "docker"])
def test_a_bootstrap_that_fails_says_where_and_still_cleans_up(
    tools: Programs, tmp_path: Path, failing: str
) -> None:
    tools.add(failing, "print('E: no space'); sys.exit(7)")
    with pytest.raises(BuildError, match=r"Step \d of the bootstrap failed") as caught:
        obtain_base(BOOTSTRAPPED, "bookworm", Site(), FakeReporter())
    assert caught.value.evidence == "E: no space"
    assert caught.value.why == f"{failing} ended with 7."
    assert ran(tools)[-1] == "rm"
    assert not list(tmp_path.glob("ttctl-rootfs-*"))


@pytest.mark.parametrize("sudo", [None, "sys.exit(1)"], ids=["no sudo", "sudo asks for a password"])
def test_a_user_who_may_not_be_root_is_told_before_anything_happens(
    tools: Programs, monkeypatch: pytest.MonkeyPatch, sudo: str | None
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    if sudo:
        tools.add("sudo", sudo)
    with pytest.raises(PrivilegeError) as caught:
        obtain_base(BOOTSTRAPPED, "bookworm", Site(), FakeReporter())
    assert caught.value.exit_code == 6
    assert "TTCTL_BASE_IMAGE" in caught.value.next_step
    assert set(ran(tools)) <= {"sudo"}


def test_only_the_steps_that_need_it_run_as_root(
    tools: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    tools.add("sudo")
    obtain_base(BOOTSTRAPPED, "bookworm", Site(), FakeReporter())
    words = [call[:3] for call in tools.calls]
    assert words[1] == ["sudo", "-n", "debootstrap"]
    assert words[2] == ["sudo", "-n", "tar"]
    assert words[3][:2] == ["docker", "import"]


ENVIRON = "print('ENVIRON ' + json.dumps(dict(os.environ)))"
WITH_SITE = Site(
    http_proxy=at("http://ada:p4ss@proxy.example.org:1"),
    https_proxy=at("http://proxy.example.org:2"),
    no_proxy=at("localhost"),
)


def environ_of(reporter: FakeReporter) -> dict[str, str]:
    (line,) = [line for line in reporter.lines if line.startswith("ENVIRON ")]
    found: dict[str, str] = json.loads(line.removeprefix("ENVIRON "))
    # Python itself adds this one where the locale is C.
    found.pop("LC_CTYPE", None)
    return found


def test_debootstrap_gets_the_places_proxies_and_nothing_else_of_the_caller(
    tools: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "t0ken")
    monkeypatch.setenv("https_proxy", "http://not.this.example.org")
    tools.add("debootstrap", ENVIRON)
    reporter = FakeReporter()
    obtain_base(BOOTSTRAPPED, "bookworm", WITH_SITE, reporter)
    found = environ_of(reporter)
    assert found.pop("PATH")
    assert found == {
        "LANG": "C.UTF-8",
        "http_proxy": "http://***@proxy.example.org:1",
        "https_proxy": "http://proxy.example.org:2",
        "no_proxy": "localhost",
    }


def test_debootstraps_wget_trusts_the_places_certificates(tools: Programs, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    tools.add("debootstrap", f"{ENVIRON}; print(pathlib.Path(os.environ['WGETRC']).read_text())")
    reporter = FakeReporter()
    obtain_base(BOOTSTRAPPED, "bookworm", Site(ca_bundle=at(str(bundle))), reporter)
    assert environ_of(reporter)["SSL_CERT_FILE"] == str(bundle)
    assert f"ca_certificate = {bundle}" in reporter.lines


def test_sudo_passes_the_places_settings_on_by_name(
    tools: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    tools.add("sudo")
    obtain_base(BOOTSTRAPPED, "bookworm", WITH_SITE, FakeReporter())
    names = "--preserve-env=http_proxy,https_proxy,no_proxy"
    assert tools.calls[1][:4] == ["sudo", "-n", names, "debootstrap"]
    assert tools.calls[2][:3] == ["sudo", "-n", "tar"]
    assert "p4ss" not in json.dumps(tools.calls)


def test_a_mirror_with_a_password_is_refused_before_anything_happens(tools: Programs) -> None:
    line = "deb https://ada:p4ss@m.example.org/debian bookworm main"
    site = Site(apt_sources=(at(line, "TTCTL_APT_SOURCES"),))
    reporter = FakeReporter()
    with pytest.raises(BadFileError) as caught:
        obtain_base(BOOTSTRAPPED, "bookworm", site, reporter)
    error = caught.value
    assert error.evidence == (
        "apt_sources, from TTCTL_APT_SOURCES: https://***@m.example.org/debian"
    )
    assert "TTCTL_BASE_IMAGE" in error.next_step
    assert "p4ss" not in f"{error.message}{error.why}{error.evidence}{error.next_step}"
    assert tools.calls == []


def test_what_a_failing_bootstrap_printed_is_told_without_a_proxys_password(
    tools: Programs,
) -> None:
    tools.add("debootstrap", "print('bad proxy ' + os.environ['http_proxy']); sys.exit(1)")
    with pytest.raises(BuildError) as caught:
        obtain_base(BOOTSTRAPPED, "bookworm", WITH_SITE, FakeReporter())
    assert caught.value.evidence == "bad proxy http://***@proxy.example.org:1"
