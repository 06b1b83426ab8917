"""Secrets that are planted into a deployment, and a search that finds them in whatever form they were left."""

from __future__ import annotations

import base64
import json
import secrets
import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Different in every session, so that no file that only speaks of it is taken for one that holds it.
MARK = f"Planted{secrets.token_hex(5)}"
#: Part of a secret that goes into the query of a URL, which every server on its way writes into its log.
ASKED = f"Asked{secrets.token_hex(5)}"
#: Goes over standard input, so that no secret is in an argument, with GIVEN in front of it. Prints one line of JSON
#: for each file that holds a needle.
SEARCH = """\
import gzip, json, os, stat
given = GIVEN
needles = [n.encode() for n in given["needles"]]
left_out = tuple(given["left_out"])
seen = set()
def look(path):
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode) or (status.st_dev, status.st_ino) in seen:
            return
        if status.st_mtime < given["since"] and status.st_ctime < given["since"]:
            return
        with open(path, "rb") as file:
            data = file.read()
        seen.add((status.st_dev, status.st_ino))
    except OSError:
        return
    if data[:2] == b"\\x1f\\x8b":
        try:
            data += gzip.decompress(data)
        except (OSError, EOFError):
            pass
    if any(needle in data for needle in needles):
        print(json.dumps({"path": path, "mode": stat.S_IMODE(status.st_mode), "uid": status.st_uid}))
for root in given["roots"]:
    for directory, names, files in os.walk(root):
        names[:] = [n for n in names if not os.path.join(directory, n).startswith(left_out)]
        for name in files:
            look(os.path.join(directory, name))
"""
#: Writes the arguments of every process that it sees into a private file, until the file is removed.
SAMPLE = """\
import os, time
path = "/root/arguments"
seen = set()
with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
    while os.path.exists("/root/sampling"):
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/cmdline", "rb") as raw:
                        arguments = raw.read()
                except OSError:
                    continue
                if arguments not in seen:
                    seen.add(arguments)
                    file.write(arguments + b"\\n")
                    file.flush()
        time.sleep(0.03)
"""


def plant(name: str, before: str = "", after: str = "", mark: str = MARK) -> str:
    """A new secret; its middle is what is searched for, around it is what programs quote in different ways."""
    return f"{before}{mark}{name}{secrets.token_hex(6)}{after}"


def needles(*texts: str) -> list[str]:
    """Texts as they are, and in base64 at any offset."""
    found = []
    for text in texts:
        found.append(text)
        for offset in range(3):
            encoded = base64.b64encode(b"\0" * offset + text.encode()).decode().rstrip("=")
            # What the bytes in front and behind have a share in is left out.
            found.append(encoded[(4 if offset else 0) : len(encoded) - 2])
    return found


def holds(text: str | bytes, wanted: Iterable[str]) -> bool:
    data = text.encode(errors="surrogateescape") if isinstance(text, str) else text
    return any(needle.encode() in data for needle in wanted)


@dataclass(frozen=True)
class Found:
    """A file that holds a secret."""

    path: str
    mode: int
    uid: int


class Searcher:
    """Search files on the staging host, as a user of that host, or on the controller."""

    def __init__(self, variables: Mapping[str, str], since: float) -> None:
        self.since = since
        self.ssh = [
            "ssh",
            *("-i", variables["ansible_ssh_private_key_file"], "-p", str(variables["ansible_port"])),
            *shlex.split(variables["ansible_ssh_common_args"]),
            f"{variables['ansible_user']}@{variables['ansible_host']}",
        ]

        # What was there before holds none of them, and the image is large.
        self.since_on_host = float(self.on_host("import time; print(time.time() - 1)"))

    def on_host(self, program: str, *, user: str = "root") -> str:
        """Run a Python program, which goes over standard input."""
        command = [*self.ssh, f"sudo -u {user} python3 -"]
        done = subprocess.run(command, input=program, capture_output=True, text=True, check=True, timeout=300)
        return done.stdout

    def start_on_host(self, program: str) -> subprocess.Popen[str]:
        process = subprocess.Popen([*self.ssh, "sudo python3 -"], stdin=subprocess.PIPE, text=True)
        assert process.stdin is not None
        process.stdin.write(program)
        process.stdin.close()
        return process

    def files_on_host(self, wanted: Sequence[str], *, user: str = "root") -> list[Found]:
        given = {
            "needles": list(wanted),
            "roots": ["/"],
            "left_out": ["/proc", "/sys", "/dev/", "/checkout", "/root/arguments"],
            "since": self.since_on_host,
        }
        return _read(self.on_host(f"GIVEN = {given!r}\n{SEARCH}", user=user))

    def files_here(self, wanted: Sequence[str], roots: Sequence[Path], left_out: Sequence[Path]) -> list[Found]:
        given = {
            "needles": list(wanted),
            "roots": [str(root) for root in roots],
            "left_out": [str(path) for path in left_out],
            "since": self.since,
        }
        program = f"GIVEN = {given!r}\n{SEARCH}"
        done = subprocess.run(["python3", "-"], input=program, capture_output=True, text=True, check=True, timeout=300)
        return _read(done.stdout)


def _read(output: str) -> list[Found]:
    return [Found(**json.loads(line)) for line in output.splitlines()]
