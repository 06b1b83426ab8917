"""The application on one machine, Nginx Proxy Manager on another: deployed, drifted, refused, killed, manual."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import testinfra
import testinfra.host
from deployment import CHECKOUT, Deployment
from outside import Site
from proxy_manager_peer.pasted import SNIPPET

Host = testinfra.host.Host

NAME = "api.codeframe.localhost"
USER_TEXT = "# Ours, since the move.\nclient_max_body_size 20m;\n"
# Without a login, as for users who may not use the API.
MANUAL = json.dumps(
    {"staging_proxy_provider": "manual", "staging_proxy_manager_identity": "", "staging_proxy_manager_secret": ""}
)
FROM_HOST = "staging_proxy_manager_api_from=host"
# Fails after the proxy was changed.
NEVER_VERIFIED = json.dumps({"websocket_verify_expect": {"type": "nothing that it says"}, "staging_hold": 1})


class Manager:
    """Nginx Proxy Manager as its user works with it, on its own machine."""

    def __init__(self, machine: Host, identity: str, secret: str) -> None:
        self.machine = machine
        login = self._curl("POST", "tokens", {"identity": identity, "secret": secret})
        self._token = login["token"]

    def _curl(self, method: str, path: str, body: Any = None) -> Any:
        command = ["curl", "-fsS", "-X", method, f"http://127.0.0.1:81/api/{path}"]
        if path != "tokens":
            command += ["-H", f"Authorization: Bearer {self._token}"]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        return json.loads(self.machine.check_output(" ".join(["%s"] * len(command)), *command))

    def hosts(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self._curl("GET", "nginx/proxy-hosts")
        return listed

    def host(self) -> dict[str, Any]:
        return next(each for each in self.hosts() if NAME in each["domain_names"])

    def put(self, host_id: int, **fields: Any) -> None:
        """Save as the web page does, and wait until nginx has loaded it."""
        self._curl("PUT", f"nginx/proxy-hosts/{host_id}", fields)
        time.sleep(1)

    def save(self, **fields: Any) -> None:
        self.put(self.host()["id"], **fields)

    def requests(self, method: str) -> list[str]:
        with self.machine.sudo():
            lines = self.machine.file("/srv/proxy-manager/requests.log").content_string.splitlines()
        return [line for line in lines if line.startswith(f"{method} ")]


@pytest.fixture(scope="module")
def manager(inventory: Path) -> Manager:
    listed = subprocess.run(
        ["ansible-inventory", f"--inventory={inventory}", "--list"], capture_output=True, text=True, check=True
    )
    found = json.loads(listed.stdout)["_meta"]["hostvars"]
    machine = found["codeframe-staging-proxy-manager-proxy"]
    cache = CHECKOUT / ".cache/ssh"
    host = testinfra.get_host(
        f"ssh://{machine['ansible_user']}@{machine['ansible_host']}:{machine['ansible_port']}",
        ssh_identity_file=str(cache / "id_ed25519"),
        ssh_extra_args=f"-o UserKnownHostsFile={cache / 'known_hosts'} -o StrictHostKeyChecking=yes",
    )
    account = found["codeframe-staging-proxy-manager"]
    return Manager(host, account["staging_proxy_manager_identity"], account["staging_proxy_manager_secret"])


@pytest.fixture
def unverified(host: Host, manager: Manager, variables: dict[str, Any], deployment: Deployment) -> Iterator[None]:
    """A host on which no state is verified yet, behind a proxy that works as its user configured it."""
    with host.sudo():
        path = f"{variables['staging_project_dir']}.releases/manifest.json"
        manifest = json.loads(host.file(path).content_string)
        host.check_output("printf %%s %s > %s", json.dumps(manifest | {"committed": None, "previous": None}), path)
    manager.save(advanced_config=USER_TEXT)
    yield
    done = deployment.run()
    assert done.exit_code == 0, done.output


BOTH_MACHINES = """\
- hosts: staging:proxies
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: codeframe.staging.proxy
      vars:
        proxy_provider: nginx_proxy_manager
        proxy_site_name: both
        proxy_backend_upstream: "{{ given.proxy_backend_upstream }}"
        proxy_frontend_upstream: "{{ given.proxy_frontend_upstream }}"
        proxy_page_url: "{{ given.staging_public_url }}"
        proxy_ws_url: ws://{{ names[inventory_hostname] }}:{{ given.stagehost_port }}/ws
        proxy_api_url: http://{{ names[inventory_hostname] }}:{{ given.stagehost_port }}
        proxy_websocket_paths: [/ws]
        proxy_websocket_idle_timeout: 300
        proxy_manager_api_from: host
        proxy_manager_api_url: "{{ given.staging_proxy_manager_api_url }}"
        proxy_manager_identity: "{{ given.staging_proxy_manager_identity }}"
        proxy_manager_secret: "{{ given.staging_proxy_manager_secret }}"
        proxy_manager_address: "{{ given.staging_proxy_address }}"
        proxy_manager_port: "{{ given.proxy_manager_port }}"
  vars:
    given: "{{ hostvars['codeframe-staging-proxy-manager'] }}"
    names:
      codeframe-staging-proxy-manager: api.codeframe.localhost
      codeframe-staging-proxy-manager-proxy: codeframe.localhost
"""


def saved_proxy_state(host: Host) -> dict[str, Any]:
    with host.sudo():
        text = host.check_output("cat /var/lib/codeframe-staging/*/state.json")
    found: dict[str, Any] = json.loads(text)["proxy_before"]
    return found


@pytest.mark.quick
def test_the_websocket_works_and_the_user_s_text_is_unchanged(site: Site, manager: Manager) -> None:
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    assert site.get("/")[0] == 200
    text = manager.host()["advanced_config"]
    assert text.startswith("# BEGIN codeframe.staging websocket\n")
    assert text.endswith(f"# END codeframe.staging websocket\n{USER_TEXT}")
    assert manager.host()["meta"]["nginx_online"] is True


@pytest.mark.quick
def test_a_run_that_asks_from_the_host_saves_nothing_and_logs_in_once(
    deployment: Deployment, manager: Manager, host: Host
) -> None:
    """The first run asked from the controller, so that the host has no token yet."""
    host.check_output("rm -rf ~/.cache/codeframe-staging")
    puts, logins = manager.requests("PUT"), manager.requests("POST")
    again = deployment.run(variables=[FROM_HOST])
    assert (again.exit_code, again.changed) == (0, 0), again.output
    for vantage in ("Direct backend connection", "Connection through the proxy", "Public connection"):
        assert f"{vantage}: passed" in again.words, again.output
    assert manager.requests("PUT") == puts
    assert manager.requests("POST") == [*logins, "POST /api/tokens"]
    assert "correct horse battery" not in again.output
    stored = host.check_output("find ~/.cache/codeframe-staging/proxy-manager -type f -printf '%m\\n'")
    assert set(stored.split()) == {"600"}


@pytest.mark.parametrize("options", [[], [FROM_HOST]], ids=["from-the-controller", "from-the-host"])
@pytest.mark.parametrize(
    ("edit", "given"),
    [
        pytest.param(lambda text: text.replace("86400s", "3s"), {}, id="block-edited"),
        pytest.param(lambda _: USER_TEXT, {}, id="block-removed"),
        pytest.param(
            lambda _: USER_TEXT + SNIPPET, {"proxy_manager_replace_snippet": True}, id="offline-by-the-snippet"
        ),
    ],
)
def test_a_run_repairs_what_was_edited(
    edit: Any, given: dict[str, Any], options: list[str], deployment: Deployment, manager: Manager, site: Site
) -> None:
    switch = bool(given)
    before = manager.host()["advanced_config"]
    manager.save(advanced_config=edit(before), allow_websocket_upgrade=switch)
    assert manager.host()["meta"]["nginx_online"] is not switch
    puts = len(manager.requests("PUT"))
    repair = deployment.run(variables=[*options, json.dumps(given)])
    assert (repair.exit_code, repair.changed_roles) == (0, {"proxy"}), repair.output
    assert len(manager.requests("PUT")) == puts + 1
    assert manager.host()["advanced_config"] == before
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    again = deployment.run(variables=options)
    assert (again.exit_code, again.changed) == (0, 0), again.output
    assert len(manager.requests("PUT")) == puts + 1


def test_two_machines_that_write_at_once_are_served_one_after_the_other(
    deployment: Deployment, manager: Manager, tmp_path: Path
) -> None:
    """Each has a lock file of its own, so that within a run the throttle serialises them."""
    before = {host["id"]: host["advanced_config"] for host in manager.hosts()}
    puts = len(manager.requests("PUT"))
    play = tmp_path / "both.yml"
    play.write_text(BOTH_MACHINES)
    outcome = deployment.run("--forks=8", playbook=str(play))
    assert outcome.exit_code == 0, outcome.output
    assert len(manager.requests("PUT")) == puts + 2
    assert manager.requests("OVERLAP") == []
    assert all(host["meta"]["nginx_online"] for host in manager.hosts())
    assert all("proxy_read_timeout 300s" in host["advanced_config"] for host in manager.hosts())
    for host_id, text in before.items():
        manager.put(host_id, advanced_config=text)


def test_a_switch_that_was_changed_stays_and_the_websocket_works(
    deployment: Deployment, manager: Manager, site: Site
) -> None:
    manager.save(allow_websocket_upgrade=True)
    again = deployment.run()
    assert (again.exit_code, again.changed) == (0, 0), again.output
    assert manager.host()["allow_websocket_upgrade"] is True
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    manager.save(allow_websocket_upgrade=False)


def test_a_snippet_that_took_the_host_offline_is_named_as_the_cause(deployment: Deployment, manager: Manager) -> None:
    before = manager.host()["advanced_config"]
    manager.save(advanced_config=USER_TEXT + SNIPPET, allow_websocket_upgrade=True)
    outcome = deployment.run("--check")
    assert outcome.exit_code != 0, outcome.output
    assert "a WebSocket snippet was pasted at server level (line 3 of the Advanced text)" in outcome.words
    manager.save(advanced_config=before, allow_websocket_upgrade=False)


def test_after_a_save_that_nginx_refuses_the_previous_state_serves(
    deployment: Deployment, manager: Manager, site: Site
) -> None:
    """A location that the API does not show: in a file that the user's text includes."""
    before = manager.host()["advanced_config"]
    text = f"{USER_TEXT}include /data/own.conf;\n"
    with manager.machine.sudo():
        manager.machine.check_output("echo 'location = /ws { return 410; }' > /srv/proxy-manager/data/own.conf")
    manager.save(advanced_config=text)
    assert site.get("/ws", site.ws_url)[0] == 410
    outcome = deployment.run()
    assert outcome.exit_code != 0, outcome.output
    assert "went offline after the save (duplicate location" in outcome.words, outcome.output
    assert "the previous configuration is restored and serving; remove the other location" in outcome.words
    _before, reported, message = outcome.words.rpartition("TASK [Report the failure]")
    assert reported, outcome.output
    assert "went offline after the save" in message
    assert manager.host()["meta"]["nginx_online"] is True
    assert site.get("/health", site.ws_url)[0] == 200
    manager.save(advanced_config=before)
    assert deployment.run().changed == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            {"staging_proxy_manager_secret": "wrong horse"},
            "check staging_proxy_manager_identity and staging_proxy_manager_secret",
            id="login",
        ),
        pytest.param(
            {"staging_proxy_manager_api_url": ""},
            "staging_proxy_manager_api_url is not set, expected the address",
            id="no-url",
        ),
        pytest.param(
            {"staging_proxy_manager_api_url": "http://10.214.31.2:9"}, "cannot be reached (connection", id="no-api"
        ),
    ],
)
def test_what_nginx_proxy_manager_would_refuse_stops_before_anything_is_changed(
    given: dict[str, str], message: str, deployment: Deployment, host: Host, variables: dict[str, Any]
) -> None:
    def releases() -> str:
        with host.sudo():
            return host.check_output("ls -la --time-style=full-iso %s.releases", variables["staging_project_dir"])

    before = releases()
    outcome = deployment.run(variables=[json.dumps(given)])
    assert (outcome.exit_code, outcome.failed_roles, outcome.changed) == (2, {"proxy"}, 0), outcome.output
    assert message in outcome.words, outcome.output
    assert "wrong horse" not in outcome.output
    assert releases() == before


def test_check_mode_shows_the_block_and_saves_nothing(deployment: Deployment, manager: Manager) -> None:
    before = manager.host()["advanced_config"]
    manager.save(advanced_config=USER_TEXT)
    puts = manager.requests("PUT")
    outcome = deployment.run("--check", "--diff", variables=[FROM_HOST])
    assert outcome.exit_code == 0, outcome.output
    assert "+location = /ws {" in outcome.output
    assert "proxy: the managed block is missing" in outcome.words, outcome.output
    assert manager.requests("PUT") == puts
    manager.save(advanced_config=before)


def test_a_manual_block_is_printed_and_then_found_in_force(
    deployment: Deployment, manager: Manager, site: Site
) -> None:
    before = manager.host()["advanced_config"]
    manager.save(advanced_config=USER_TEXT)
    puts = manager.requests("PUT")
    # As text, to be copied.
    missing = deployment.run("--check", variables=[MANUAL], environment={"ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"})
    assert f"the block is not in force for {NAME} (/ws: 404, /api/events: 200): nothing was pasted" in missing.words, (
        missing.output
    )
    block, end = "# BEGIN codeframe.staging websocket\n", "# END codeframe.staging websocket\n"
    pasted = block + missing.output.partition(block)[2].partition(end)[0] + end + USER_TEXT
    manager.save(advanced_config=pasted)
    found = deployment.run(variables=[MANUAL])
    assert found.exit_code == 0, found.output
    assert f"the block is in force for {NAME}" in found.words, found.output
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    # The saves of the user alone.
    assert len(manager.requests("PUT")) == len(puts) + 1
    manager.save(advanced_config=before)
    assert deployment.run().exit_code == 0


@pytest.mark.usefixtures("unverified")
def test_a_first_deployment_that_fails_restores_the_previous_proxy(
    deployment: Deployment, manager: Manager, host: Host, tmp_path: Path
) -> None:
    """With one login for all requests: before the change, for it, for its cause, and for the rollback."""
    logins = manager.requests("POST")
    outcome = deployment.run("-vvvv", variables=[NEVER_VERIFIED], environment={"XDG_RUNTIME_DIR": str(tmp_path)})
    assert manager.requests("POST") == [*logins, "POST /api/tokens"]
    assert "correct horse battery" not in outcome.output
    assert outcome.exit_code != 0, outcome.output
    assert "No state is verified yet, so there is none to roll back to" in outcome.words, outcome.output
    assert "The proxy has again what it had before." in outcome.words, outcome.output
    assert manager.host()["advanced_config"] == USER_TEXT
    assert manager.host()["meta"]["nginx_online"] is True
    assert saved_proxy_state(host) == {}


@pytest.mark.usefixtures("unverified")
@pytest.mark.parametrize("by", ["rollback", "next-failing-run"])
def test_a_run_that_was_killed_after_its_save_is_rolled_back(
    by: str,
    deployment: Deployment,
    manager: Manager,
    host: Host,
) -> None:
    deployment.kill_at("nginx_proxy_manager | Record the result")
    assert "# BEGIN codeframe.staging" in manager.host()["advanced_config"]
    assert list(saved_proxy_state(host)["hosts"]) == [NAME]
    if by == "rollback":
        outcome = deployment.run(playbook="rollback_staging.yml")
        assert outcome.exit_code == 0, outcome.output
    else:
        outcome = deployment.run(variables=[NEVER_VERIFIED])
        assert outcome.exit_code != 0, outcome.output
        assert "The proxy has again what it had before." in outcome.words, outcome.output
    assert manager.host()["advanced_config"] == USER_TEXT
    assert saved_proxy_state(host) == {}
