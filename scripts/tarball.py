"""Builds the collection as a user gets it, looks that the tarball holds nothing else, and has galaxy-importer read it.

    .venv/bin/python scripts/tarball.py

This is what Galaxy itself does with a new version, and it needs no network. Any warning is a failure.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLLECTION = ROOT / "collections/ansible_collections/warren/load"
FOLDER = ROOT / ".cache/galaxy"

MADE_BY_BUILD = {"MANIFEST.json", "FILES.json"}
READ_BY_BUILD = {"galaxy.yml"}


def build(folder: Path = FOLDER) -> Path:
    """The tarball, anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = ["ansible-galaxy", "collection", "build", "--output-path", str(folder), str(COLLECTION)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (file,) = folder.glob("*.tar.gz")
    return file


def expected() -> set[str]:
    """What git knows or would take; a file that it ignores has no place in the tarball."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=COLLECTION, check=True, capture_output=True, text=True).stdout.splitlines()
    files = {name for name in listed if (COLLECTION / name).exists()} - READ_BY_BUILD | MADE_BY_BUILD
    return files | {str(folder) for name in files for folder in Path(name).parents} - {"."}


def strangers(names: set[str], wanted: set[str]) -> list[str]:
    """A sentence for each name that should not be in the tarball, or is missing."""
    sentences = [f"{name} is in the tarball; add it to build_ignore in galaxy.yml." for name in sorted(names - wanted)]
    return sentences + [
        f"{name} is not in the tarball; build_ignore in galaxy.yml leaves it out." for name in sorted(wanted - names)
    ]


def warnings(log: str) -> list[str]:
    """The lines of galaxy-importer's log that are not mere news."""
    return [line for line in log.splitlines() if line.startswith(("WARNING", "ERROR", "CRITICAL"))]


def main() -> int:
    file = build()
    with tarfile.open(file) as archive:
        names = set(archive.getnames())
    complaints = strangers(names, expected())

    # The result file goes to the current directory.
    command = [sys.executable, "-m", "galaxy_importer.main", str(file)]
    done = subprocess.run(command, cwd=FOLDER, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(done.stdout)
    complaints += warnings(done.stdout)
    if done.returncode:
        complaints.append(f"galaxy-importer ended with exit code {done.returncode}.")
    print("\n".join(complaints) or f"{file.name}: {len(names)} entries, no warning")
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
