# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transient units: a program that systemd keeps, with no file of ours left in its folders.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time

BOOTED = "/run/systemd/system"  # sd_booted(3)
PATIENCE = 15.0  # seconds for systemd to answer
NOFILE = 65536
# Warren cannot start again on what it wrote, hence no Restart. Its embedded containerd and the shims end with it.
PROPERTIES = ("Restart=no", "KillMode=control-group", f"LimitNOFILE={NOFILE}", "TasksMax=infinity")


class SystemdError(Exception):
    """systemd did not start the program; str() is a part of a sentence."""

    def __init__(self, message: str, returncode: int | None = None) -> None:
        super().__init__(message)
        self.returncode = returncode


def usable() -> bool:
    """Whether systemd runs this host, and starts units for us."""
    return os.path.isdir(BOOTED) and os.geteuid() == 0


def start_script(argv: list[str], environment: dict[str, str], log_file: str) -> str:
    """A shell script that becomes the program, logging as it would without systemd."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    command = " ".join(shlex.quote(word) for word in argv)
    return "\n".join(["#!/bin/sh", *exports, f"exec {command} >>{shlex.quote(log_file)} 2>&1", ""])


def start(unit: str, script: str, description: str, folder: str | None, stop_timeout: float) -> int:
    """Start ``script`` as a unit; the number of its process. The script is no longer needed then."""
    forget(unit)  # what failed before is still known
    words = ["systemd-run", "--quiet", f"--unit={unit}", f"--description={description}", "--service-type=exec"]
    words += [f"--property={each}" for each in (*PROPERTIES, f"TimeoutStopSec={stop_timeout:g}")]
    words += [f"--working-directory={folder}"] if folder else []
    done = _run([*words, "/bin/sh", script])
    if done.returncode:
        said, code = done.stderr.strip().splitlines(), exit_code(unit)
        if code and not said:  # it was faster than systemd-run
            raise SystemdError(f"it ended with exit code {code} at once", code)
        reason = said[0] if said else f"systemd-run ended with exit code {done.returncode}"
        raise SystemdError(f"systemd: {reason.rstrip('.')}", done.returncode)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        shown = _show(unit)
        pid = int(shown.get("MainPID") or 0)
        if pid and not _is_shell(pid, script):
            return pid
        if shown.get("ActiveState") in ("failed", "inactive"):
            raise SystemdError(f"it ended with exit code {shown.get('ExecMainStatus')} at once", exit_code(unit))
        time.sleep(0.02)
    raise SystemdError(f"systemd has not started it after {PATIENCE:g} s")


def exit_code(unit: str) -> int | None:
    """The exit code of a unit that has ended, None while it runs."""
    shown = _show(unit)
    if shown.get("ActiveState") in ("active", "activating", "reloading", "deactivating"):
        return None
    return int(shown.get("ExecMainStatus") or 0)


def forget(unit: str) -> None:
    """Stop the unit if it runs, and have systemd drop it."""
    for verb in ("stop", "reset-failed"):
        _run(["systemctl", verb, f"{unit}.service"])


def _is_shell(pid: int, script: str) -> bool:
    """Whether the process has not yet become the program."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            return script.encode() in stream.read().split(b"\0")
    except OSError:
        return False


def _show(unit: str) -> dict[str, str]:
    done = _run(["systemctl", "show", f"{unit}.service", "--property=MainPID,ActiveState,ExecMainStatus"])
    return dict(line.partition("=")[::2] for line in done.stdout.splitlines())


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        # Its exit code and words are needed, and an end of the patience.
        return subprocess.run(  # pylint: disable=ansible-bad-function
            words, capture_output=True, stdin=subprocess.DEVNULL, text=True, check=False, timeout=PATIENCE + 60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SystemdError(f"{words[0]} did not work: {error}") from error
