"""Attacks of the deploy user, of a third user and of a repository, each followed by a run of a playbook."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import testinfra.host
from deployment import CHECKOUT, Deployment
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
            found = host.check_output(f"find {WATCHED} -xdev {CHANGED} -printf '%p\\n'")
        return sorted(found.split("\n")) if found else []

    yield touched
    for user in attackers:
        with host.sudo(user):
            assert host.run("sudo -n id").rc != 0, f"{user} became root"
            assert host.run("cat /root/secret").rc != 0
        with host.sudo():
            mine = host.check_output(f"find {WATCHED} -xdev \\( -user {user} -o -group {user} \\) -printf '%p '")
            assert mine == "", f"{user} owns files of root's"
    with host.sudo():
        assert host.check_output("cat /root/secret") == SECRET
        assert host.run("ls /root/.ansible_async/* /run/codeframe-staging-jobs/* 2>/dev/null").stdout == ""
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


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source that differs from the deployed one."""
    made = tmp_path / "source"
    shutil.copytree(CHECKOUT / "examples/sample_app", made, ignore=shutil.ignore_patterns("node_modules", ".next"))
    with (made / "backend/app/main.py").open("a") as file:
        file.write(f"\n# {tmp_path.name}\n")
    return made


#: Exchanges the directory into which archives could be sent for a link to one of root's, and back.
SWAP = (
    "mv -T incoming .gone 2>/dev/null; ln -sfn /etc/sudoers.d incoming; rm -f incoming; mkdir -p incoming; rm -rf .gone"
)
#: Runs in each Python of the deploy user, and claims that the module returned variables of the inventory.
FORGER = """
import json, os, sys
if sys.argv and sys.argv[0] in ("", "-"):
    facts = {"staging_static_root": "/etc/attack", "staging_app_name": "attack", "runtime_npm_registry": "http://127.0.0.1:9"}
    os.write(1, (json.dumps({"changed": False, "ansible_facts": facts}) + "\\n").encode())
    os._exit(0)
"""


@pytest.mark.quick
def test_a_deployment_between_links_fifos_and_directories_that_are_swapped(
    source: Path,
    host: Host,
    deployment: Deployment,
    as_user: Callable[[str, str], str],
    variables: dict[str, Any],
    nothing_gained: Callable[[], list[str]],
    site: Site,
) -> None:
    """The archive of the source is delivered, although a loop of the deploy user exchanges his directories."""
    user, project = variables["staging_user"], variables["staging_project_dir"]
    home = f"/home/{user}"
    as_user(user, f"mkdir -p {project}.releases/incoming; mkfifo {home}/.pm2/attack; mv {home}/.pm2/pm2.pid {home}/pid")
    as_user(user, f"mkfifo {home}/.pm2/pm2.pid; touch {home}/swap")
    as_user(THIRD, "for name in codeframe-staging ansible .codeframe-progress; do ln -sfn /etc /tmp/$name; done")
    loop = f"cd {project}.releases && while [ -e {home}/swap ]; do {SWAP}; sleep 0.01; done"
    with host.sudo(user):
        host.check_output("bash -c %s", f"nohup bash -c '{loop}' >/dev/null 2>&1 &")
    try:
        outcome = deployment.run(variables=[f"staging_source_dir={source}"])
    finally:
        as_user(user, f"rm -rf {home}/swap {home}/.pm2/attack {home}/.pm2/pm2.pid; mv {home}/pid {home}/.pm2/pm2.pid")
    assert outcome.exit_code == 0, outcome.output
    assert ("release", "prepare | Prepare a release of the source") in outcome.changed_tasks
    own = ("/etc", "/var/lib/codeframe-staging", "/etc/nginx")
    assert [
        path for path in nothing_gained() if not path.startswith("/var/lib/codeframe-staging") and path not in own
    ] == []
    assert site.ask({"type": "ping"}) == {"type": "pong"}


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


#: Packages are only installed if they have changed; a build runs its scripts each time.
REPOSITORY = {
    "prebuild": "node -e \"require('fs').appendFileSync('/tmp/ran-as', process.getuid() + '\\n')\"",
    "postbuild": "sudo -n id >/tmp/became-root; cat /root/secret >/tmp/read-secret; touch /etc/attack; true",
}


def test_scripts_of_a_repository_run_with_the_rights_of_the_deploy_user(
    source: Path,
    host: Host,
    deployment: Deployment,
    nothing_gained: Callable[[], list[str]],
    variables: dict[str, Any],
) -> None:
    package = json.loads((source / "web-ui/package.json").read_text())
    package["scripts"].update(REPOSITORY)
    package["description"] = ON_THE_CONTROLLER
    (source / "web-ui/package.json").write_text(json.dumps(package))
    outcome = deployment.run(variables=[f"staging_source_dir={source}"])
    assert outcome.exit_code == 0, outcome.output
    with host.sudo():
        uid = host.check_output("id -u %s", variables["staging_user"])
        assert set(host.check_output("cat /tmp/ran-as").split()) == {uid}
        assert host.check_output("cat /tmp/became-root /tmp/read-secret") == ""
        host.check_output("rm -f /tmp/ran-as /tmp/became-root /tmp/read-secret")
    assert [path for path in nothing_gained() if not path.startswith(STORE)] == []


def test_links_out_of_a_repository_and_names_with_newlines_reach_nothing(
    source: Path,
    host: Host,
    deployment: Deployment,
    nothing_gained: Callable[[], list[str]],
    site: Site,
) -> None:
    """Whether it is deployed or refused."""
    package = json.loads((source / "web-ui/package.json").read_text())
    package["engines"] = {"node": ON_THE_CONTROLLER}
    (source / "web-ui/package.json").write_text(json.dumps(package))
    (source / "web-ui/public").mkdir(exist_ok=True)
    (source / "web-ui/public/root").symlink_to("/root")
    (source / "backend/secret").symlink_to("/root/secret")
    (source / "backend/name\nwith a newline").write_text("x")
    (source / "backend" / ON_THE_CONTROLLER.replace("/", "_")).write_text("x")
    outcome = deployment.run(variables=[f"staging_source_dir={source}"])
    assert SECRET not in outcome.output
    assert [path for path in nothing_gained() if not path.startswith(STORE)] == []
    with host.sudo():
        assert host.check_output("find %s -type l", STORE) == ""
        assert host.run("grep -r %s %s /home", SECRET, STORE).stdout == ""
    assert site.ask({"type": "ping"}) == {"type": "pong"}


PLANTED = {
    "link": "ln -s /root/secret {0}",
    "fifo": "mkfifo {0}",
    "directory": "mkdir {0}",
    "hard-link": "ln /etc/passwd {0} 2>/dev/null || ln -s /etc/passwd {0}",
    # Of a third user, as far as root can make one; the number is that of a process of root's.
    "foreign-owner": "printf 1 >{0}",
}


@pytest.mark.parametrize("kind", PLANTED)
def test_files_of_the_deploy_user_that_root_looks_at_are_neither_followed_nor_waited_for(
    kind: str,
    host: Host,
    deployment: Deployment,
    as_user: Callable[[str, str], str],
    variables: dict[str, Any],
    nothing_gained: Callable[[], list[str]],
    site: Site,
) -> None:
    """Each place of his that the table in docs/security.md names, at once; logrotate is root's as well."""
    user, project = variables["staging_user"], variables["staging_project_dir"]
    log = f"/home/{user}/.pm2/logs/{variables['staging_app_name']}-backend-out.log"
    names = [
        f"{project}/web-ui/package.json",
        f"{project}/backend/pyproject.toml",
        f"{project}/web-ui/.next/static/planted",
        f"/home/{user}/.pm2/pm2.pid",
        log,
    ]
    for name in names:
        as_user(user, f"[ ! -e {name} ] || mv {name} {name}.kept; {PLANTED[kind].format(name)}")
        if kind == "foreign-owner":
            with host.sudo():
                host.check_output("chown %s %s", THIRD, name)
    try:
        outcome = deployment.run("--check", timeout_s=400)
        with host.sudo():
            host.run("timeout 60 logrotate --force /etc/logrotate.d/*staging* /etc/logrotate.d/*pm2*")
    finally:
        for name in names:
            as_user(user, f"rm -rf {name} {log}.*; [ ! -e {name}.kept ] || mv {name}.kept {name}")
    assert SECRET not in outcome.output
    assert [path for path in nothing_gained() if not path.startswith("/var/lib/logrotate/")] == []
    assert site.ask({"type": "ping"}) == {"type": "pong"}


@pytest.mark.usefixtures("nothing_gained")
@pytest.mark.parametrize("kind", ["link", "directory", "foreign-owner"])
def test_places_of_root_that_another_user_could_have_prepared_are_refused(
    kind: str,
    host: Host,
    deployment: Deployment,
    site: Site,
) -> None:
    """The directories of the lock, of the saved state and of the static files, as if they had not been root's."""
    # A file of another user in a directory of root's own is read nowhere but in the store.
    places = [STORE.rstrip("/")] if kind == "foreign-owner" else ["/run/codeframe-staging", STORE.rstrip("/")]
    prepare = {
        "link": (
            f"mkdir /home/{THIRD}/of-his; chown {THIRD} /home/{THIRD}/of-his; "
            f"ln -s /home/{THIRD}/of-his {{0}}; chown -h {THIRD} {{0}}"
        ),
        "directory": f"cp -a {{0}}.kept {{0}}; chown {THIRD} {{0}}",
        "foreign-owner": f"cp -a {{0}}.kept {{0}}; find {{0}} -mindepth 1 -exec chown {THIRD} {{{{}}}} +",
    }[kind]
    for place in places:
        with host.sudo():
            host.check_output(f"mv {place} {place}.kept; {prepare.format(place)}")
        try:
            outcome = deployment.run(playbook="rollback_staging.yml", timeout_s=400)
        finally:
            with host.sudo():
                host.check_output(f"rm -rf {place} /home/{THIRD}/of-his; mv {place}.kept {place}")
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
