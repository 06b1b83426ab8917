from __future__ import annotations

from pathlib import Path

import pytest
import tomllib
from stagehost.machine import Machine, containers_conf, has_capability, own_certificates

ORDINARY = Machine(unified_cgroups=True, may_raise_limits=True, nofile_hard=524288, nproc_hard=100000, pid_max=4194304)


def test_an_ordinary_machine_keeps_the_defaults_of_podman() -> None:
    assert containers_conf(ORDINARY) is None


def test_hybrid_cgroups_need_runc_and_no_limits() -> None:
    conf = containers_conf(Machine(False, True, 524288, 100000, 4194304))
    assert conf is not None
    assert tomllib.loads(conf) == {"engine": {"runtime": "runc"}, "network": {"network_backend": "netavark"}}


@pytest.mark.parametrize(
    ("nofile", "nproc", "pid_max", "ulimits"),
    [
        pytest.param(20000, 96364, 32768, ["nofile=20000:20000", "nproc=32768:32768"], id="pid-max-is-lower"),
        pytest.param(1024, 500, 32768, ["nofile=1024:1024", "nproc=500:500"], id="hard-limit-is-lower"),
        pytest.param(
            2000000, 4194304, 4194304, ["nofile=1048576:1048576", "nproc=4194304:4194304"], id="podman-asks-for-less"
        ),
    ],
)
def test_without_cap_sys_resource_no_limit_exceeds_the_hard_limit(
    nofile: int, nproc: int, pid_max: int, ulimits: list[str]
) -> None:
    conf = containers_conf(Machine(True, False, nofile, nproc, pid_max))
    assert conf is not None
    assert tomllib.loads(conf)["containers"]["default_ulimits"] == ulimits


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param("CapEff:\t000001ffffffffff\n", True, id="root"),
        pytest.param("CapEff:\t000001fffeffffff\n", False, id="root-without-it"),
        pytest.param("CapEff:\t0000000000000000\n", False, id="user"),
        pytest.param("Name:\tinit\n", False, id="no-such-line"),
    ],
)
def test_a_capability_is_read_from_the_effective_set(status: str, expected: bool) -> None:
    assert has_capability(status, 24) is expected


def test_a_machine_without_its_own_authorities_passes_none_to_the_image(tmp_path: Path) -> None:
    assert own_certificates({}, tmp_path) == b""
    assert own_certificates({"SSL_CERT_FILE": str(tmp_path / "missing.pem")}, tmp_path) == b""


def test_the_bundle_of_ssl_cert_file_is_passed_to_the_image(tmp_path: Path) -> None:
    (tmp_path / "bundle.pem").write_bytes(b"PEM")
    assert own_certificates({"SSL_CERT_FILE": str(tmp_path / "bundle.pem")}, tmp_path) == b"PEM"


def test_authorities_installed_by_the_administrator_are_found_without_a_variable(tmp_path: Path) -> None:
    for name, content in (
        ("usr/local/share/ca-certificates/own.crt", b"own"),
        ("etc/ssl/certs/ca-certificates.crt", b"all"),
    ):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(content)
    assert own_certificates({}, tmp_path) == b"all"
