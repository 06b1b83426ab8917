"""The checks of a host together, on this machine, with a project in a temporary directory."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import preflight_rules
import pytest
import yaml
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.marker import with_marker
from ansible_collections.codeframe.staging.plugins.module_utils._preflight import addresses_facts
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.finding import PreflightFinding
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.host import (
    HOST_INPUTS,
    PreflightOptions,
    check_host,
)
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import (
    DEFAULTS,
    DeploymentInputs,
    is_secret,
)
from bad_inputs import GOOD
from free_ports import free_port
from playbook_runs import CHECKOUT

Check = Callable[..., list[PreflightFinding]]
#: Servers of the tests listen on ephemeral ports, and the machine may serve something on port 80.
LEFT_OUT = {"port-ephemeral", "proxy-port-held"}


@pytest.fixture
def nginx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An nginx that accepts its configuration, first on the path."""
    program = tmp_path / "bin/nginx"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return program


@pytest.fixture
def check(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    request.getfixturevalue("nginx")
    monkeypatch.setattr(addresses_facts, "resolve", lambda _hosts: {})
    monkeypatch.setattr(addresses_facts, "local_addresses", lambda: {"10.0.0.1"})

    def run(
        options: dict[str, Any] | None = None, left_out: Collection[str] = LEFT_OUT, **variables: Any
    ) -> list[PreflightFinding]:
        # The machine may serve something on the usual ports.
        ports = {"staging_backend_port": free_port(), "staging_frontend_port": free_port()}
        # The deploy user of the host is the one who runs the tests.
        user = pwd.getpwuid(os.geteuid()).pw_name
        project = {
            "staging_project_dir": str(tmp_path / "projects/app"),
            "staging_user": user,
            "staging_source_type": "archive",
        }
        given = {**GOOD, **project, **ports, **variables}
        found = check_host(given, PreflightOptions(**{"min_free_bytes": 1, "min_memory_bytes": 1, **(options or {})}))[
            0
        ]
        for item in found:
            preflight_rules.assert_names_a_variable_and_shows_its_value(item, given)
            preflight_rules.assert_tells_found_from_expected(item)
        return [item for item in found if item.name not in left_out]

    return run


def names(found: list[PreflightFinding]) -> list[str]:
    return [item.name for item in found]


def test_a_bare_host_has_no_finding_and_stays_bare(check: Check, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert check({"source_path": str(tmp_path / "none"), "check_mode": True}) == []
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_in_place_of_the_parent_directory_is_found(check: Check, tmp_path: Path) -> None:
    (tmp_path / "projects").write_text("")
    (found,) = check()
    assert found.sentence == (
        f'staging_project_dir is "{tmp_path}/projects/app", but {tmp_path}/projects is not a directory; expected a '
        "directory for the releases; move that file away, or choose another directory"
    )


def test_the_needed_space_is_what_the_user_says_or_what_the_release_needs(check: Check) -> None:
    assert names(check({"min_free_bytes": 1 << 60})) == ["disk-space"]
    assert names(check({"min_free_bytes": 0})) == []


@pytest.mark.parametrize(("needed", "expected"), [(1 << 60, ["memory"]), (1, [])])
def test_the_memory_is_compared(check: Check, needed: int, expected: list[str]) -> None:
    assert names(check({"min_memory_bytes": needed})) == expected


def test_the_second_port_counts_where_two_processes_run(check: Check, listening: Any, tmp_path: Path) -> None:
    _pid, port = listening(tmp_path / "other")
    assert names(check(staging_backend_port=port)) == ["port-held"]
    assert names(check(staging_backend_green_port=port)) == []
    assert names(check(staging_backend_switch="blue_green", staging_backend_green_port=port)) == ["port-held"]


def test_a_port_that_is_not_set_is_checked_with_its_default(
    check: Check, listening: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pid, port = listening(tmp_path / "other")
    monkeypatch.setitem(DEFAULTS, "staging_frontend_port", port)  # type: ignore[arg-type]
    assert [item.variable for item in check(staging_frontend_port=None)] == ["staging_frontend_port"]


def test_the_ports_of_the_own_processes_are_fine(check: Check, listening: Any, tmp_path: Path) -> None:
    _pid, port = listening(tmp_path / "projects/app.releases/0001/web-ui")
    assert check(staging_frontend_port=port) == []
    _pid, port = listening(tmp_path / "elsewhere", name="app-backend", pm_id="0")
    user = {"staging_user": "root"}
    assert names(check(staging_backend_port=port, **user)) == ["port-held"]
    assert check({"process_names": ["app-backend"]}, staging_backend_port=port, **user) == []


@pytest.mark.parametrize(
    ("provider", "expected"), [("nginx", ["proxy-port-held"]), ("nginx_proxy_manager", []), ("manual", [])]
)
def test_the_ports_of_the_public_urls_must_be_free_where_nginx_is_to_listen_on_them(
    check: Check, listening: Any, tmp_path: Path, provider: str, expected: list[str]
) -> None:
    _pid, port = listening(tmp_path / "other")
    found = check(left_out=(), staging_proxy_provider=provider, staging_public_ws_url=f"ws://api.example.com:{port}/ws")
    # The machine may serve something on port 80, which the URL of the page needs.
    assert names([item for item in found if item.variable == "staging_public_ws_url"]) == expected


def test_the_source_and_the_programs_for_it_are_checked(check: Check, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "web-ui").mkdir(parents=True)
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v18.20.4\n")
    node.chmod(0o755)
    options = {"source_path": str(source), "node": str(node)}
    assert names(check(options)) == ["package-json-missing", "backend-packages"]
    (source / "requirements.txt").write_text("")
    assert names(check(options)) == ["package-json-missing"]
    (source / "web-ui/package.json").write_text('{"engines": {"node": ">=20"}, "scripts": {"build": "x"}}')
    (source / "web-ui/yarn.lock").write_text("")
    (source / "pyproject.toml").write_text('[project]\nrequires-python = ">=4.0"\n')
    assert names(check(options)) == ["node-version", "python-version"]
    missing = {**options, "node": str(tmp_path / "none")}
    assert names(check(missing)) == ["node-missing", "python-version"]
    # In check mode the role runtime has only predicted its installation.
    assert names(check({**missing, "check_mode": True})) == ["python-version"]


def refuse(nginx: Path, file: str) -> None:
    nginx.write_text(f"#!/bin/sh\necho 'nginx: [emerg] unexpected \"}}\" in {file}:3' >&2\nexit 1\n")


def test_a_refused_configuration_is_found_with_its_line(check: Check, nginx: Path) -> None:
    refuse(nginx, "/etc/nginx/conf.d/x.conf")
    (found,) = check()
    assert found.found == 'nginx refuses its present configuration (unexpected "}" in /etc/nginx/conf.d/x.conf:3)'
    assert check(staging_proxy_provider="manual") == []


def test_a_managed_site_that_is_broken_is_left_to_the_role_proxy(check: Check, nginx: Path, tmp_path: Path) -> None:
    site = tmp_path / "site.conf"
    refuse(nginx, str(site))
    site.write_text("# another site\n}\n")
    assert names(check()) == ["nginx-refuses"]
    site.write_text(with_marker("app", "}"))
    assert check() == []


@pytest.mark.parametrize("given", ["staging_tls_certificate", "staging_tls_key"])
def test_a_certificate_is_read_where_both_files_are_named(check: Check, tmp_path: Path, given: str) -> None:
    both = {name: str(tmp_path / name) for name in ("staging_tls_certificate", "staging_tls_key")}
    assert names(check(**both)) == ["certificate-file"]
    assert check(**{given: both[given]}) == []
    assert check(**both, staging_proxy_provider="manual") == []


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        pytest.param({}, ["staging_public_url", "staging_public_ws_url"], id="nginx on the host"),
        pytest.param({"staging_proxy_provider": "manual"}, [], id="a proxy elsewhere"),
        pytest.param(
            {"staging_proxy_provider": "manual", "staging_proxy_page": False},
            ["staging_public_url"],
            id="a proxy elsewhere, and the page served by the host itself",
        ),
    ],
)
def test_a_name_resolves_to_the_machine_that_serves_it(
    check: Check, monkeypatch: pytest.MonkeyPatch, variables: dict[str, Any], expected: list[str]
) -> None:
    answers = {"app.example.com": ["192.0.2.9"], "api.example.com": ["192.0.2.9"]}
    monkeypatch.setattr(addresses_facts, "resolve", lambda _hosts: answers)
    found = check(**variables)
    assert [item.variable for item in found if item.name == "host-resolves-elsewhere"] == expected


def test_a_name_with_other_addresses_for_the_controller_is_found(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"app.example.com": ["10.0.0.1"], "api.example.com": ["10.0.0.1"]}
    monkeypatch.setattr(addresses_facts, "resolve", lambda _hosts: answers)
    assert check({"controller_addresses": answers}) == []
    (found,) = check({"controller_addresses": {"app.example.com": ["192.0.2.9"], "api.example.com": None}})
    assert (found.name, found.variable) == ("host-resolves-elsewhere", "staging_public_url")
    assert found.found == "for the controller, app.example.com has the address 192.0.2.9"


def test_a_loopback_address_is_the_host_for_itself_alone(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses_facts, "resolve", lambda _hosts: {"app.example.com": ["127.0.1.1"]})
    assert check({"controller_addresses": {"app.example.com": ["10.0.0.1"]}}) == []
    assert names(check({"controller_addresses": {"app.example.com": ["127.0.0.1"]}})) == ["host-resolves-elsewhere"]


@pytest.mark.usefixtures("nginx")
def test_the_addresses_are_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses_facts, "resolve", lambda hosts: {host: ["10.0.0.1"] for host in hosts})
    assert check_host(GOOD, PreflightOptions())[1] == {"app.example.com": ["10.0.0.1"], "api.example.com": ["10.0.0.1"]}


def test_the_host_is_told_what_it_reads_and_no_secret() -> None:
    role = yaml.safe_load((CHECKOUT / "roles/preflight/vars/main.yml").read_text())
    assert sorted(HOST_INPUTS) == role["__preflight_host_inputs"]
    assert [name for name in HOST_INPUTS if is_secret(name)] == []


def test_the_checks_read_nothing_that_the_host_is_not_told(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = set()
    original = DeploymentInputs.__init__

    class Recorded(dict[str, Any]):
        def get(self, name: str, default: Any = None) -> Any:
            read.add(name)
            return super().get(name, default)

    monkeypatch.setattr(DeploymentInputs, "__init__", lambda self, given: original(self, Recorded(given)))
    (tmp_path / "projects/app").mkdir(parents=True)
    (tmp_path / "source").mkdir()
    for provider in ("nginx", "nginx_proxy_manager"):
        check(
            {"source_path": str(tmp_path / ("source" if provider == "nginx" else "none")), "min_memory_bytes": 1 << 60},
            staging_proxy_provider=provider,
            staging_backend_switch="blue_green",
            staging_source_type="git" if provider == "nginx" else "in_place",
            staging_git_url=f"file://{tmp_path}/none",
            staging_tls_certificate="/nowhere.pem",
            staging_tls_key="/nowhere.key",
            staging_public_api_url="https://api.example.com",
        )
    assert read <= set(HOST_INPUTS)
    assert len(read) >= 20


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_the_source_is_read_and_the_python_is_run_as_the_deploy_user(check: Check, tmp_path: Path) -> None:
    """A link in the source to a file of root's, and a program that the deploy user can write."""
    source, secret = tmp_path / "source", tmp_path / "secret.json"
    (source / "web-ui").mkdir(parents=True)
    secret.write_text('{"engines": {"node": ">=99"}, "scripts": {"build": "x"}}')
    secret.chmod(0o600)
    (source / "web-ui/package.json").symlink_to(secret)
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nid -u >>{tmp_path}/ran\necho Python 3.11.2\n")
    (tmp_path / "ran").touch()
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(path.stat().st_mode | 0o011)
    (tmp_path / "ran").chmod(0o666)
    python.chmod(0o755)
    options = {"source_path": str(source), "python": str(python)}
    assert "node-version" in names(check(options, staging_user="root"))
    assert (tmp_path / "ran").read_text() == "0\n"
    assert "node-version" not in names(check(options, staging_user="nobody"))
    assert (tmp_path / "ran").read_text() == "0\n65534\n"


def test_a_repository_is_asked_for_the_version_before_there_is_a_source(check: Check, tmp_path: Path) -> None:
    git = {"staging_source_type": "git", "staging_git_url": f"file://{tmp_path}/none"}
    assert names(check(**git)) == ["git-unreadable"]
    (tmp_path / "source").mkdir()
    assert "git-unreadable" not in names(check({"source_path": str(tmp_path / "source")}, **git))


def test_a_source_in_place_with_a_merge_that_stopped_is_refused(check: Check, tmp_path: Path) -> None:
    project = tmp_path / "projects/app"
    project.mkdir(parents=True)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    (project / "app.py").write_text("start")
    run = [["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"], ["branch", "theirs"]]
    for command in run:
        subprocess.run(["git", *command], cwd=project, check=True)
    in_place = {"staging_source_type": "in_place"}
    assert "checkout-conflicts" not in names(check(**in_place))
    for text, before in (("ours", ["status"]), ("theirs", ["checkout", "-q", "theirs"])):
        subprocess.run(["git", *before], cwd=project, check=True, capture_output=True)
        (project / "app.py").write_text(text)
        subprocess.run(["git", *identity, "commit", "-qam", text], cwd=project, check=True)
    subprocess.run(["git", *identity, "merge", "-q", "-"], cwd=project, check=False, capture_output=True)
    assert "checkout-conflicts" in names(check(**in_place))


def test_a_source_in_place_is_looked_at_before_anything_is_built(check: Check, tmp_path: Path) -> None:
    in_place = {"staging_source_type": "in_place"}
    assert names(check(**in_place)) == ["source-in-place-missing"]
    project = tmp_path / "projects/app"
    (project / "web-ui").mkdir(parents=True)
    (project / "web-ui/package.json").write_text('{"scripts": {"build": "x"}}')
    assert names(check(**in_place)) == ["lock-file-missing", "backend-packages"]


def test_a_proxy_without_an_address_is_found(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses_facts, "resolve", dict.fromkeys)
    found = names(check(staging_proxy_address="proxy.example.com", staging_proxy_provider="manual"))
    assert found == ["host-unresolved", "host-unresolved", "connection-unresolved"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as another user")
def test_a_place_that_only_root_can_write_to_is_found_before_the_user_exists(check: Check) -> None:
    (found,) = check(staging_user="nobody-of-this-name", staging_project_dir="/srv/no-such-directory/app")
    assert (found.name, found.remedy) == (
        "path-not-writable",
        "set staging_create_parent: true, which creates /srv/no-such-directory for nobody-of-this-name, or choose "
        "another directory",
    )
    created = {"staging_project_dir": "/srv/no-such-directory/app", "staging_create_parent": True}
    assert check(staging_user="nobody-of-this-name", **created) == []
