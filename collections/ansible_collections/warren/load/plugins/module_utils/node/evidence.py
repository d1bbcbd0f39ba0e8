# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node's processes, logs, ports and disks say of a cluster that does not work, and all of it in one archive.

PRIVATE to the collection. Standard library only, Python 3.9 and newer: this runs on cluster nodes.
"""

from __future__ import annotations

import io
import json
import os
import re
import socket
import tarfile
import time
from typing import Any

from ansible_collections.warren.load.plugins.module_utils.node import (
    commands,
    host,
    log_lines,
    metrics_page,
    process_table,
    sampling,
)

LOOK = 0.5  # seconds over which CPU is measured
PATIENCE = 3.0  # seconds for a process's own page
LARGEST_LOG = 8 << 20  # bytes of a log's end that the archive keeps
# What Warren's ports are for on a host; only 8080 and 7946 can be set.
PORTS = {"9090": "metrics and profiles", "8000": "the ingress", "6060": "a worker's profiles"}
SIGNS = {
    "pull": rb"failed to pull image",
    "start": rb"failed to start container|failed to create container",
    "heartbeat": rb"Heartbeat error|Failed to send heartbeat|(?:Container|Task) sync error",
    "not_leader": rb"node is not the leader|not the leader, current leader",
    "in_use": rb"address already in use|bind: ",
    "bootstrap": rb"bootstrap only works on new clusters",
    "certificate": rb"x509:|tls: |certificate signed by unknown authority",
    "containerd": rb"failed to connect to containerd|failed to dial",
    "leader_changes": rb"entering leader state|entering follower state",
    "panic": rb"^panic: |^fatal error: ",
    "disk": rb"no space left on device",
}


def look(processes: list[dict[str, Any]], path: str) -> dict[str, Any]:
    """Processes, ports, room on the disk of ``path``; sizes in bytes, CPU in percent of a core."""
    rows = [_process(each) for each in processes]
    began = {row["pid"]: _cpu(row["pid"]) for row in rows if row["pid"]}
    time.sleep(LOOK if began else 0)
    for row in rows:
        before, after = began.get(row["pid"]), _cpu(row["pid"]) if row["pid"] else None
        row["cpu_share"] = None if before is None or after is None else round(100 * (after - before) / LOOK, 1)
    there = path
    while not os.path.isdir(there):
        there = os.path.dirname(there) or "/"
    disk = os.statvfs(there)
    return {
        "processes": rows,
        "ports": {port: _port(int(port), [row["pid"] for row in rows if row["pid"]]) for port in PORTS},
        "disk_free": disk.f_bavail * disk.f_frsize,
        "disk_used": round(100 * (1 - disk.f_bavail / max(1, disk.f_blocks)), 1),
        "memory_free": host.memory()[1],
        "containerd": os.path.exists("/run/containerd/containerd.sock"),
        "time": time.time(),
    }


def _process(asked: dict[str, Any]) -> dict[str, Any]:
    target = sampling.Target(**{key: value for key, value in asked.items() if key != "version"})
    pid, why = sampling.find(target)
    usage = process_table.usage(pid) if pid else None
    log = target.log_file if target.log_file and os.path.isfile(target.log_file) else None
    log = log or (process_table.output_file(pid) if pid else None)
    row: dict[str, Any] = {
        "name": target.name,
        "kind": target.kind,
        "pid": pid,
        "why": why,
        "rss": usage.rss if usage else None,
        "log_file": log,
        "signs": _signs(log) if log else {},
        "last_words": _last_words(log) if log and not pid else [],
        "goroutines": None,
        "metrics": {},
        "page": "",
        "version": "",
    }
    if pid and target.kind in ("manager", "worker"):
        row["version"] = (host.program(pid)[0] or {}).get("version", "")
    if pid and target.metrics_url:
        try:
            row["metrics"] = metrics_page.values(metrics_page.get(target.metrics_url, PATIENCE))
            row["goroutines"] = row["metrics"].get("go_goroutines")
        except (OSError, ValueError) as error:
            row["page"] = str(error)
    if pid and target.pprof_url:
        try:
            row["goroutines"] = metrics_page.goroutines(metrics_page.get(target.pprof_url, PATIENCE, first_line=True))
        except (OSError, ValueError) as error:
            row["page"] = str(error)
    return row


def _cpu(pid: int) -> float | None:
    usage = process_table.usage(pid)
    return usage.cpu if usage else None


def _port(port: int, pids: list[int]) -> str:
    """Who listens there: `ours`, `other`, or `free`."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except OSError:
        return "free"
    return "ours" if any(process_table.listens(pid, port) for pid in pids) else "other"


def _tail(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - LARGEST_LOG))
            return stream.read()
    except OSError:
        return b""


def _signs(path: str) -> dict[str, dict[str, Any]]:
    """By sign, how many lines of the log show it, and the last of them."""
    content = _tail(path)
    found = {}
    for name, pattern in SIGNS.items():
        lines = (
            [line for line in content.splitlines() if re.search(pattern, line)]
            if re.search(pattern, content, re.MULTILINE)
            else []
        )
        if lines:
            found[name] = {"count": len(lines), "last": log_lines.shown(lines[-1].decode("utf-8", "replace"))}
    return found


def _last_words(path: str) -> list[str]:
    return [log_lines.shown(line) for line in _tail(path).decode("utf-8", "replace").splitlines()[-3:]]


def pack(processes: list[dict[str, Any]], seen: dict[str, Any], target: str, only_logs: bool = False) -> None:
    """Write an archive of logs (secrets masked), pages, goroutines and disk state. OSError where it cannot be."""
    private = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(private, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for row in seen["processes"]:
            for suffix in ("", ".1"):
                content = _tail(row["log_file"] + suffix) if row["log_file"] else b""
                if content:
                    lines = [log_lines.masked(line) for line in content.decode("utf-8", "replace").splitlines()]
                    _add(archive, f"{row['name']}.log{suffix}", "\n".join(lines) + "\n")
        if only_logs:
            return
        for asked in processes:
            for name, url in _pages(asked).items():
                try:
                    _add(archive, f"{asked['name']}.{name}", metrics_page.get(url, PATIENCE))
                except (OSError, ValueError) as error:
                    _add(archive, f"{asked['name']}.{name}", f"{url}: {error}\n")
        _add(archive, "disk.txt", commands.output(["df", "-h"]) + commands.output(["df", "-i"]))
        _add(archive, "processes.txt", log_lines.masked(commands.output(["ps", "axo", "pid,ppid,rss,time,etime,args"])))
        _add(archive, "sockets.txt", commands.output(["ss", "-lntup"]))
        _add(archive, "seen.json", json.dumps(seen, indent=1))


def _pages(asked: dict[str, Any]) -> dict[str, str]:
    if asked.get("metrics_url"):
        base = asked["metrics_url"].rsplit("/", 1)[0]
        return {"metrics": asked["metrics_url"], "goroutines": f"{base}/debug/pprof/goroutine?debug=2"}
    if asked.get("pprof_url"):
        return {"goroutines": asked["pprof_url"].replace("debug=1", "debug=2")}
    return {}


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode("utf-8", "replace")
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(content), int(time.time()), 0o600
    archive.addfile(entry, io.BytesIO(content))
