# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flags of the commands that run a manager, and what they mean together."""

from __future__ import annotations

import argparse
import dataclasses

from ansible_collections.warren.load.plugins.module_utils.api.channel import split_address
from ansible_collections.warren.load.plugins.module_utils.api.dialect import Dialect

from .costs import COST_MODELS
from .defects import DEFECTS, REPAIRS, Defects, parse_defects


@dataclasses.dataclass(frozen=True)
class ManagerOptions:
    """Addresses are ``host:port``. ``leader`` (API address) and ``token`` are empty for `cluster init`."""

    node_id: str
    bind_addr: str
    api_addr: str
    data_dir: str
    http_addr: str
    dialect: Dialect
    clock_factor: float = 1.0
    costs: str = "ideal"
    defects: Defects = dataclasses.field(default_factory=Defects)
    leader: str = ""
    token: str = ""
    manager_only: bool = False
    external_containerd: bool = False
    enable_pprof: bool = False
    trusted_network: bool = False


def _add_manager_flags(parser: argparse.ArgumentParser, *, number: int) -> None:
    add = parser.add_argument
    suffix = "" if number == 1 else f"-{number}"
    add("--node-id", default=f"manager-{number}", help="unique node id")
    add("--bind-addr", default=f"127.0.0.1:{7945 + number}", help="address for Raft")
    add("--api-addr", default=f"127.0.0.1:{8079 + number}", help="address for the gRPC API")
    add("--data-dir", default=f"./warren-data{suffix}", help="data directory")
    add("--enable-pprof", action="store_true", help="print the addresses of the profiles")
    own = parser.add_argument_group("the simulator's own flags")
    own.add_argument("--dialect", choices=[each.value for each in Dialect], default=Dialect.TASKS.value)
    own.add_argument("--http-addr", default="127.0.0.1:9090", help="address for metrics and profiles")
    own.add_argument("--clock-factor", type=float, default=1.0, metavar="F", help="timers are divided by F")
    own.add_argument("--costs", choices=COST_MODELS, default="ideal", help="what commits and scans cost")
    own.add_argument(
        "--defect", action="append", default=[], metavar="NAME[=N]", help=f"repeatable: {', '.join(sorted(DEFECTS))}"
    )
    own.add_argument(
        "--repair", action="append", default=[], metavar="NAME", help=f"repeatable: {', '.join(sorted(REPAIRS))}"
    )
    own.add_argument(
        "--trusted-network", action="store_true", help="allow a --bind-addr other than loopback (namespaces)"
    )


def add_init_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of `cluster init`."""
    _add_manager_flags(parser, number=1)
    parser.add_argument("--manager-only", action="store_true", help="no worker in this process (dialect containers)")


def add_join_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of `manager join`."""
    _add_manager_flags(parser, number=2)
    parser.add_argument("--leader", required=True, help="API address of the leader")
    parser.add_argument("--token", required=True, help="join token for a manager")


def manager_options(arguments: argparse.Namespace) -> ManagerOptions:
    """Options from parsed flags; ValueError with a sentence that names the flag."""
    for flag in ("bind_addr", "api_addr", "http_addr"):
        try:
            split_address(getattr(arguments, flag))
        except ValueError as error:
            raise ValueError(f"--{flag.replace('_', '-')}: {error}") from None
    if not 0.01 <= arguments.clock_factor <= 1000:
        raise ValueError(f"--clock-factor {arguments.clock_factor:g} is not between 0.01 and 1000")
    return ManagerOptions(
        node_id=arguments.node_id,
        bind_addr=arguments.bind_addr,
        api_addr=arguments.api_addr,
        data_dir=arguments.data_dir,
        http_addr=arguments.http_addr,
        dialect=Dialect(arguments.dialect),
        clock_factor=arguments.clock_factor,
        costs=arguments.costs,
        defects=parse_defects(arguments.defect, arguments.repair),
        leader=getattr(arguments, "leader", ""),
        token=getattr(arguments, "token", ""),
        manager_only=getattr(arguments, "manager_only", False),
        external_containerd=arguments.external_containerd,
        enable_pprof=arguments.enable_pprof,
        trusted_network=arguments.trusted_network,
    )
