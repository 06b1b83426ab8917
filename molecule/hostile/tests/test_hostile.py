"""Attacks of the deploy user, of a third user and of a repository, each followed by a run of a playbook."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import testinfra.host
from deployment import Deployment
from outside import Site

Host = testinfra.host.Host

THIRD = "mallory"
#: What root must not have touched: everything that gives rights, and the files of the attacks.
WATCHED = "/etc /root /usr/local /opt /var/lib/codeframe-staging /var/spool"
CHANGED = "\\( -type f -o -type l -o -type p \\) -not -path '/root/.ansible/*' -cnewer /run/before-the-attack"
STORE = "/var/lib/codeframe-staging/"
SECRET = "only root may read this"


@pytest.fixture(scope="session")
def attackers(host: Host, variables: dict[str, Any]) -> tuple[str, str]:
    """The deploy user and a third user; neither may become root."""
    with host.sudo():
        host.check_output("id %s 2>/dev/null || useradd --create-home %s", THIRD, THIRD)
        host.check_output("install -m 0600 /dev/null /root/secret && printf %%s %s >/root/secret", SECRET)
    return variables["staging_user"], THIRD


@pytest.fixture
def as_user(host: Host, attackers: tuple[str, str]) -> Callable[[str, str], str]:
    def run(user: str, script: str) -> str:
        with host.sudo(user):
            return host.check_output("bash -c %s", script)

    assert all(attackers)
    return run


@pytest.fixture
def nothing_gained(host: Host, attackers: tuple[str, str]) -> Iterator[Callable[[], list[str]]]:
    """The files of root that changed since the test began; after it, no user must have become root."""
    with host.sudo():
        host.check_output("touch /run/before-the-attack && sleep 1")

    def touched() -> list[str]:
        with host.sudo():
            found = host.check_output(f"find {WATCHED} -xdev {CHANGED} -printf '%%p\\n'")
        return sorted(found.split("\n")) if found else []

    yield touched
    for user in attackers:
        with host.sudo(user):
            assert host.run("sudo -n id").rc != 0, f"{user} became root"
            assert host.run("cat /root/secret").rc != 0
        with host.sudo():
            mine = host.check_output(f"find {WATCHED} -xdev \\( -user {user} -o -group {user} \\) -printf '%%p '")
            assert mine == "", f"{user} owns files of root's"
    with host.sudo():
        assert host.check_output("cat /root/secret") == SECRET
        assert host.run("ls /root/.ansible_async/* 2>/dev/null").stdout == ""
        assert host.run("ls /etc/sudoers.d/attack* /etc/nginx/*/attack* 2>/dev/null").stdout == ""
    assert not Path("/tmp/attack-on-the-controller").exists()


def edited(host: Host, variables: dict[str, Any], change: Callable[[dict[str, Any]], None]) -> None:
    """Edit the manifest as the deploy user."""
    path = f"{variables['staging_project_dir']}.releases/manifest.json"
    with host.sudo(variables["staging_user"]):
        manifest = json.loads(host.check_output("cat %s", path))
        change(manifest)
        host.check_output("printf %%s %s >%s", json.dumps(manifest), path)


@pytest.fixture
def manifest(host: Host, variables: dict[str, Any]) -> Iterator[str]:
    """The path of the manifest; what a test does to it is undone."""
    path = f"{variables['staging_project_dir']}.releases/manifest.json"
    with host.sudo(variables["staging_user"]):
        host.check_output("cp -p %s %s.before", path, path)
    yield path
    with host.sudo(variables["staging_user"]):
        host.check_output("rm -rf %s && mv %s.before %s", path, path, path)


def _records(**values: Any) -> Callable[[dict[str, Any]], None]:
    def change(manifest: dict[str, Any]) -> None:
        manifest["releases"][manifest["committed"]]["records"].update(values)

    return change


SUDOERS = "/sudoers.d/"
NGINX_LOG = "access_log /etc/sudoers.d/attack; server { listen 127.0.0.1:9; }"
ON_THE_CONTROLLER = "{{ lookup('ansible.builtin.pipe', 'touch /tmp/attack-on-the-controller') }}"
TAMPERED = {
    "static-files-of-root": _records(
        frontend_process={"static_root": "/home/deploy/static", "static_url_path": SUDOERS, "static_publish": True}
    ),
    "site-of-nginx": lambda manifest: manifest.update(
        saved_proxy_state={"provider": "nginx", "site_name": "attack", "content": NGINX_LOG, "main_content": NGINX_LOG}
    ),
    "verified-site-of-nginx": lambda manifest: manifest.update(
        committed={"release": manifest["committed"], "proxy_state": {"provider": "nginx", "content": NGINX_LOG}}
    ),
    "file-of-tasks": lambda manifest: manifest.update(
        saved_proxy_state={"provider": "../../../../../home/deploy/tasks"}
    ),
    "hosts-of-the-proxy-manager": lambda manifest: manifest.update(
        saved_proxy_state={"provider": "nginx_proxy_manager", "hosts": {"other.example.com": {"block": "x"}}}
    ),
    "url-for-the-logins-of-the-controller": _records(verification={"url": "ws://attacker.example.com/ws"}),
    "release-outside": lambda manifest: manifest.update(committed="../../../../etc"),
    "shared-path-outside": lambda manifest: manifest["layout"].update(shared_paths=["../../../../etc"]),
}


@pytest.mark.parametrize("attack", TAMPERED)
def test_a_tampered_manifest_is_refused_by_name_and_nothing_is_changed(
    attack: str,
    manifest: str,
    host: Host,
    deployment: Deployment,
    variables: dict[str, Any],
    nothing_gained: Callable[[], list[str]],
    site: Site,
) -> None:
    edited(host, variables, TAMPERED[attack])
    outcome = deployment.run(playbook="rollback_staging.yml")
    assert outcome.exit_code != 0, outcome.output
    assert f"{manifest} is refused: " in outcome.words, outcome.output
    assert outcome.changed == 0, outcome.changed_tasks
    assert nothing_gained() == []
    assert site.ask({"type": "ping"}) == {"type": "pong"}


@pytest.mark.parametrize("kind", ["fifo", "link", "hard-link", "directory"])
def test_a_manifest_that_is_no_file_is_neither_followed_nor_waited_for(
    kind: str,
    manifest: str,
    deployment: Deployment,
    as_user: Callable[[str, str], str],
    variables: dict[str, Any],
    nothing_gained: Callable[[], list[str]],
) -> None:
    plant = {
        "fifo": "mkfifo {0}",
        "link": "ln -s /var/lib/codeframe-staging/*/state.json {0}",
        "hard-link": "ln /etc/passwd {0} 2>/dev/null || ln -s /etc/passwd {0}",
        "directory": "mkdir {0}",
    }[kind]
    as_user(variables["staging_user"], f"rm {manifest}; {plant.format(manifest)}")
    outcome = deployment.run(playbook="rollback_staging.yml", timeout_s=300)
    assert outcome.exit_code != 0, outcome.output
    assert outcome.changed == 0, outcome.changed_tasks
    assert nothing_gained() == []


def test_what_passes_the_schema_is_not_templated_on_the_controller(
    manifest: str,
    host: Host,
    deployment: Deployment,
    variables: dict[str, Any],
    nothing_gained: Callable[[], list[str]],
    site: Site,
) -> None:
    """A revision is the deploy user's own, and goes to his process as it is."""
    assert manifest
    edited(host, variables, _records(backend_revision=ON_THE_CONTROLLER, frontend_revision=ON_THE_CONTROLLER))
    outcome = deployment.run("-v", playbook="rollback_staging.yml", variables=["rollback_release=committed"])
    assert not Path("/tmp/attack-on-the-controller").exists(), outcome.output
    assert [path for path in nothing_gained() if not path.startswith(STORE)] == []
    assert site.ask({"type": "ping"}) == {"type": "pong"}


#: Runs in each Python of the deploy user, and claims that the module returned variables of the inventory.
FORGER = """
import json, os, sys
if sys.argv and sys.argv[0] in ("", "-"):
    facts = {"staging_static_root": "/etc/attack", "staging_app_name": "attack", "runtime_npm_registry": "http://127.0.0.1:9"}
    os.write(1, (json.dumps({"changed": False, "ansible_facts": facts}) + "\\n").encode())
    os._exit(0)
"""


def test_facts_that_a_process_of_the_deploy_user_forges_change_nothing_for_root(
    host: Host,
    deployment: Deployment,
    as_user: Callable[[str, str], str],
    variables: dict[str, Any],
    nothing_gained: Callable[[], list[str]],
) -> None:
    user = variables["staging_user"]
    place = as_user(user, "/usr/bin/python3 -m site --user-site || true")
    with host.sudo(user):
        host.check_output("mkdir -p %s && printf %%s %s >%s/usercustomize.py", place, FORGER, place)
    try:
        outcome = deployment.run()
    finally:
        as_user(user, f"rm -rf {place}")
    # He can spoil his own deployment.
    assert "/etc/attack" not in "".join(nothing_gained()), outcome.output
    assert nothing_gained() == []


@pytest.mark.usefixtures("nothing_gained")
def test_directories_of_root_that_another_user_owns_are_refused(host: Host, deployment: Deployment, site: Site) -> None:
    """Those of the lock and of the saved state."""
    for place in ("/run/codeframe-staging", STORE.rstrip("/")):
        with host.sudo():
            host.check_output(f"mv {place} {place}.kept; cp -a {place}.kept {place}; chown {THIRD} {place}")
        try:
            outcome = deployment.run(playbook="rollback_staging.yml", timeout_s=400)
        finally:
            with host.sudo():
                host.check_output(f"rm -rf {place}; mv {place}.kept {place}")
        assert outcome.exit_code != 0, outcome.output
        assert outcome.changed == 0, outcome.changed_tasks
        assert place in outcome.words, outcome.output
        assert site.ask({"type": "ping"}) == {"type": "pong"}


#: Reads what Ansible has left in its directories: who may run it, and which needles are in it, packed or not.
PAYLOADS = """
import base64, glob, io, json, os, re, zipfile
given = GIVEN
found = []
tops = [top for place in given["places"] for top in glob.glob(place)]
for path in (os.path.join(above, name) for top in tops for above, _, names in os.walk(top) for name in names):
    with open(path, "rb") as file:
        data = file.read()
    for packed in re.findall(rb"[A-Za-z0-9+/=]{1000,}", data):
        try:
            archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(packed)))
        except (ValueError, zipfile.BadZipFile):
            continue
        data += b"".join(archive.read(name) for name in archive.namelist())
    users = [path, os.path.dirname(path)]
    shared = any("system.posix_acl_access" in os.listxattr(each) for each in users)
    needles = [name for name, text in given["needles"].items() if text.encode() in data]
    found.append({"module": os.path.basename(path), "as_deploy_user": shared, "needles": needles})
print(json.dumps(found))
"""


def test_what_goes_to_the_host_with_a_module_is_what_it_reads(
    tmp_path: Path,
    host: Host,
    deployment: Deployment,
    as_user: Callable[[str, str], str],
    variables: dict[str, Any],
    site: Site,
) -> None:
    """A whole deployment without pipelining, after which all its payloads are searched.

    A password goes with the modules that need it alone, and what the deploy user writes into his files is in no payload
    that runs as root.
    """
    user, project = variables["staging_user"], variables["staging_project_dir"]
    needles = {name: f"planted-{name}-{tmp_path.name}" for name in ("manager", "env", "header", "record", "line")}
    given = tmp_path / "given.json"
    given.write_text(
        json.dumps(
            {
                "ansible_pipelining": False,
                "staging_proxy_manager_secret": needles["manager"],
                "staging_env_secrets": {"SAMPLE_TOKEN": needles["env"]},
                "staging_websocket_secret_headers": {"X-Token": needles["header"]},
            }
        )
    )
    with host.sudo():
        # With it, Ansible lets the deploy user alone read the files that he runs, and the test knows whose they are.
        host.check_output("apt-get -qq install acl >/dev/null")
    edited(host, variables, _records(backend_revision=needles["record"]))
    as_user(user, f"echo LINE_OF_HIS={needles['line']} >>{project}/.env.staging")
    try:
        outcome = deployment.run(
            variables=[f"@{given}"],
            environment={"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_PIPELINING": "0"},
        )
        search = {"places": ["/root/.ansible/tmp", "/home/*/.ansible/tmp", "/var/tmp/ansible*"], "needles": needles}
        with host.sudo():
            host.check_output("printf %%s %s >/root/search.py", f"GIVEN = {search!r}\n{PAYLOADS}")
            found = json.loads(host.check_output("python3 /root/search.py"))
    finally:
        with host.sudo():
            host.check_output("rm -rf /root/search.py /root/.ansible/tmp/* /home/*/.ansible/tmp/* /var/tmp/ansible*")
    assert outcome.exit_code == 0, outcome.output
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    whose = {each["as_deploy_user"] for each in found}
    assert len(found) > 15
    assert whose == {True, False}
    goes = {name: {each["module"] for each in found if name in each["needles"]} for name in needles}
    assert goes["manager"] == set()
    look = "AnsiballZ_deployment_info.py"
    assert goes["env"] == {look, "AnsiballZ_dotenv_file.py"}
    assert "AnsiballZ_websocket_check.py" in goes["header"]
    assert goes["header"] <= {look, "AnsiballZ_websocket_check.py", "AnsiballZ_pm2_process.py"}
    as_root = [each for each in found if not each["as_deploy_user"]]
    assert {each["module"] for each in as_root if "env" in each["needles"]} == {look}
    assert [each for each in as_root if {"record", "line"} & {*each["needles"]}] == []
