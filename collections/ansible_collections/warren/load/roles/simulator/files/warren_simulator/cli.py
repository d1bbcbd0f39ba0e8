# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line: Warren's words, and the simulator's own. A command's module is loaded when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import sys
import typing as t

from . import __version__

PROGRAM = "warren-simulator"
VERSION = f"Warren simulator version {__version__} (warren.load; this is not Warren)\nCommit: none\nBuilt: none"


class Command(t.NamedTuple):
    """``module``: of this package; ``add_flags`` and ``run``: functions there. ``run`` takes the parsed flags and
    returns the exit code."""

    module: str
    add_flags: str
    run: str
    help: str


# All commands. A new one is a line here and two functions in a module of its own.
COMMANDS: dict[tuple[str, ...], Command] = {
    ("cluster", "init"): Command("manager", "add_init_flags", "start_first", "Start the first manager of a cluster"),
    ("cluster", "join-token"): Command("client_commands", "add_token_flags", "join_token", "Generate a join token"),
    ("cluster", "info"): Command("client_commands", "add_manager_flag", "cluster_info", "Show the Raft cluster"),
    ("cluster", "join"): Command("client_commands", "add_stub_flags", "cluster_join", "Does nothing, as in Warren"),
    ("init",): Command("client_commands", "add_cli_flags", "init_cli", "Get the command line a certificate"),
    ("manager", "join"): Command("manager", "add_join_flags", "start_joining", "Start a manager that joins a cluster"),
    ("worker", "start"): Command("hollow_cli", "add_worker_flags", "start_worker", "Start one hollow worker"),
    ("hollow-workers", "start"): Command("hollow_cli", "add_fleet_flags", "start_fleet", "Start many hollow workers"),
    ("service", "create"): Command("client_commands", "add_create_flags", "service_create", "Create a service"),
    ("service", "list"): Command("client_commands", "add_manager_flag", "service_list", "List services"),
    ("service", "inspect"): Command("client_commands", "add_name", "service_inspect", "Show a service"),
    ("service", "delete"): Command("client_commands", "add_name", "service_delete", "Delete a service"),
    ("service", "scale"): Command("client_commands", "add_scale_flags", "service_scale", "Set the number of replicas"),
    ("node", "list"): Command("client_commands", "add_manager_flag", "node_list", "List workers"),
}
GROUPS = {words[0] for words in COMMANDS if len(words) > 1}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> t.NoReturn:
        # In the words of Warren's flag parser.
        required = "the following arguments are required: "
        if message.startswith(required):
            names = message.removeprefix(required).replace("--", "").split(", ")
            message = "required flag(s) " + ", ".join(f'"{name}"' for name in names) + " not set"
        if message.startswith("unrecognized arguments: "):
            message = f"unknown flag: {message.split()[2]}"
        print(f"Error: {message}\n{self.format_usage()}", file=sys.stderr)
        sys.exit(1)


def _add_global_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("global flags")
    group.add_argument("--log-level", default="info", help="accepted")
    group.add_argument("--log-json", action="store_true", help="accepted")
    group.add_argument("--external-containerd", action="store_true", help="accepted: the simulator runs no containers")
    group.add_argument("--containerd-socket", default="", help="accepted")


def _overview(group: str | None = None) -> str:
    chosen = {words: command for words, command in COMMANDS.items() if group in {None, words[0]}}
    lines = [f"{PROGRAM}: a simulator of Warren, for load tests without one. It runs no containers.", "", "Commands:"]
    lines += [f"  {' '.join(words):<22} {command.help}" for words, command in chosen.items()]
    return "\n".join(lines)


def _run(words: tuple[str, ...], rest: list[str]) -> int:
    command = COMMANDS[words]
    try:
        module = importlib.import_module(f"{__package__}.{command.module}")
    except ImportError as error:
        print(
            f"Error: this Python ({sys.executable}) lacks the library {error.name} that `{' '.join(words)}` needs: "
            "install grpcio, protobuf, pysyncobj and cryptography there",
            file=sys.stderr,
        )
        return 1
    parser = _Parser(
        prog=f"{PROGRAM} {' '.join(words)}", description=f"{command.help} (simulator).", allow_abbrev=False
    )
    getattr(module, command.add_flags)(parser)
    _add_global_flags(parser)
    return int(getattr(module, command.run)(parser.parse_args(rest)))


def main(argv: list[str]) -> int:
    """Run one command; the exit code is Warren's."""
    globals_first = _Parser(prog=PROGRAM, add_help=False, allow_abbrev=False)
    _add_global_flags(globals_first)
    globals_first.add_argument("--version", action="store_true")
    globals_first.add_argument("-h", "--help", action="store_true")
    globals_first.add_argument("words", nargs=argparse.REMAINDER)
    first = globals_first.parse_args(argv)
    before = argv[: len(argv) - len(first.words)]
    words = first.words
    if first.version:
        print(VERSION)
        return 0
    if first.help or not words:
        print(_overview())
        return 0
    if (words[0],) in COMMANDS:
        return _run((words[0],), before + words[1:])
    if words[0] not in GROUPS:
        print(f'Error: unknown command "{words[0]}" for "warren" (simulator)', file=sys.stderr)
        return 1
    if tuple(words[:2]) in COMMANDS:
        return _run((words[0], words[1]), before + words[2:])
    unknown = [word for word in words[1:] if word.startswith("-") and word not in {"-h", "--help"}]
    if unknown:
        print(f"Error: unknown flag: {unknown[0]}", file=sys.stderr)
        return 1
    print(_overview(words[0]))  # a wrong second word is no error in Warren
    return 0
