# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk fills up during a run: the cluster is cleaned, and the run says in a sentence what could not be written."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect
from ansible_collections.warren.load.tests.support.plays import PHASES, Place, inventory_of, records_of
from ansible_collections.warren.load.tests.support.worlds import World, simulator

SIZE = 64 << 20  # bytes: a run is refused where less is free than it may need
CLONE_NEWNS = 0x20000


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(simulator(Dialect.TASKS, 10.0)) as world, world.fleet(2) as fleet:
        fleet.wait_registered()
        yield world


@pytest.fixture(scope="module")
def _own_mounts() -> None:
    """What this process and its children mount from here on, nobody else sees, and it goes with them."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() or libc.unshare(CLONE_NEWNS):
        pytest.skip("mounting a small disk needs root")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


@pytest.fixture
def disk(tmp_path: Path, _own_mounts: None) -> Iterator[Path]:
    """A small file system."""
    path = tmp_path / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(path)], check=True)
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill(disk: Path) -> None:
    """Leave no byte free."""
    with (disk / "filler").open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


@pytest.mark.parametrize("what", ["state", "results"])
@pytest.mark.parametrize("phase", ["create", "cleanup"])
def test_the_disk_fills_up(disk: Path, world: World, tmp_path: Path, what: str, phase: str) -> None:
    place = Place(tmp_path, inventory_of(world, tmp_path), {f"warren_load_{what}_dir": str(disk)})
    try:
        play = place.start(services=40)
        play.until_task(PHASES[phase])
        fill(disk)
        code = play.wait()
        told = "No space left on device" in play.output
        # What cleanup writes of itself is little, and may be written by then.
        assert (code, told) in ([(2, True), (0, False)] if (what, phase) == ("state", "cleanup") else [(2, True)])
        assert "Traceback" not in play.output
        assert records_of(world) == 0

        (disk / "filler").unlink()
        place.run("cleanup")
        assert list(disk.glob("*/locks/*.json")) == []
        place.wait_until_gone()
        place.run()
    finally:
        place.kill_all()
