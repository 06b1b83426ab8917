"""What must hold on a staging host after every run, whatever happened before it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testinfra.host import Host

SECRET = "molecule-secret-value"
DATA = "kept by the application"

#: Prints what is on the host, as JSON. Runs as root, with the given paths as its argument.
LOOK = r"""
import glob, json, os, pwd, re, subprocess, sys
given = json.loads(sys.argv[1])
MADE = ("node_modules", ".venv", "venvs", ".next", ".git")
project, releases, key, user = (given[name] for name in ("project", "releases", "key", "user"))
def text(path):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""
def listed(path):
    return sorted(os.listdir(path)) if os.path.isdir(path) else []
def started(pid):
    return int(text(f"/proc/{pid}/stat").rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
def pm2():
    done = subprocess.run(["su", "-l", user, "-c", "pm2 -s jlist"], capture_output=True, text=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return []
def parts(release):
    page = os.path.join(release, "web-ui/.next/BUILD_ID")
    return {"build": text(page)}
processes = []
for each in pm2():
    pid = each.get("pid") or 0
    cwd = os.readlink(f"/proc/{pid}/cwd") if os.path.exists(f"/proc/{pid}") else ""
    processes.append({"name": each["name"], "status": each["pm2_env"]["status"], "cwd": cwd})
boot = next(float(line.split()[1]) for line in open("/proc/stat") if line.startswith("btime"))
workers, disk = [], 0.0
for path in glob.glob("/proc/[0-9]*/cmdline"):
    if text(path).startswith("nginx: worker process") and "shutting down" not in text(path):
        workers.append(boot + started(path.split("/")[2]))
for path in ["/etc/nginx/nginx.conf", *glob.glob("/etc/nginx/sites-enabled/*"), *glob.glob("/etc/nginx/conf.d/*")]:
    disk = max(disk, os.stat(path).st_mtime if os.path.exists(path) else 0)
tested = subprocess.run(["nginx", "-t"], capture_output=True, text=True)
manifest = json.loads(text(os.path.join(releases, "manifest.json")) or "{}")
state = json.loads(text(f"/var/lib/codeframe-staging/{key}/state.json") or "{}")
leftovers = []
for root in (releases, "/var/lib/codeframe-staging", "/run/codeframe-staging", "/etc/nginx", os.path.dirname(project)):
    for directory, names, files in os.walk(root):
        names[:] = [n for n in names if n not in MADE]
        for name in (*names, *files):
            if re.search(r"\.(?:tmp|new|partial|candidate|lock)$|^\.ansible_tmp|^\.#", name) and name != "uv.lock":
                leftovers.append(os.path.join(directory, name))
for pattern in ("/root/.ansible_async/*", "/run/codeframe-staging/*.jobs", "/run/codeframe-staging-jobs/*",
                f"/home/{user}/.ansible_async/*", "/var/lib/codeframe-staging/*/incoming/*",
                "/tmp/ansible*", "/tmp/codeframe*"):
    leftovers += glob.glob(pattern)
of_root = subprocess.run(["find", releases, "-user", "root"], capture_output=True, text=True).stdout.splitlines()
found = subprocess.run(
    ["grep", "-rlsI", "--devices=skip", *(f"--exclude-dir={name}" for name in (*MADE, ".npm", ".cache")),
     given["secret"],
     "/etc", "/home", "/root", "/run", "/tmp", "/var/lib/codeframe-staging", "/var/log", "/var/tmp"],
    capture_output=True, text=True)
account = pwd.getpwnam(user)
private = []
for path in found.stdout.splitlines():
    status = os.stat(path)
    if status.st_uid != account.pw_uid or status.st_mode & 0o077:
        private.append(path)
print(json.dumps({
    "link": os.readlink(project) if os.path.islink(project) else "",
    "real": os.path.realpath(project),
    "exists": os.path.isdir(project),
    "build": text(os.path.join(project, "web-ui/.next/BUILD_ID")),
    "builds": {p["cwd"]: text(os.path.join(p["cwd"], ".next/BUILD_ID")) for p in processes if p["cwd"]},
    "processes": processes,
    "nginx": tested.stderr if tested.returncode else "",
    "stale_s": disk - min(workers) if workers else None,
    "listed": sorted(n for n in listed(releases) if re.match(r"[0-9]{4}", n)),
    "manifest": sorted(manifest.get("releases", {})),
    "backend_revisions": {
        name: each.get("records", {}).get("backend_revision", "") for name, each in manifest.get("releases", {}).items()
    },
    "candidate": manifest.get("candidate"),
    "verified": sorted(state.get("verified", {})),
    "leftovers": leftovers,
    "of_root": of_root[:5],
    "data": text(os.path.join(releases, "shared", given["data"])),
    "secrets": found.stdout.splitlines(),
    "open_secrets": private,
}))
"""


@dataclass(frozen=True)
class Invariants:
    """A host whose invariants are looked at.

    :param given: The paths that :data:`LOOK` reads, and the name of the application.
    :param secrets: The places of secrets of a new deployment.
    """

    host: Host
    given: Mapping[str, str]
    secrets: frozenset[str]

    @classmethod
    def of(cls, host: Host, places_of_host: Mapping[str, str], user: str) -> Invariants:
        """Give the application data, and take the places where secrets are now for the right ones."""
        given = {name: places_of_host[name] for name in ("project", "releases", "key", "app")}
        given |= {"data": "backend/data/kept", "secret": SECRET, "user": user}
        with host.sudo(user):
            host.check_output("sh -c %s", f"echo '{DATA}' >{given['releases']}/shared/{given['data']}")
        # pm2 keeps the list before the last one.
        secrets = places(look(host, given)["secrets"]) | {f"/home/{user}/.pm2/dump.pm2.bak"}
        return cls(host, given, secrets)

    def violations(self) -> list[str]:
        found = look(self.host, self.given)
        return violations(found, app=self.given["app"], releases=self.given["releases"], known=self.secrets)


def look(host: Host, given: Mapping[str, str]) -> dict[str, Any]:
    """Return what is on the host."""
    with host.sudo():
        done = host.run("python3 -c %s %s", LOOK, json.dumps(given))
    assert done.rc == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def violations(found: Mapping[str, Any], *, app: str, releases: str, known: frozenset[str]) -> list[str]:
    """Return what does not hold, each in one sentence; empty if everything does.

    :param found: What :data:`LOOK` printed.
    :param known: The places of secrets of a new deployment, as :func:`places` returns them.
    """
    active = str(found["real"]).rpartition("/")[2]
    wanted = {f"{app}-backend", f"{app}-frontend"}
    online = {each["name"] for each in found["processes"] if each["status"] == "online"}
    ours = [each for each in found["processes"] if each["name"] in wanted]
    new = places(found["secrets"]) - known
    stale_s = found["stale_s"]
    checks: Sequence[tuple[bool, str]] = (
        (bool(found["link"]) and found["exists"], "the project directory is no link to a release that exists"),
        (str(found["real"]).startswith(f"{releases}/"), f"the active release is {found['real']}"),
        (active in found["manifest"], f"the active release {active} is not listed: {found['manifest']}"),
        (found["listed"] == found["manifest"], f"releases {found['listed']}, listed are {found['manifest']}"),
        (not found["candidate"], f"a candidate is left: {found['candidate']}"),
        (wanted <= online, f"processes online: {sorted(online)}"),
        (not _elsewhere(ours, found), f"processes of another release: {_elsewhere(ours, found)}"),
        (not found["nginx"], f"nginx refuses its configuration: {found['nginx']}"),
        (stale_s is not None, "nginx has no worker"),
        # The start of a process is known to a hundredth of a second, the boot of the machine to a second.
        (stale_s is None or stale_s < 2, f"nginx runs a configuration older than the disk by {stale_s} s"),
        (active in found["verified"], f"verified are {found['verified']}, active is {active}"),
        (not found["leftovers"], f"left over: {found['leftovers']}"),
        (not found["of_root"], f"files of root: {found['of_root']}"),
        (found["data"].strip() == DATA, f"the application's data are {found['data']!r}"),
        (not new, f"a secret is in {sorted(new)}"),
        (not found["open_secrets"], f"others can read a secret in {found['open_secrets']}"),
    )
    return [what for holds, what in checks if not holds]


def _elsewhere(processes: Sequence[Mapping[str, str]], found: Mapping[str, Any]) -> list[str]:
    """Processes that run from a release that is not the active one, and does not have the same part of it.

    What has not changed is not started again: a frontend with the same build, a backend with the same source and
    packages.
    """
    builds, revisions = found["builds"], found["backend_revisions"]

    def same(each: Mapping[str, str]) -> bool:
        cwd = each["cwd"]
        if each["name"].endswith("-frontend"):
            return bool(builds.get(cwd)) and builds[cwd] == found["build"]
        releases, _, active = str(found["real"]).rpartition("/")
        revision = revisions.get(cwd.removeprefix(f"{releases}/").partition("/")[0])
        return bool(revision) and revision == revisions.get(active)

    return [
        f"{each['name']} in {each['cwd']}"
        for each in processes
        if not f"{each['cwd']}/".startswith(f"{found['real']}/") and not same(each)
    ]


def places(paths: Sequence[str]) -> frozenset[str]:
    """Return paths with the names of releases replaced, so that those of another release are the same place."""
    return frozenset(re.sub(r"/[0-9]{4}-[0-9A-Za-z-]+", "/RELEASE", path) for path in paths)
