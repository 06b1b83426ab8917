"""Build images from recipes when a recipe has changed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from stagehost.podman import LABEL, Podman, PodmanError
from stagehost.progress import step
from stagehost.recipe import Recipe
from stagehost.workspace import Workspace

DIGEST_LABEL = f"{LABEL}.recipe"


class ImageError(Exception):
    """An image could not be built."""


def ensure_image(podman: Podman, workspace: Workspace, recipe: Recipe, *, rebuild: bool = False) -> str:
    """Build the image of a recipe and its parents unless they are up to date; return its name."""
    if not rebuild and _digest_of(podman, recipe.image) == recipe.digest:
        return recipe.image
    if recipe.parent is None:
        with step(f"image {recipe.name}: debootstrap of {recipe.variables['suite']} (about 1 minute)"):
            _bootstrap(podman, workspace, recipe)
    else:
        parent = ensure_image(podman, workspace, recipe.parent, rebuild=rebuild)
        with step(f"image {recipe.name}: packages (about 1 minute)"):
            _build(podman, workspace, recipe, parent)
    _remove_previous(podman)
    return recipe.image


def _digest_of(podman: Podman, image: str) -> str | None:
    found = podman.inspect("image", image)
    return (found.get("Labels") or {}).get(DIGEST_LABEL) if found else None


def _remove_previous(podman: Podman) -> None:
    """Remove untagged images of the project that no container uses."""
    previous = podman.run("images", "--quiet", "--filter=dangling=true", f"--filter=label={LABEL}").split()
    for image in previous:
        podman.try_run("rmi", image)


def _changes(recipe: Recipe) -> list[str]:
    labels = (f"LABEL {LABEL}=image", f"LABEL {DIGEST_LABEL}={recipe.digest}")
    return [argument for change in labels for argument in ("--change", change)]


def _bootstrap(podman: Podman, workspace: Workspace, recipe: Recipe) -> None:
    log = workspace.logs / f"image-{recipe.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="debootstrap-", dir=workspace.cache))
    try:
        tree, archive = scratch / "tree", scratch / "tree.tar"
        suite, mirror = recipe.variables["suite"], recipe.variables["mirror"]
        with log.open("w") as out:
            done = subprocess.run(
                ["debootstrap", "--variant=minbase", suite, str(tree), mirror],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            end = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise ImageError(f"debootstrap of {suite} from {mirror} failed; the end of {log}:\n{end}")
        subprocess.run(["tar", "--directory", str(tree), "--create", "--file", str(archive), "."], check=True)
        podman.run("import", "--quiet", *_changes(recipe), str(archive), recipe.image)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _build(podman: Podman, workspace: Workspace, recipe: Recipe, parent: str) -> None:
    container = f"codeframe-staging-build-{recipe.name}"
    podman.try_run("rm", "--force", container)
    with tempfile.TemporaryDirectory(prefix="recipe-", dir=workspace.cache) as scratch:
        for name, data in recipe.files.items():
            (Path(scratch) / name).write_bytes(data)
        (Path(scratch) / "script").write_text(recipe.script)
        variables = [f"--env={name}={value}" for name, value in recipe.variables.items()]
        try:
            podman.stream(
                "run",
                f"--name={container}",
                f"--label={LABEL}=build",
                f"--volume={scratch}:/recipe:ro",
                *variables,
                parent,
                "/bin/sh",
                "/recipe/script",
                log=workspace.logs / f"image-{recipe.name}.log",
            )
            podman.run("commit", "--quiet", *_changes(recipe), container, recipe.image)
        except PodmanError as error:
            raise ImageError(f"image {recipe.name} could not be built: {error}") from error
        finally:
            podman.try_run("rm", "--force", container)
