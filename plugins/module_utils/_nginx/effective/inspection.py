# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluate the configuration of the nginx on this host, or that of a dump."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterator, Mapping
from typing import Any

from ..._host.accounts import find_account, may_access
from ..config import ConfigError, Tree, parse, walk
from ..dump import split_dump, tree_of_files
from ..messages import cause
from ..program import Nginx, expand, read_text
from ..references import files_named, user_of
from ..workers import CLOCK_TOLERANCE_S, running
from .evaluation import evaluate
from .findings import ERROR, WARNING, ConfigFinding, as_results
from .inheritance import EffectiveValue
from .request import HttpRequest
from .surroundings import Surroundings

#: The result of the module where nothing could be evaluated.
NOTHING: Mapping[str, Any] = {
    "changed": False,
    "running": None,
    "newer_than_running": [],
    "version": "",
    "server": None,
    "location": None,
    "effective": {},
    "headers": {},
    "upstream_path": None,
    "upstream_servers": [],
    "idle_timeout": None,
    "findings": [],
    "ok": False,
    "message": "",
}


class ThisHost:
    """The files and names of this host.

    :param prefix: The directory of relative paths.
    :param user: That of nginx's workers; empty if it is not known.
    """

    def __init__(self, prefix: str, user: str = "") -> None:
        self._prefix, self._user = prefix, user

    def may_connect(self, path: str) -> bool | None:
        account = find_account(self._user) if self._user else None
        if account is None or os.geteuid() != 0:
            return None
        return may_access(os.path.join(self._prefix, path), account, os.W_OK)

    def is_directory(self, path: str) -> bool | None:
        whole = os.path.join(self._prefix, path)
        # Workers of nginx are another user: behind a closed directory they do not see what root sees.
        parent = os.path.dirname(os.path.realpath(whole))
        while not os.path.isdir(parent):
            parent = os.path.dirname(parent)
        while parent != "/":
            if not os.stat(parent).st_mode & stat.S_IXOTH:
                return None
            parent = os.path.dirname(parent)
        return stat.S_ISDIR(os.stat(whole).st_mode)

    def addresses_of(self, name: str) -> tuple[str, ...] | None:
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError:
            return None
        addresses = (f"[{entry[4][0]}]" if entry[0] == socket.AF_INET6 else str(entry[4][0]) for entry in found)
        return tuple(dict.fromkeys(addresses))

    def has_address(self, address: str) -> bool | None:
        try:
            with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as own:
                own.bind((address, 0))
        except OSError as exc:
            return False if exc.errno == errno.EADDRNOTAVAIL else None
        return True


def inspect_dump(dump: str, version: str, request: HttpRequest) -> dict[str, Any]:
    """Evaluate the output of ``nginx -T``.

    :raises ValueError: If it is not such a dump.
    """
    return {**NOTHING, "version": version, **_evaluated(tree_of_files(split_dump(dump)), request, version)}


def inspect_host(nginx: Nginx, request: HttpRequest) -> dict[str, Any]:
    """Evaluate the configuration of this host.

    :raises OSError: If the main file cannot be read.
    :raises ConfigError: If nginx accepts the main file, and the parser does not.
    """
    if nginx.executable is None:
        return {**NOTHING, **as_results([ConfigFinding("no_nginx", ERROR, "nginx is not installed on this host")])}
    found: list[ConfigFinding] = []
    dump, said = nginx.dump()
    if dump is not None:
        tree = _tree_on_disk(dump)
    else:
        found.append(
            ConfigFinding(
                "refused",
                ERROR,
                f"nginx refuses the configuration on disk ({cause(said)}); the previous one stays active",
            )
        )
        try:
            tree = nginx.tree()
        except ConfigError:
            # Without a readable main file only nginx's own complaint can be reported.
            return {**NOTHING, "version": nginx.version, **as_results(found)}
    found += _disabled_sites(nginx, tree, request.host_name)
    process = running(nginx.pid_file)
    if process is None:
        found.append(ConfigFinding("not_running", ERROR, "nginx does not run"))
    newer = _newer_files(nginx, tree, process.oldest_active if process else None)
    found += [
        ConfigFinding(
            "not_reloaded",
            WARNING,
            f"{path} was changed after nginx loaded it, so another configuration may be active until a reload",
            (path,),
        )
        for path in newer
    ]
    return {
        **NOTHING,
        "version": nginx.version,
        "running": process is not None,
        "newer_than_running": newer,
        **_evaluated(tree, request, nginx.version, found, ThisHost(nginx.prefix, user_of(tree))),
    }


def _evaluated(
    tree: Tree,
    request: HttpRequest,
    version: str,
    further: list[ConfigFinding] | None = None,
    surroundings: Surroundings | None = None,
) -> dict[str, Any]:
    evaluation = evaluate(tree, request, version, surroundings)
    server, location = evaluation.server, evaluation.location
    result: dict[str, Any] = {
        "effective": _shown(evaluation.values),
        "headers": _shown(evaluation.headers),
        "upstream_path": evaluation.upstream_path,
        "upstream_servers": list(evaluation.upstream_servers),
        **as_results([*evaluation.findings, *(further or [])]),
    }
    idle = evaluation.idle_timeout
    if idle is not None:
        result["idle_timeout"] = {"seconds": idle.seconds, **_shown_value(idle.value)}
    if server is not None:
        names = [name for each in server.server.children("server_name") for name in each.args]
        result["server"] = {"where": server.server.where, "names": names, "matched_by": server.matched_by}
    if location is not None:
        result["location"] = {"where": location.where, "match": " ".join(location.args)}
    return result


def _shown(values: Mapping[str, EffectiveValue]) -> dict[str, dict[str, str | None]]:
    return {name: _shown_value(each) for name, each in values.items()}


def _shown_value(each: EffectiveValue) -> dict[str, str | None]:
    return {"value": each.value, "where": each.where, "context": each.context}


def _tree_on_disk(dump: str) -> Tree:
    """The configuration of a dump of this host.

    The dump names the files that nginx reads; their texts are read from the disk, since a comment in a file may look
    like the beginning of the next file.
    """
    return tree_of_files({path: read_text(path) for path in split_dump(dump) if os.path.isfile(path)})


def _disabled_sites(nginx: Nginx, tree: Tree, host_name: str) -> Iterator[ConfigFinding]:
    """Files in ``sites-available`` that have the host name and are not loaded."""
    loaded = {os.path.realpath(path) for path in tree.files}
    for path in expand(os.path.join(nginx.conf_dir, "sites-available", "*")):
        if os.path.realpath(path) in loaded:
            continue
        try:
            directives = parse(read_text(path), path)
        except (OSError, ConfigError):
            continue
        for each in walk(directives):
            if each.name == "server_name" and host_name.lower() in map(str.lower, each.args):
                yield ConfigFinding(
                    "site_not_enabled",
                    WARNING,
                    f"{each.where} has the name {host_name}, but the site is not enabled: nginx does not load the file",
                    (each.where,),
                )
                break


def _newer_files(nginx: Nginx, tree: Tree, oldest_worker: float | None) -> list[str]:
    """What nginx loads and is newer than its oldest worker.

    Certificates and keys count, and so do directories: a file that was removed is in force until a reload.
    """
    if oldest_worker is None:
        return []
    certificates = [
        os.path.join(nginx.conf_dir, path)
        for name in ("ssl_certificate", "ssl_certificate_key")
        for path in files_named(tree.directives, name)
    ]
    found = []
    for path in dict.fromkeys([*tree.files, *tree.folders, *certificates]):
        try:
            # The time of the inode, which the kernel sets: that of the content may be older, or in the future.
            changed = max(os.stat(path).st_ctime, os.lstat(path).st_ctime)
        except OSError:
            continue
        if changed > oldest_worker + CLOCK_TOLERANCE_S:
            found.append(path)
    return found
