# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs of the playbooks take, each compared with a baseline of the same run; writes docs/performance.md.

Usage, as root: ``python benchmarks/performance.py [reruns|tasks|changed|hosts|growth|first ...]``; all parts by default

The commands of a part are repeated in turn, so that a machine that gets slower makes all of them slower. A part that
was measured before is kept in ``benchmarks/results.json``, from which the page is written anew. The holds of the
verification are left out, except in ``hosts``.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from staging_host import ROOT, Line, StagingHost, checkout_environment, staging_host

RESULTS, PAGE = ROOT / "benchmarks/results.json", ROOT / "docs/performance.md"
BASELINES = ROOT / "benchmarks/baselines"
RUNS, FIRST_RUNS = 5, 2
HOSTS = (1, 4, 8, 16)
HOLD_S = 10
EXPENSIVE = 5
NO_HOLD = "staging_hold=0"
ACTIVATION = "activate | Activate the candidate"
PLAIN_BUILD = """
set -e
rm -rf /tmp/plain && mkdir /tmp/plain && chown deploy: /tmp/plain
runuser -u deploy -- cp -a /home/deploy/projects/sample/web-ui /tmp/plain/web-ui
cd /tmp/plain/web-ui
rm -f .next/BUILD_ID
before=$(date +%s.%N)
export HOME=/home/deploy NEXT_TELEMETRY_DISABLED=1 NEXT_PUBLIC_WS_URL="$URL"
runuser -u deploy -- npm run build >/dev/null 2>&1
after=$(date +%s.%N)
test -s .next/BUILD_ID
rm -rf /tmp/plain
echo "$before $after"
"""
DELETE_DIRECTIVE = "sed -i '/proxy_set_header Upgrade/d' /etc/nginx/sites-available/sample && systemctl reload nginx"


@dataclass(frozen=True)
class Figure:
    """The times of one command in seconds, and the limit that they are compared with.

    :param baseline: Name of the figure that ``factor`` and ``allowance_s`` apply to; empty without a limit.
    """

    name: str
    seconds: Sequence[float]
    baseline: str = ""
    factor: float = 0.0
    allowance_s: float = 0.0

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)

    def kept(self) -> dict[str, object]:
        """What the page shows of it."""
        times = {"minimum_s": min(self.seconds), "median_s": self.median_s, "maximum_s": max(self.seconds)}
        limit = {"baseline": self.baseline, "factor": self.factor, "allowance_s": self.allowance_s}
        return {
            "name": self.name,
            "runs": len(self.seconds),
            **{name: round(each, 2) for name, each in times.items()},
            **(limit if self.baseline else {}),
        }


def timed(run: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    started = time.monotonic()
    run()
    return time.monotonic() - started


def playbook(host: StagingHost, name: str | Path, *variables: str, changed: bool | None = None) -> None:
    """Run a playbook to its end.

    :param changed: Whether it must have changed something; ``None`` for either.
    """
    done = host.deployment.run(playbook=str(name), variables=variables)
    if done.exit_code or (changed is not None and changed is not bool(done.changed)):
        raise SystemExit(done.output)


def deploy(host: StagingHost, *variables: str, changed: bool | None = None) -> None:
    playbook(host, "deploy_staging.yml", NO_HOLD, *variables, changed=changed)


def reruns(host: StagingHost) -> list[Figure]:
    """A run without drift, and one that repairs a directive of nginx."""
    builtin = BASELINES / "builtin.yml"
    playbook(host, builtin)
    times: dict[str, list[float]] = {name: [] for name in ("a", "b", "none", "drift", "directive")}
    for _run in range(RUNS):
        times["a"].append(timed(lambda: playbook(host, BASELINES / "empty.yml", changed=False)))
        times["b"].append(timed(lambda: playbook(host, builtin, changed=False)))
        times["none"].append(timed(lambda: deploy(host, changed=False)))
        times["drift"].append(timed(lambda: playbook(host, "drift_staging.yml", changed=False)))
        host.shell(DELETE_DIRECTIVE)
        times["directive"].append(timed(lambda: deploy(host, changed=True)))
    return [
        Figure("(a) an empty play with facts", times["a"]),
        Figure("(b) the same steps by built-in modules, nothing to do", times["b"]),
        Figure("deploy-staging.yml without drift", times["none"], "(a) an empty play with facts", 4.0),
        Figure("drift-staging.yml", times["drift"]),
        Figure(
            "deploy-staging.yml, one nginx directive drifted", times["directive"], "(a) an empty play with facts", 6.0
        ),
    ]


def tasks(host: StagingHost) -> list[Figure]:
    """The most expensive tasks of a run without drift."""
    times: dict[str, list[float]] = {}
    for _run in range(RUNS):
        code, lines = host.timed("deploy_staging.yml", [NO_HOLD])
        if code:
            raise SystemExit("\n".join(line.text for line in lines))
        begun = [line for line in lines if line.text.startswith(("TASK [", "PLAY RECAP"))]
        for line, following in itertools.pairwise(begun):
            # Two plays may have tasks of the same name.
            name = line.text.partition("[")[2].rpartition("]")[0].removeprefix("codeframe.staging.")
            times.setdefault(name, []).append(following.at_s - line.at_s)
    figures = sorted((Figure(name, each) for name, each in times.items()), key=lambda each: -each.median_s)
    return figures[:EXPENSIVE]


def until_activation_s(lines: Sequence[Line]) -> float:
    """Seconds from the first task to the end of the activation."""
    tasks = [line for line in lines if line.text.startswith("TASK [")]
    activation = next(index for index, line in enumerate(tasks) if ACTIVATION in line.text)
    return tasks[activation + 1].at_s - tasks[0].at_s


def changed(host: StagingHost) -> list[Figure]:
    """A run with another public URL, up to the activation of its release."""
    build, activation = [], []
    for run in range(RUNS):
        before, after = host.shell(f"URL={host.ws_url('plain')}/{run}\n{PLAIN_BUILD}").split()[-2:]
        build.append(float(after) - float(before))
        values = {
            "NEXT_PUBLIC_WS_URL": host.ws_url(),
            "NEXT_PUBLIC_API_URL": host.ws_url().replace("ws:", "http:").removesuffix("/ws"),
            "NEXT_PUBLIC_RUN": str(run),
        }
        code, lines = host.timed("deploy_staging.yml", [NO_HOLD, json.dumps({"staging_public_env": values})])
        if code:
            raise SystemExit("\n".join(line.text for line in lines))
        activation.append(until_activation_s(lines))
    return [
        Figure("(d) npm run build alone", build),
        Figure(
            "another build-time value, from the first task to the activation",
            activation,
            "(d) npm run build alone",
            1.1,
            6.0,
        ),
    ]


def hosts(host: StagingHost) -> list[Figure]:
    """The verification of many hosts at once; all of them are names of the same container."""
    document = yaml.safe_load(host.inventory.read_text())
    entries = document["staging"]["children"]["scenario"]["hosts"]
    (variables,) = entries.values()
    figures: list[Figure] = []
    for count in HOSTS:
        names = {f"host{number}": variables for number in range(count)}
        inventory = host.inventory.parent / f"hosts{count}.yml"
        inventory.write_text(yaml.safe_dump({"staging": {"children": {"scenario": {"hosts": names}}}}))
        for hold in (0, HOLD_S):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds = [timed(partial(verify, inventory, hold)) for _run in range(2)]
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu_s = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / len(seconds)
            name = f"verify-staging.yml, {count} host{'s' if count > 1 else ''}, hold of {hold} s"
            used = f"controller: {cpu_s / count:.1f} s of CPU for each, {after.ru_maxrss // 1024} MiB at most"
            baseline = ("", 0.0, 0.0) if not hold else (figures[-1].name, 1.5, float(HOLD_S))
            figures.append(Figure(f"{name} ({used})", seconds, *baseline))
    return figures


@dataclass(frozen=True)
class Growth:
    """Something that a host or a source may have much of.

    :param sizes: How many, in ascending order.
    :param make: A shell command for the host, or a function for the sources; ``{n}`` is how many there are then.
    :param remove: A shell command for the host.
    :param variables: Those of the runs that are measured.
    """

    name: str
    sizes: Sequence[int]
    make: str | Callable[[Path, int], None]
    remove: str = ""
    variables: Sequence[str] = ()


def add_files(sources: Path, count: int) -> None:
    """Text files of 1 KiB, 1,000 in a directory."""
    for number in range(count):
        path = sources / "backend/fixtures" / str(number // 1000) / f"{number}.txt"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{number}\n" * (1024 // (len(str(number)) + 1)))


def add_assets(sources: Path, megabytes: int) -> None:
    """Files of 1 MiB that do not compress."""
    for number in range(megabytes):
        path = sources / "web-ui/public/assets" / f"{number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(os.urandom(1 << 20))


def add_pages(sources: Path, count: int) -> None:
    """Pages of the frontend, each a route of its own."""
    for number in range(count):
        page = sources / "web-ui/app/growth" / str(number) / "page.jsx"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f"export default function Page() {{ return <p>{number}</p>; }}\n")


MORE_SITES = """
for n in $(seq {n}); do
  site="server {{ listen 18392; server_name growth$n.test; location / {{ return 204; }} }}"
  echo "$site" >/etc/nginx/sites-enabled/growth$n
done
systemctl reload nginx
"""
MORE_PROCESSES = """
runuser -l deploy -c '
for n in $(seq {n}); do pm2 -s start /bin/sleep --name growth$n --interpreter none -- 100000; done
pm2 -s save
'
"""
#: Copies of the active release, with their records.
MORE_RELEASES = """
runuser -u deploy -- python3 - {n} <<'PYTHON'
import json, os, subprocess, sys
place = os.path.realpath(os.path.expanduser("~deploy/projects/sample") + ".releases")
with open(place + "/manifest.json") as file:
    manifest = json.load(file)
active = manifest["committed"]
while len(manifest["releases"]) < int(sys.argv[1]):
    manifest["counter"] += 1
    copy = "%04d-%s" % (manifest["counter"], active.split("-")[1])
    for directory in (place, place + "/baselines"):
        subprocess.run(["cp", "-a", directory + "/" + active, directory + "/" + copy], check=True)
    manifest["releases"][copy] = manifest["releases"][active]
with open(place + "/manifest.json", "w") as file:
    json.dump(manifest, file, indent=1, sort_keys=True)
PYTHON
"""
GROWTH: Sequence[Growth] = (
    Growth(
        "sites of nginx",
        (1, 100, 1000),
        MORE_SITES,
        "rm -f /etc/nginx/sites-enabled/growth*; systemctl reload nginx",
    ),
    Growth(
        "other pm2 processes",
        (2, 50),
        MORE_PROCESSES,
        "runuser -l deploy -c 'pm2 -s delete /growth/; pm2 -s save --force'",
    ),
    Growth("MB of assets", (1, 100), add_assets),
    Growth("pages of the frontend", (10, 100, 1000), add_pages),
    Growth("releases kept", (3, 30), MORE_RELEASES, variables=("staging_keep_releases=100",)),
    Growth("files in the source", (1000, 10000, 100000), add_files),
)


def growth(host: StagingHost) -> list[Figure]:
    """A run without drift, with more of everything."""
    figures = []
    for grown in GROWTH:
        for size in grown.sizes:
            if isinstance(grown.make, str):
                host.shell(grown.make.format(n=size))
            else:
                grown.make(host.sources, size)
                deploy(host)
            rerun = partial(deploy, host, *grown.variables, changed=False)
            seconds = [timed(rerun) for _run in range(3)]
            figures.append(Figure(f"deploy-staging.yml without drift, {size:,} {grown.name}", seconds))
        if grown.remove:
            host.shell(grown.remove)
    return figures


def verify(inventory: Path, hold: int) -> None:
    subprocess.run(
        [
            "ansible-playbook",
            f"--inventory={inventory}",
            "--forks=16",
            f"--extra-vars=staging_hold={hold}",
            "playbooks/verify_staging.yml",
        ],
        cwd=ROOT,
        env=checkout_environment(),
        stdout=subprocess.DEVNULL,
        check=True,
    )


def first() -> list[Figure]:
    """The first deployment on a bare host, and the manual procedure on another."""
    versions = yaml.safe_load((ROOT / "roles/runtime/defaults/main.yml").read_text())
    default = {
        name: text.partition("default('")[2].partition("'")[0]
        for name, text in versions.items()
        if isinstance(text, str)
    }
    script = (
        f"export PORT=18392 NPM_VERSION={default['runtime_npm_version']} PM2_VERSION={default['runtime_pm2_version']}"
        f" REGISTRY={default['runtime_npm_registry']}\n{(BASELINES / 'manual.sh').read_text()}"
    )
    manual, ours = [], []
    for _run in range(FIRST_RUNS):
        with staging_host("codeframe-staging-performance", 18392, 14392, image="bare") as host:
            host.copy(host.sources, "/home/admin/source")
            manual.append(timed(lambda: host.shell(script)))
        with staging_host("codeframe-staging-performance", 18392, 14392, image="bare") as host:
            ours.append(timed(lambda: deploy(host)))
    return [
        Figure("(c) the manual procedure as a script, on a bare host", manual),
        Figure(
            "deploy-staging.yml, first deployment on a bare host",
            ours,
            "(c) the manual procedure as a script, on a bare host",
            1.15,
        ),
    ]


PARTS: Mapping[str, str] = {
    "reruns": "Runs on a deployed host",
    "tasks": "The most expensive tasks of a run without drift",
    "changed": "A changed build",
    "hosts": "Many hosts",
    "growth": "Much of everything",
    "first": "The first deployment",
}


def render(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The page of the figures, each as :meth:`Figure.kept` returns it."""
    text = [
        "# Performance",
        "",
        "Written by `make bench`: a container as the host, two cores for host and controller together, SSH with",
        "pipelining. Seconds, minimum / median / maximum. The figures of a table are from one run, its commands in",
        "turn. The hold of the verification is left out unless its row names one.",
    ]
    for part, title in PARTS.items():
        figures = {each["name"]: each for each in results.get(part, ())}
        if not figures:
            continue
        text += ["", f"## {title}", "", "| | runs | seconds | compared | limit |", "|---|---|---|---|---|"]
        for figure in figures.values():
            compared = limit = ""
            if "baseline" in figure:
                baseline_s, name = figures[figure["baseline"]]["median_s"], figure["baseline"]
                short = name[:3] if name.startswith("(") else "without hold"
                allowance = f" + {figure['allowance_s']:g} s" if figure["allowance_s"] else ""
                compared = f"{figure['median_s'] / baseline_s:.1f} x {short}"
                met = figure["median_s"] <= figure["factor"] * baseline_s + figure["allowance_s"]
                limit = f"{figure['factor']:g} x {short}{allowance}" + (", met" if met else ", **missed**")
            times = " / ".join(f"{figure[each]:.1f}" for each in ("minimum_s", "median_s", "maximum_s"))
            text.append(f"| {figure['name']} | {figure['runs']} | {times} | {compared} | {limit} |")
    return "\n".join(text) + "\n"


def main(parts: Sequence[str]) -> int:
    unknown = set(parts) - set(PARTS)
    if unknown:
        raise SystemExit(f"no such part: {', '.join(sorted(unknown))}; known are {', '.join(PARTS)}")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    wanted = parts or list(PARTS)

    def keep(part: str, figures: Sequence[Figure]) -> None:
        results[part] = [figure.kept() for figure in figures]
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        PAGE.write_text(render(results))
        print(PAGE.read_text(), flush=True)

    deployed = {"reruns": reruns, "tasks": tasks, "changed": changed, "hosts": hosts, "growth": growth}
    if set(wanted) & set(deployed):
        with staging_host("codeframe-staging-performance", 18392, 14392) as host:
            deploy(host)
            for part in wanted:
                if part in deployed:
                    keep(part, deployed[part](host))
    if "first" in wanted:
        keep("first", first())
    return 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main(sys.argv[1:]))
