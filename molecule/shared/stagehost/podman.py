"""Run podman with the project's settings."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LABEL = "codeframe.staging.harness"


class PodmanError(Exception):
    """podman failed; the message contains the command and the end of its output."""


@dataclass(frozen=True)
class Podman:
    """podman with an optional ``containers.conf`` instead of the machine's."""

    conf: Path | None = None

    def environment(self) -> dict[str, str]:
        env = dict(os.environ)
        if self.conf is not None:
            env["CONTAINERS_CONF"] = str(self.conf)
        return env

    def try_run(self, *args: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["podman", *args],
            env=self.environment(),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *args: str, stdin: str | None = None) -> str:
        """Run podman and return its output.

        :raises PodmanError: If its exit code is not 0.
        """
        done = self.try_run(*args, stdin=stdin)
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-1500:]
            raise PodmanError(f"podman {' '.join(args[:4])} ended with {done.returncode}: {said}")
        return done.stdout.strip()

    def stream(self, *args: str, log: Path, stdin: str | None = None) -> None:
        """Run podman with its output in a log file.

        :raises PodmanError: If its exit code is not 0; the message ends with the log's last lines.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as out:
            done = subprocess.run(
                ["podman", *args],
                env=self.environment(),
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        if done.returncode:
            end = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
            raise PodmanError(f"podman {args[0]} ended with {done.returncode}; the end of {log}:\n{end}")

    def inspect(self, kind: str, name: str) -> dict[str, Any] | None:
        """Inspect an image, container or network; ``None`` if it does not exist."""
        done = self.try_run(kind, "inspect", name)
        if done.returncode:
            return None
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found[0]

    def labelled_images(self) -> list[str]:
        """Ids of the images with the project's label."""
        listed = self.run("images", "--quiet", "--no-trunc", "--filter", f"label={LABEL}")
        return list(dict.fromkeys(listed.split()))
