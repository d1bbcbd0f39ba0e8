# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs limactl, each time under a time limit, and says in one sentence what is wrong with it.

Only reads; what changes something is in lima_hosts.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import typing as t

from . import lima_records as records

OLDEST = (1, 0)
TIMEOUT = 30.0  # s; a hanging host agent alone costs the list 3 s an instance
WAIT_LINES = 10.0  # s between two signs of life
_LEASES_TIMEOUT = 2.0
_SHOWN = 300  # characters of an unreadable line or a complaint


class LimactlError(Exception):
    """A sentence for the person who runs it. ``everywhere``: no other LIMA_HOME would do better."""

    def __init__(self, message: str, everywhere: bool = False) -> None:
        super().__init__(message)
        self.everywhere = everywhere


@dataclasses.dataclass(frozen=True)
class Done:
    """What one limactl did. ``code`` is None where it was ended for taking too long."""

    argv: list[str]
    code: int | None
    stdout: str
    stderr: str
    timeout: float

    @property
    def complaint(self) -> str:
        """Its last error in its own words, without logrus' frame."""
        lines = [line for line in self.stderr.splitlines() if line.strip()]
        worst = [line for line in lines if re.search(r"level=(fatal|error)\b|^panic:", line)] or lines
        said = re.search(r'\bmsg="((?:[^"\\]|\\.)*)"', worst[-1]) if worst else None
        text = said[1].replace('\\"', '"') if said else (worst[-1].strip() if worst else "it said nothing")
        return shortened(text.removeprefix("panic: "))


@dataclasses.dataclass
class Limactl:
    """The program, for one LIMA_HOME."""

    program: str
    home: str
    timeout: float = TIMEOUT
    on_wait: t.Callable[[float], None] = lambda seconds: None
    """Called every so often while a limactl runs, with its age in seconds."""

    def run(self, *arguments: str, timeout: float | None = None) -> Done:
        """Run it; stdout and stderr apart, no terminal. Raises LimactlError where it cannot be started."""
        limit = timeout or self.timeout
        argv = [self.program, *arguments]
        try:
            process = subprocess.Popen(
                argv,
                env={**os.environ, "LIMA_HOME": self.home},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise LimactlError(f"{self.program} cannot be run: {error.strerror}.", everywhere=True) from None
        begun = time.monotonic()
        try:
            while True:
                left = begun + limit - time.monotonic()
                try:
                    stdout, stderr = process.communicate(timeout=max(0.0, min(left, WAIT_LINES)))
                    return Done(argv, process.returncode, stdout, stderr, limit)
                except subprocess.TimeoutExpired:
                    if left <= WAIT_LINES:
                        return Done(argv, None, *self._end(process), limit)
                    self.on_wait(time.monotonic() - begun)
        except BaseException:
            self._end(process)
            raise

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> tuple[str, str]:
        """End limactl and its helpers, but not the VMs, which have sessions of their own."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        try:
            return process.communicate(timeout=5)
        except subprocess.TimeoutExpired:  # a VM that it just started holds the pipe
            return "", ""

    def check(self, done: Done) -> Done:
        """The same, or LimactlError in one sentence."""
        if done.code == 0:
            return done
        command = " ".join(["limactl", *done.argv[1:]])
        if done.code is None:
            raise LimactlError(
                f"`{command}` (LIMA_HOME {self.home}) had not ended after {done.timeout:g} s and was ended: a host "
                "agent of Lima may hang (see ha.stderr.log of its VM); `limactl stop -f NAME` repairs that."
            )
        if "must not run as the root user" in done.stderr:
            raise LimactlError(
                "limactl refuses to run as root: run Ansible as the user whose VMs they are.", everywhere=True
            )
        self.check_version(done)
        raise LimactlError(f"`{command}` (LIMA_HOME {self.home}) failed with exit code {done.code}: {done.complaint}")

    def check_version(self, failed: Done | None = None) -> str:
        """What it says its version is; LimactlError if that is too old. One without a number is taken as new."""
        done = self.run("--version")
        if done.code != 0 and failed is None:
            self.check(dataclasses.replace(done, argv=done.argv))
        version = records.version_in(done.stdout)
        if version is not None and version < OLDEST:
            raise LimactlError(
                f"{self.program} is Lima {'.'.join(map(str, version))}, and too old: install Lima 1.0 or later, or "
                "name another one with option limactl.",
                everywhere=True,
            )
        return done.stdout.strip()

    def instances(self) -> tuple[list[records.Instance], list[str]]:
        """Its instances, and a sentence for each that cannot be told of. One bad instance never loses the others."""
        done = self.run("list", "--format", "json")
        objects, unreadable = records.read_lines(done.stdout)
        warnings = [f"limactl printed a line that cannot be read: {shortened(line)}" for line in unreadable]
        if done.code != 0:
            try:
                self.check(done)
            except LimactlError as error:
                if error.everywhere or done.code is None:
                    raise
                objects, warnings = self._one_by_one(objects, str(error))
        found = [records.normalise(record, self.home) for record in objects]
        if any(each["status"] == "Running" and not each["user"] for each in found):
            self.check_version()
        return found, warnings

    def _one_by_one(self, got: list[dict[str, t.Any]], reason: str) -> tuple[list[dict[str, t.Any]], list[str]]:
        """Before Lima 2.2 one folder without a lima.yaml fails the whole list, and in 2.x a record above 64 KiB."""
        names = self.check(self.run("list", "-q")).stdout.split()
        if not names:
            raise LimactlError(reason)
        have = {str(record["name"]) for record in got}
        warnings = []
        for name in (each for each in names if each not in have):
            done = self.run("list", "--format", "json", name)
            objects = [one for one in records.read_lines(done.stdout)[0] if one["name"] == name]
            got += objects
            if not objects:
                warnings.append(
                    f"Lima cannot tell of its instance {name} in {self.home} ({done.complaint}): it was left out."
                )
        return sorted(got, key=lambda record: str(record["name"])), warnings

    def leases(self, network: str) -> dict[str, str]:
        """{address: MAC} of a running user-mode network, asked for at its daemon's socket; OSError if there is none."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(_LEASES_TIMEOUT)
            link.connect(os.path.join(self.home, "_networks", network, f"{network}_ep.sock"))
            connection = http.client.HTTPConnection("lima", timeout=_LEASES_TIMEOUT)
            connection.sock = link
            try:
                connection.request("GET", "/services/dhcp/leases")
                answer = json.loads(connection.getresponse().read())
            except (http.client.HTTPException, ValueError) as error:
                raise OSError(f"its answer cannot be read: {error}") from None
        return answer if isinstance(answer, dict) else {}


def find_limactl(program: str) -> str:
    """The program's path; LimactlError where there is none."""
    found = shutil.which(os.path.expanduser(program))
    if found:
        return found
    raise LimactlError(
        f"There is no {program} here: install Lima 1.0 or later (https://lima-vm.io), or name the program with "
        "option limactl.",
        everywhere=True,
    )


def home_of(given: str, environment: t.Mapping[str, str]) -> str:
    """A LIMA_HOME: the one given, that of the environment, or Lima's default."""
    return os.path.expanduser(given or environment.get("LIMA_HOME") or "~/.lima")


def machine_id() -> str:
    """What Lima takes for this machine's id."""
    if sys.platform == "darwin":
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            argv = ["/usr/sbin/ioreg", "-d2", "-c", "IOPlatformExpertDevice"]
            told = subprocess.run(argv, capture_output=True, text=True, timeout=5, check=True).stdout
            found = re.search(r'"IOPlatformUUID" = "([^"]+)"', told)
            if found:
                return found[1]
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        with contextlib.suppress(OSError), open(path, encoding="utf-8") as stream:
            said = stream.read().strip()
            if said:
                return said
    return socket.gethostname()


def shortened(text: str) -> str:
    """A text for the screen, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
