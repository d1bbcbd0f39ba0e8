# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a module's options to a phase and back: parse, connect, and turn every failure into a sentence, in one place."""

from __future__ import annotations

import dataclasses
import time
import traceback
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.warren.load.plugins.module_utils.api.channel import GRPC_IMPORT_ERROR, MODES, Security
from ansible_collections.warren.load.plugins.module_utils.api.cluster import Cluster, Manager
from ansible_collections.warren.load.plugins.module_utils.api.errors import (
    NoLeader,
    SecurityError,
    Unimplemented,
    Unreachable,
    WarrenError,
)
from ansible_collections.warren.load.plugins.module_utils.api.lean_client import HPACK_IMPORT_ERROR
from ansible_collections.warren.load.plugins.module_utils.api.schema import PROTOBUF_IMPORT_ERROR
from ansible_collections.warren.load.plugins.module_utils.engine.arrivals import KINDS
from ansible_collections.warren.load.plugins.module_utils.engine.loop import Stop, run
from ansible_collections.warren.load.plugins.module_utils.engine.reporter import Reporter
from ansible_collections.warren.load.plugins.module_utils.libraries import lacking

from .methods import DEFAULT

if t.TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Phase = Callable[[Cluster, t.Any, Reporter], Awaitable[dict[str, t.Any]]]
    OpenCluster = Callable[[], Awaitable[Cluster]]
    Query = Callable[[OpenCluster, t.Any], Awaitable[dict[str, t.Any]]]

RETRY_PAUSE = 1.0  # seconds between two tries to connect

Arguments = dict[str, dict[str, t.Any]]

CONNECTION: Arguments = {
    "managers": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "api_address": {"type": "str", "required": True},
            "raft_address": {"type": "str"},
        },
    },
    "dialect": {"type": "str", "choices": ["auto", "tasks", "containers"], "default": "auto"},
    "tls": {"type": "str", "choices": list(MODES), "default": "auto"},
    "ca_file": {"type": "path"},
    "tls_name": {"type": "str", "default": "localhost"},
    "client_cert_file": {"type": "path"},
    "client_key_file": {"type": "path"},
    "pin_file": {"type": "path"},
}
RUN: Arguments = {
    "run_id": {"type": "str", "required": True},
    "work_dir": {"type": "path", "required": True},
    "deadline": {"type": "float", "default": 300.0},
}
CALLS: Arguments = {
    "methods": {"type": "list", "elements": "str", "default": [DEFAULT]},
    "arrivals": {"type": "str", "choices": list(KINDS), "default": "poisson"},
    "seed": {"type": "int", "default": 1},
    "outstanding": {"type": "int", "default": 1000},
    "timeout": {"type": "float", "default": 10.0},
    "manager": {"type": "str"},
    "shares_host_with": {"type": "list", "elements": "str", "default": []},
}


def sentence(error: Exception) -> str:
    """A failure as one sentence with its remedy, where we know one."""
    if isinstance(error, SecurityError):
        text = error.details
    elif isinstance(error, Unreachable) and not error.method:
        text = f"no manager can be reached: {error.details}; start the cluster, or correct the managers' addresses"
    elif isinstance(error, NoLeader):
        text = f"the cluster has no leader: {error.details}; see that a majority of its managers runs"
    elif isinstance(error, Unimplemented):
        text = f"{error}; the managers may speak another dialect: set warren_load_dialect to auto"
    else:
        text = str(error) or type(error).__name__
    # An option, or a host such as worker-1, keeps its name.
    named = text.partition(":")[0].isidentifier() or not text.partition(" ")[0].isalpha()
    return (text if named else text[:1].upper() + text[1:]).rstrip(".") + "."


def connect(params: dict[str, t.Any]) -> Awaitable[Cluster]:
    """Cluster.connect() with a module's options."""
    security = Security(
        mode=params["tls"],
        ca_file=params["ca_file"],
        server_name=params["tls_name"],
        client_cert_file=params["client_cert_file"],
        client_key_file=params["client_key_file"],
        pin_file=params["pin_file"],
    )
    return Cluster.connect([Manager(**manager) for manager in params["managers"]], security, params["dialect"])


async def connect_patiently(params: dict[str, t.Any], reporter: Reporter, patience: float) -> Cluster:
    """connect(), again for so many s while no manager can be reached; raises what it raised last."""
    end = time.monotonic() + patience
    while True:
        try:
            return await connect(params)
        except Unreachable:
            if time.monotonic() > end or reporter.stopped():
                raise
        reporter.progress(0, 0, "managers", "no manager can be reached, trying again", now=True)
        await reporter.pause(RETRY_PAUSE)


def options_of(kind: type[t.Any], params: dict[str, t.Any]) -> t.Any:
    """An instance of a phase's dataclass of options, from the module's options of the same names."""
    return kind(**{field.name: params[field.name] for field in dataclasses.fields(kind)})


def _module(arguments: Arguments) -> AnsibleModule:
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    for library, error in (
        ("grpcio", GRPC_IMPORT_ERROR),
        ("protobuf", PROTOBUF_IMPORT_ERROR),
        ("hpack", HPACK_IMPORT_ERROR),
    ):
        if error is not None:
            module.fail_json(msg=lacking(library))
    return module


def _guarded(module: AnsibleModule, body: Callable[[Stop], t.Any], log: Path | None = None) -> t.Any:
    try:
        return run(body)
    except (WarrenError, ValueError) as error:
        return module.fail_json(msg=sentence(error))
    except Exception as error:
        where = ""
        if log is not None:
            try:
                log.write_text(traceback.format_exc(), encoding="utf-8")
                where = f"; its traceback is in {log}"
            except OSError:
                pass
        return module.fail_json(
            msg=f"Unexpected {type(error).__name__}: {error}{where}. This is a defect of warren.load."
        )


def run_phase(
    name: str,
    phase: Phase,
    kind: type[t.Any],
    arguments: Arguments,
    *,
    changing: tuple[str, ...] = (),
    would_change: tuple[str, ...] = (),
    patience: float = 0.0,
) -> None:
    """The whole of a phase's module.

    ``kind``: the phase's dataclass of options; with a field ``check_mode`` the phase itself knows what to do in it.
    ``changing``: the measurements that count what was changed, none for a phase that only reads; ``would_change``:
    those that count what would be, in check mode. ``patience``: s for a manager to answer.

    Exits with ``measurements``, ``audit``, ``stopped`` (why it ended early, or null) and ``problems``.
    """
    module = _module({**CONNECTION, **RUN, **arguments})
    params = {**module.params, "check_mode": module.check_mode}
    work_dir = Path(params["work_dir"])

    async def body(stop: Stop) -> dict[str, t.Any]:
        options = options_of(kind, params)
        with Reporter(work_dir, name, params["deadline"], stop) as reporter:
            async with await connect_patiently(params, reporter, patience) as cluster:
                measurements = await phase(cluster, options, reporter)
            return {
                "measurements": measurements,
                "audit": reporter.audit,
                "stopped": reporter.ended_early,
                "problems": reporter.problems,
            }

    knows_check_mode = any(field.name == "check_mode" for field in dataclasses.fields(kind))
    if module.check_mode and changing and not knows_check_mode:
        module.exit_json(changed=True, measurements={}, audit={}, stopped=None, problems=[])
    try:
        work_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        module.fail_json(msg=f"work_dir: {work_dir} cannot be made ({error.strerror}).")
    result = _guarded(module, body, work_dir / f"{name}-error.txt")
    counts = [*changing, *(would_change if module.check_mode else ())]
    module.exit_json(changed=any(result["measurements"].get(count) for count in counts), **result)


def run_query(query: Query, kind: type[t.Any], arguments: Arguments) -> None:
    """The whole of a module that only asks: exits with what ``query(open_cluster, options)`` returns."""
    module = _module({**CONNECTION, **arguments})

    async def body(_stop: Stop) -> dict[str, t.Any]:
        return await query(lambda: connect(module.params), options_of(kind, module.params))

    module.exit_json(changed=False, **_guarded(module, body))
