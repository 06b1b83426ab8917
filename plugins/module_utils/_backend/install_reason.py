# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why pip, uv, Poetry or Pipenv could not install: their own sentence, and what the user can do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LONGEST = 600


@dataclass(frozen=True)
class Reason:
    """Why an installation failed.

    :param text: What the program says itself, in one line.
    :param remedy: What the user can do; empty if that is not known.
    """

    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.text}; {self.remedy}" if self.remedy else self.text


@dataclass(frozen=True)
class _Rule:
    """A kind of failure.

    :param patterns: Searched in this order; the whole match is quoted.
    :param about: The package that is quoted with it.
    """

    patterns: tuple[str, ...]
    remedy: str
    about: str = ""


#: A failure has consequences that are printed after it, and of which some look like another one, so the order matters.
_RULES = (
    _Rule(
        (r"(?:\[Errno \d+\] )?(?:No space left on device|Disk quota exceeded)(?: \(os error \d+\))?",),
        "free space in the file system of staging_project_dir, and in the home of the deploy user, which has caches",
    ),
    _Rule(
        (
            r"THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",
            r"Hash mismatch for \S+",
            r"Downloaded distributions for .* did not match any known checksums in your lock file",
            r"Hash for .* not found in known hashes.*",
        ),
        "the index has another file than the one that was locked: find out why before you lock the packages again",
        about=r"^ {4}(\S+==\S+) from ",
    ),
    _Rule(
        (
            r"\b40[13] Client Error: .*? for url: \S+",
            r"An index URL \(\S+\) could not be queried due to a lack of valid authentication credentials \(.*?\)",
            r"(?:HTTP status client error|HTTP error) \(?40[13] .*",
            r"\b40[13] Error, Credentials not correct for \S+",
            r"Authorization error accessing \S+",
        ),
        "give a user name and a token that is still valid in staging_backend_install_env: PIP_INDEX_URL or "
        "PIP_EXTRA_INDEX_URL for pip, UV_INDEX_<NAME>_PASSWORD for uv, POETRY_HTTP_BASIC_<NAME>_PASSWORD for Poetry, "
        "or the variables that Pipfile names",
    ),
    _Rule(
        (
            r"[^'\"\n]*CERTIFICATE_VERIFY_FAILED[^)'\"\n]*",
            r"invalid peer certificate: \w+",
        ),
        "install the certificate of the authority that signed the index's on the host, and name it in PIP_CERT or "
        "SSL_CERT_FILE in staging_backend_install_env",
    ),
    _Rule(
        (
            r"(?:Failed to establish a new connection|Max retries exceeded with url|Cannot connect to proxy)[^'\"\n]*"
            r"(?:\[Errno -?\d+\] [\w ]+)",
            r"\[Errno -?\d+\] (?:Temporary failure in name resolution|Name or service not known|Connection refused"
            r"|Network is unreachable|No route to host|Connection timed out)",
            r"(?:ReadTimeoutError|ConnectTimeoutError)\([^\n]*?timed? ?out[^)'\"\n]*",
            r"All attempts to connect to \S+ failed\.",
            r"Failed to fetch: \S+",
            r"Connection (?:refused|timed out|reset by peer) \(os error \d+\)",
        ),
        "check that the host may connect to the package index, by which name and which proxy; PIP_INDEX_URL, "
        "HTTPS_PROXY and the like belong into staging_backend_install_env",
        about=r"^\s+Caused by: (.+?\(os error \d+\)|dns error.*)",
    ),
    _Rule(
        (
            r"Package '\S+' requires a different Python: .*",
            r"Ignored the following versions that require a different python version: .*",
            r"(?:Current|currently activated) Python version \S+ is not (?:allowed|supported) by the project \(.*?\)",
            r"No interpreter found for Python \S+",
            r"The requested interpreter resolved to Python \S+ which is incompatible with the project's Python "
            r"requirement: \S+",
            r"requires Python \S+ but the running Python is \S+",
        ),
        "name a Python of such a version in staging_backend_python",
    ),
    _Rule(
        (
            r"fatal error: \S+: No such file or directory",
            r"(?:unable to execute|error: command) '\S+'(?: failed)?: No such file or directory",
            r"error: \[Errno 2\] No such file or directory: '\S*(?:cc|gcc|g\+\+|clang|c\+\+|make|cmake|rustc|cargo)'",
            r"Error: \S+ executable not found.*",
            r"(?:Cargo, the Rust package manager, is not installed|can't find Rust compiler).*",
            r"Unknown compiler\(s\): .*",
            r"CMake must be installed.*",
            r"error: [Cc]ommand '\[?'?\S*(?:cc|gcc|g\+\+|clang|c\+\+)'?,? .*? (?:failed with|returned non-zero) exit "
            r"(?:code|status) \d+",
        ),
        "there is no wheel of it for this Python and machine, so it is compiled: choose a version that has one, or add "
        "what it needs to staging_packages, such as build-essential, python3-dev and the -dev package of a library",
        about=r"(?:Failed building wheel for|Failed to build|Building wheel for) [`']?([\w.-]+)",
    ),
    _Rule(
        (
            r"Multiple top-level (?:packages|modules) discovered in a flat-layout: \[.*?\]",
            r"there is no directory that matches\s+the name of your project \(.*?\)",
        ),
        "name the packages of the project in pyproject.toml (packages in [tool.setuptools] or in "
        "[tool.hatch.build.targets.wheel]), or set staging_backend_install to requirements if the backend runs from "
        "its directory",
    ),
    _Rule(
        (
            r"pyproject\.toml changed significantly since poetry\.lock was last generated",
            r"Your Pipfile\.lock \(\w+\) is out of date",
            r"The lockfile at \S+ needs to be updated, but `--locked` was provided",
            r"poetry\.lock is not up to date with pyproject\.toml",
        ),
        "lock the packages again (poetry lock, pipenv lock, uv lock), and commit the lock file",
    ),
    _Rule(
        (r"The current project could not be installed: .*", r"No file/folder found for package .*"),
        "correct packages in pyproject.toml, or set package-mode = false there if the backend runs from its "
        "directory, or add --no-root to staging_backend_poetry_arguments",
    ),
)
_KILLED = "it was killed, probably because memory ran out; add memory or swap to the host"


def reason_of(output: str, code: int | None = 1) -> Reason:
    """Return why an installation failed.

    :param output: What the program printed.
    :param code: Its exit code, negative for the signal that ended it.
    """
    text = _COLOURS.sub("", output).replace("\r", "\n")
    # Poetry and uv wrap and frame what they print.
    plain = re.sub(r"\n {4,6}(?=\S)", " ", re.sub(r"(?m)^ *\| ?", "    ", text))
    for rule in _RULES:
        for pattern in rule.patterns:
            for searched in (text, plain):
                found = re.search(pattern, searched)
                if found:
                    about = re.search(rule.about, text, re.MULTILINE) if rule.about else None
                    return Reason(_shown(found[0], about[1] if about else ""), rule.remedy)
    if code in (-9, 137):
        return Reason(_KILLED)
    return Reason(_general(text))


def _shown(text: str, about: str) -> str:
    text = " ".join(text.split())
    return (f"{text} ({about.strip()})" if about and about.strip() not in text else text)[:_LONGEST]


def _general(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    for find in _FINDERS:
        found = find(lines)
        if found:
            return " ".join(found.split())[:_LONGEST]
    return lines[-1].strip()[:_LONGEST] if lines else "nothing was printed"


def _of_build(lines: Sequence[str]) -> str:
    """The last error of the build of a package, which pip and uv print as a whole."""
    starts = [at for at, line in enumerate(lines) if re.search(r"lines? of output\]\s*\Z|^\s*\[stderr\]", line)]
    if not starts:
        return ""
    block = lines[starts[-1] + 1 :]
    end = next((at for at, line in enumerate(block) if "[end of output]" in line), len(block))
    found = [line.strip() for line in block[:end] if re.match(r"\s*(?:error|[\w.]*(?:Error|Exception)):\s", line)]
    return found[-1] if found else ""


def _of_pip(lines: Sequence[str]) -> str:
    """The last error that is not a mere consequence."""
    found = [line.strip() for line in lines if re.match(r"ERROR: (?!Failed to build|Could not build|:)", line.strip())]
    return found[-1][len("ERROR: ") :] if found else ""


def _of_uv(lines: Sequence[str]) -> str:
    """The chain of causes that uv draws, or an error with the last of its causes."""
    start = next((at for at, line in enumerate(lines) if re.match(r"\s*\u00d7 ", line)), None)
    if start is not None:
        told = [lines[start].strip().lstrip("\u00d7 ")]
        for line in lines[start + 1 :]:
            if re.match(r"\s*(?:help|hint|\[stdout\]|\[stderr\]|Expected)", line) or not re.match(r"\s{2,}", line):
                break
            told.append(line.strip().lstrip("\u251c\u2570\u2500\u25b6\u2502 "))
        return " ".join(told)
    error = next((at for at, line in enumerate(lines) if line.strip().startswith("error: ")), None)
    if error is None:
        return ""
    causes = [
        line.strip()[len("Caused by: ") :] for line in lines[error + 1 :] if line.strip().startswith("Caused by: ")
    ]
    return ": ".join([lines[error].strip()[len("error: ") :], *causes[-1:]])


def _of_poetry(lines: Sequence[str]) -> str:
    """The first sentence of a framed message, or the text after the name of an exception."""
    framed = [line.strip().lstrip("| ") for line in lines if re.match(r"\s*\| ", line)]
    if framed:
        return framed[0]
    for at, line in enumerate(lines[:-1]):
        if re.match(r"\s*[\w.]*(?:Error|Exception)\Z", line):
            return lines[at + 1]
    return ""


def _of_python(lines: Sequence[str]) -> str:
    """The exception of a traceback."""
    return next((line.strip() for line in reversed(lines) if re.match(r"\s*[\w.]*(?:Error|Exception)\b", line)), "")


_FINDERS: tuple[Callable[[Sequence[str]], str], ...] = (_of_build, _of_pip, _of_uv, _of_poetry, _of_python)
