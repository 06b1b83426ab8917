from __future__ import annotations

from pathlib import Path

from stagehost.workspace import Workspace


def test_a_new_host_key_replaces_only_the_one_of_the_same_port(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.known_hosts.parent.mkdir(parents=True)
    workspace.record_host_key("127.0.0.1", 14122, "ssh-ed25519 AAAA")
    workspace.record_host_key("127.0.0.1", 1412, "ssh-ed25519 BBBB")
    workspace.record_host_key("127.0.0.1", 14122, "ssh-ed25519 CCCC")
    assert workspace.known_hosts.read_text().splitlines() == [
        "[127.0.0.1]:1412 ssh-ed25519 BBBB",
        "[127.0.0.1]:14122 ssh-ed25519 CCCC",
    ]


def test_the_key_pair_is_generated_once_and_private(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.ensure_key()
    first = workspace.private_key.read_bytes()
    workspace.ensure_key()
    assert workspace.private_key.read_bytes() == first
    assert workspace.private_key.stat().st_mode & 0o077 == 0
