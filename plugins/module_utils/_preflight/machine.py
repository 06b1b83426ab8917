# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the host can build and run the application, judged from facts that were gathered before."""

from __future__ import annotations

from collections.abc import Mapping

from .finding import PreflightFinding
from .storage import size
from .variables import DeploymentInputs
from .versions import Version, npm_allows, python_allows


def judge_memory(inputs: DeploymentInputs, available: int, needed: int) -> list[PreflightFinding]:
    """:param available: Bytes that the build can still get, swap included."""
    if available >= needed:
        return []
    return [
        inputs.finding(
            "memory",
            "staging_min_memory_bytes",
            f"{size(needed)} for the build, which the kernel may kill otherwise",
            "add swap, stop another program, or lower this value",
            found=f"the host has {size(available)} of memory left, swap included",
        )
    ]


_INSTALL = "staging_backend_install"


def judge_node(
    inputs: DeploymentInputs, version: Version | None, wanted: Mapping[str, str], *, required: bool
) -> list[PreflightFinding]:
    """:param version: Of Node.js on the host; None where there is none.
    :param wanted: Ranges of versions, by who needs them.
    :param required: Whether Node.js must be there by now.
    """
    variable = "staging_node_version"
    if version is None:
        if not required:
            return []
        return [
            inputs.finding(
                "node-missing",
                variable,
                "Node.js for the build of the frontend",
                "deploy with the role runtime, which installs it",
                found="the host has no Node.js",
            )
        ]
    return [
        inputs.finding(
            "node-version",
            variable,
            f"{needed}, as {who} needs it",
            f"set {variable} to such a version, or deploy another version of the application",
            found=f"the host has Node.js {_dotted(version)}",
        )
        for who, needed in wanted.items()
        if npm_allows(needed, version) is False
    ]


def judge_python(
    inputs: DeploymentInputs, version: Version | None, wanted: Mapping[str, str], pinned: Mapping[str, str]
) -> list[PreflightFinding]:
    """:param version: Of the Python that creates the virtual environment; None where there is none.
    :param wanted: Ranges of versions, by who needs them.
    :param pinned: Ranges that version files name, which are for development: what does not run is in ``wanted``.
    """
    if version is None:
        return []
    has = f"the host has Python {_dotted(version)}"
    other = "set staging_backend_python to such a Python, which has to be installed on the host"
    errors = [
        inputs.finding("python-version", _INSTALL, f"{needed}, as {who} needs it", other, found=has)
        for who, needed in wanted.items()
        if python_allows(needed, version) is False
    ]
    otherwise = f"{other}, or test the application with that of the host"
    return errors + [
        inputs.finding("python-pinned", _INSTALL, f"{needed}, as {who} names it", otherwise, found=has)
        for who, needed in pinned.items()
        if python_allows(needed, version) is False
    ]


def _dotted(version: Version) -> str:
    return ".".join(str(part) for part in version)
