"""Attacks of a deploy user on the tasks that run as root or on the controller, by real users and real plays."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playbook_runs import PlaybookRun, run_playbook

USER = "hostile"
ROLE = {"ansible.builtin.include_role": {"name": "codeframe.staging.release"}}
AS_USER = ("runuser", "-u", USER, "--", "env", f"HOME=/home/{USER}")
STORE = Path("/var/lib/codeframe-staging")
TEMPLATE = "{{ lookup('ansible.builtin.pipe', 'touch /tmp/attack-on-the-controller') }}"


class Account:
    """A deploy user with a project, and what he and Ansible do."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, Path("/home") / USER
        self.project = self.home / "app"
        self.manifest = self.home / "app.releases/manifest.json"
        self.source = root / "source"
        self.source.mkdir()
        self.change("1")

    def change(self, text: str) -> None:
        (self.source / "main.py").write_text(f"{text}\n")

    def does(self, script: str) -> str:
        """Run a script as the deploy user."""
        done = subprocess.run([*AS_USER, "sh", "-c", script], cwd=self.home, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def play(self, *tasks: dict[str, Any], **variables: Any) -> PlaybookRun:
        book = self.root / "play.json"
        given = {
            "ansible_pipelining": True,
            "staging_project_dir": str(self.project),
            "staging_user": USER,
            "staging_source_type": "archive",
            "staging_source_dir": str(self.source),
            "proxy_site_name": "hostile",
            "proxy_ws_url": "ws://hostile.test/ws",
            **variables,
        }
        play = {"hosts": "all", "gather_facts": False, "become": True, "vars": given, "tasks": list(tasks)}
        book.write_text(json.dumps([play]))
        # The Python of the host, not that of a virtual environment, which would not read files of the user's site.
        return run_playbook(book, "--extra-vars", "ansible_python_interpreter=/usr/bin/python3")


def entry(name: str, role: str = "release", **variables: Any) -> dict[str, Any]:
    return {
        "ansible.builtin.include_role": {"name": f"codeframe.staging.{role}", "tasks_from": name},
        "vars": variables,
    }


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    subprocess.run(["useradd", "--create-home", USER], check=True)
    made = Account(tmp_path)
    yield made
    subprocess.run(["pkill", "-KILL", "-u", USER], check=False)
    subprocess.run(["userdel", "--remove", USER], check=False)
    subprocess.run(["rm", "-rf", *STORE.glob("app-*")], check=True)


def test_an_archive_is_delivered_while_the_deploy_user_exchanges_his_directories_for_links(
    account: Account, tmp_path: Path
) -> None:
    """Where root once wrote into a directory of his, a loop of a few lines made it write into /etc."""
    target = tmp_path / "of-root"
    target.mkdir()
    tmp_path.chmod(0o755)
    account.does("mkdir -p app.releases/incoming")
    swap = "mv -T incoming .gone; ln -sfn {0} incoming; rm -f incoming; mkdir -p incoming; rm -rf .gone; sleep 0.01"
    loop = f"cd {account.home}/app.releases && while :; do {swap.format(target)}; done"
    with subprocess.Popen([*AS_USER, "sh", "-c", loop], stderr=subprocess.DEVNULL) as attack:
        done = account.play(ROLE)
        assert attack.poll() is None, "the attack ended before the delivery"
        subprocess.run(["pkill", "-KILL", "-u", USER], check=True)
    assert done.exit_code == 0, done.output
    assert (account.project / "main.py").read_text() == "1\n"
    assert list(target.iterdir()) == []
    assert [path for path in account.home.rglob("*") if path.lstat().st_uid == 0] == []


@pytest.mark.slow
def test_a_rollback_takes_what_root_does_from_the_state_of_root(account: Account) -> None:
    """What the manifest held once is refused by name; what it may hold decides nothing that root does."""
    nginx = {"provider": "nginx", "site_name": "hostile", "content": "", "main_content": ""}
    verified = {"websocket_url": "ws://hostile.test/ws", "backend_process": {"name": "app-backend", "port": 14200}}
    made = account.play(ROLE, entry("commit", release_proxy_state=nginx, release_records=verified))
    assert made.exit_code == 0, made.output
    shown = {"ansible.builtin.debug": {"msg": "{{ release_result.records }} {{ release_result.proxy_state }}"}}
    before = account.manifest.read_text()
    attack = {"provider": "../../../../home/hostile/tasks", "content": "access_log /etc/sudoers.d/attack;"}
    tampered = {
        "saved_proxy_state is unknown": {"saved_proxy_state": attack},
        "committed is an object, expected text": {"committed": {"release": "0001-a", "proxy_state": attack}},
        "layout.shared_paths[0] holds '../../../etc'": {"layout": {"shared_paths": ["../../../etc"]}},
    }
    for found, change in tampered.items():
        account.does(f"cat >{account.manifest} <<'END'\n{json.dumps(json.loads(before) | change)}\nEND")
        done = account.play(entry("rollback"), shown)
        assert done.exit_code != 0, done.output
        assert f"{account.manifest} is refused: {found}" in done.output
        assert "changed=0" in done.output

    # A revision is his own. It is neither evaluated on the controller, nor hides what root has saved.
    document = json.loads(before)
    document["releases"][document["committed"]]["records"] = {"backend_revision": TEMPLATE}
    account.does(f"cat >{account.manifest} <<'END'\n{json.dumps(document)}\nEND")
    done = account.play(entry("rollback"), shown)
    assert done.exit_code == 0, done.output
    assert "ws://hostile.test/ws" in done.output
    assert "'site_name': 'hostile'" in done.output
    assert "touch /tmp/attack-on-the-controller" in done.output
    assert not Path("/tmp/attack-on-the-controller").exists()


def test_what_the_deploy_user_adds_to_the_output_of_a_module_changes_no_variable(account: Account) -> None:
    facts = {"staging_static_root": "/etc/attack", "release_keep": 1, "ansible_attack": 1}
    result = json.dumps({"changed": False, "ansible_facts": facts})
    forger = f"import os\nos.write(1, {result.encode()!r})\nos._exit(0)\n"
    account.does("mkdir -p $(/usr/bin/python3 -m site --user-site)")
    place = Path(account.does("/usr/bin/python3 -m site --user-site || true").strip())
    account.does(f"cat >{place}/usercustomize.py <<'END'\n{forger}END")
    shown = {
        "ansible.builtin.debug": {
            "msg": "{{ staging_static_root | default('kept') }} {{ ansible_attack | default('kept') }}"
        }
    }
    done = account.play({"block": [ROLE], "rescue": [shown]})
    assert '"msg": "kept kept"' in done.output, done.output


def test_a_fifo_in_the_place_of_the_daemon_s_number_does_not_hold_root(account: Account) -> None:
    account.does("mkdir ~/.pm2 && mkfifo ~/.pm2/pm2.pid")
    task = {"codeframe.staging.runtime_info": {"user": USER}, "register": "found", "timeout": 60}
    done = account.play(task, {"ansible.builtin.debug": {"msg": "{{ found.pm2_daemon }}"}})
    assert done.exit_code == 0, done.output
    os.unlink(account.home / ".pm2/pm2.pid")
