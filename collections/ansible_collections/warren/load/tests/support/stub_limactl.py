# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A STUB of limactl: no VM, only what limactl 2.2.0 says and how it exits, as recorded in unit/fixtures/limactl.

Instances are folders in LIMA_HOME with the lima.yaml they were created from and a stub.json with their state. For the
tests: STUB_LIMACTL names a folder with `calls` (appended to: a JSON line a call with its times) and `behaviour.json`:
{"COMMAND NAME" or "COMMAND": {"code", "stderr", "times", "sleep", "do", "status"}}. `do` (default true) says whether
the stub does it all the same, `status` sets the instance's state then, `times` how often this applies.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path

import yaml

HOME = Path(os.environ.get("LIMA_HOME") or Path.home() / ".lima")
NOTES = Path(os.environ["STUB_LIMACTL"])
SIZES = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def log(level: str, text: str) -> None:
    print(f'time="2026-11-23T12:00:00Z" level={level} msg="{text}"', file=sys.stderr)


def fatal(text: str) -> None:
    log("fatal", text)
    raise SystemExit(1)


def names() -> list[str]:
    there = sorted(path.name for path in HOME.iterdir()) if HOME.is_dir() else []
    return [name for name in there if name[0] not in "._"]


def state(name: str) -> dict:
    path = HOME / name / "stub.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def keep(name: str, **values: object) -> None:
    (HOME / name / "stub.json").write_text(json.dumps(state(name) | values))


def size(text: str) -> int:
    return int(float(text[:-3]) * SIZES[text[-3:]])


def record(name: str) -> dict:
    folder = HOME.resolve() / name
    ends = {
        "HostOS": "linux",
        "HostArch": "x86_64",
        "LimaHome": str(HOME.resolve()),
        "IdentityFile": str(HOME.resolve() / "_config/user"),
    }
    lima_yaml = folder / "lima.yaml"
    if not lima_yaml.is_file():
        log("warning", f"instance `{name}` has errors")
        error = {"Op": "open", "Path": str(lima_yaml), "Err": 2}
        broken = {"name": name, "hostname": "", "status": "Broken", "dir": str(folder), "vmType": "", "arch": ""}
        return broken | {"errors": [error], "protected": False, "limaVersion": ""} | ends
    given, now = yaml.safe_load(lima_yaml.read_text()), state(name)
    user = {"name": "dev", "comment": "", "home": "/home/dev.guest", "shell": "/bin/bash", "uid": 1001}
    network = [{"lima": "user-v2", "macAddress": "52:55:55:00:00:00", "interface": "lima0", "metric": 100}]
    found = {
        "name": name,
        "hostname": "lima-" + name.replace(".", "-").replace("_", "-"),
        "status": now.get("status", "Stopped"),
        "dir": str(folder),
        "vmType": given.get("vmType", "qemu"),
        "arch": given.get("arch", "x86_64"),
        "cpus": given["cpus"],
        "memory": size(given["memory"]),
        "disk": size(given["disk"]),
        "network": network,
        "sshLocalPort": now.get("port"),
        "sshConfigFile": str(folder / "ssh.config"),
    }
    if found["status"] == "Running":
        found |= {"hostAgentPID": 4001, "driverPID": 4002}
    if found["status"] == "Broken":
        log("warning", f"instance `{name}` has errors")
        found |= {"driverPID": 4002, "errors": []}
    config = given | {"networks": network, "user": user, "os": "Linux"}
    found |= {"config": config, "sshAddress": "127.0.0.1", "protected": bool(now.get("protected"))}
    found |= {"limaVersion": "v2.2.0"} | ends
    return {key: value for key, value in found.items() if value is not None}


def command_list(words: list[str]) -> None:
    asked = [word for word in words if not word.startswith("-") and word != "json"]
    there = names()
    if not there:
        log("warning", "No instance found. Run `limactl create` to create an instance.")
    for name in asked:
        if name not in there:
            log("warning", f"No instance matching {name} found.")
    for name in [each for each in asked or there if each in there]:
        print(name if "-q" in words else json.dumps(record(name), separators=(",", ":")))
    if any(name not in there for name in asked):
        fatal("unmatched instances")


def named(words: list[str]) -> tuple[str, list[str]]:
    """--name and the words that are no flag."""
    name, rest = "", []
    for word in words:
        if word.startswith("--name="):
            name = word.removeprefix("--name=")
        elif not word.startswith("-") or word == "-":
            rest.append(word)
    return name, rest


def command_create(words: list[str]) -> None:
    name, (file,) = named(words)
    if (HOME / name).exists():
        fatal(f"instance `{name}` already exists")
    text = sys.stdin.read() if file == "-" else Path(file).read_text()
    (HOME / name).mkdir(parents=True)
    (HOME / name / "lima.yaml").write_text(text)
    keep(name, status="Stopped")
    log("info", f"Attempting to download the image for `{name}`")


def known(name: str, doing: str) -> None:
    if not (HOME / name / "lima.yaml").is_file():
        fatal(f"unable to {doing} instance `{name}`: open {HOME / name}/lima.yaml: no such file or directory")


def command_start(words: list[str]) -> None:
    (name,) = named([word for word in words if not word.endswith("m") or not word[0].isdigit()])[1]
    known(name, "start")
    now = record(name)["status"]
    if now == "Running":
        log("info", f"The instance `{name}` is already running. Run `limactl shell {name}` to open the shell.")
        return
    if now != "Stopped":
        fatal(f"expected status `Stopped`, got `{now}`")
    port = 40000 + int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10000
    (HOME / name / "ssh.config").write_text(f"Host lima-{name}\n  Port {port}\n")
    keep(name, status="Running", port=port)
    log("info", f"READY. Run `limactl shell {name}` to open the shell.")


def command_stop(words: list[str]) -> None:
    (name,) = named(words)[1]
    known(name, "stop")
    if record(name)["status"] != "Running" and "-f" not in words:
        fatal(f"expected status `Running`, got `{record(name)['status']}` (maybe use `limactl stop -f`?)")
    keep(name, status="Stopped")


def command_delete(words: list[str]) -> None:
    for name in named(words)[1]:
        if name not in names():
            log("warning", f"Ignoring non-existent instance `{name}`")
            continue
        known(name, "delete")
        if state(name).get("protected"):
            fatal(f"failed to delete instance `{name}`: instance is protected to prohibit accidental removal")
        if record(name)["status"] == "Running" and "-f" not in words:
            fatal(f"failed to delete instance `{name}`: expected status `Stopped`, got `Running`")
        shutil.rmtree(HOME / name)
        log("info", f"Deleted `{name}` (`{HOME / name}`)")


def command_clone(words: list[str]) -> None:
    old, new = named(words)[1]
    known(old, "clone")
    if record(old)["status"] != "Stopped":
        fatal(f"cannot clone a running instance `{old}`")
    if (HOME / new).exists():
        fatal(f"instance `{new}` already exists")
    shutil.copytree(HOME / old, HOME / new)
    expressions = [word.removeprefix("--set=") for word in words if word.startswith("--set=")]
    given = yaml.safe_load((HOME / new / "lima.yaml").read_text())
    for part in " | ".join(expressions).split(" | ") if expressions else []:
        path, value = part.split(" = ", 1)
        place = given
        *outer, last = path.lstrip(".").split(".")
        for key in outer:
            place = place[key]
        place[last] = json.loads(value)
    (HOME / new / "lima.yaml").write_text(yaml.safe_dump(given))


def behaviour(command: str, name: str) -> dict:
    """What the test wants this time, one time less."""
    file = NOTES / "behaviour.json"
    wanted = json.loads(file.read_text()) if file.is_file() else {}
    for key in (f"{command} {name}", command):
        if key in wanted:
            found = dict(wanted[key])
            if "times" in found:
                wanted[key]["times"] -= 1
                if not wanted[key]["times"]:
                    del wanted[key]
                file.write_text(json.dumps(wanted))
            return found
    return {}


def main() -> None:
    words = [word for word in sys.argv[1:] if word != "--tty=false"]
    command, rest = words[0], words[1:]
    begun = time.time()
    name, others = named(rest)
    asked = behaviour(command, name or next((word for word in reversed(others) if word not in ("json", "-")), ""))
    code = int(asked.get("code", 0))
    try:
        if asked.get("sleep"):
            time.sleep(asked["sleep"])
        if asked.get("do", True):
            if command == "--version":
                print(f"limactl version {os.environ.get('STUB_LIMACTL_VERSION', '2.2.0')}")
            else:
                globals()[f"command_{command}"](rest)
        if asked.get("status"):
            keep(name or others[-1], status=asked["status"])
        if asked.get("stderr"):
            print(asked["stderr"], file=sys.stderr)
    except SystemExit as ended:
        code = int(ended.code or 0)
    with (NOTES / "calls").open("a") as stream:
        stream.write(json.dumps({"argv": sys.argv[1:], "begun": begun, "ended": time.time(), "code": code}) + "\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
