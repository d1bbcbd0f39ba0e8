# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the public variables say about the hosts that hosts-up makes and hosts-down removes.

Pure: the lookup `warren.load.hosts` hands everything in. PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from .cluster_facts import CHOICES, SIMULATOR

if t.TYPE_CHECKING:
    from .cluster_facts import Public

PROVIDERS = ("lima", "netns", "aws", "hetzner")
DEFAULTS = {"manager": 3, "worker": 2}


def derive(public: Public, sources: t.Sequence[str]) -> dict[str, t.Any]:
    """Provider, names and mark of the hosts; `errors` holds a sentence for each wrong setting.

    ``sources``: the inventories that Ansible was given, as absolute paths.
    """
    provider = public.text("warren_load_provider")
    if provider not in PROVIDERS:
        ones = [f"inventories/{name}" for name in PROVIDERS]
        what = f"warren_load_provider is {provider!r}" if provider else "This inventory has no warren_load_provider"
        public.errors.append(
            f"{what}, so there is no telling how to make its hosts: use -i {', -i '.join(ones[:-1])} or -i {ones[-1]}, "
            f"or set warren_load_provider to one of {', '.join(PROVIDERS)}."
        )
    counts = {role: public.whole(f"warren_load_{role}_hosts", DEFAULTS[role], smallest=0) for role in DEFAULTS}
    if counts["manager"] < 1:
        public.errors.append(
            "warren_load_manager_hosts is 0, and a cluster has a manager: ask for -e managers=1, 3 or 5."
        )
    latency, loss = (public.number(f"warren_load_netns_{name}") for name in ("latency", "loss"))
    kind = public.choice("warren_load_worker_kind", CHOICES["warren_load_worker_kind"], "real")
    return {
        "provider": provider,
        "managers": [f"manager-{number}" for number in range(1, counts["manager"] + 1)],
        "workers": [f"worker-{number}" for number in range(1, counts["worker"] + 1)],
        # Whose a host is: that of the cluster with this name, else of the inventory in this place.
        "mark": public.text("warren_load_cluster") or (sources[0] if sources else ""),
        "latency": latency,
        "loss": loss,
        "containers": kind == "real" and public.text("warren_load_binary") != SIMULATOR,
        "confirm": public.flag("warren_load_confirm"),
        "errors": list(dict.fromkeys(public.errors)),
    }
