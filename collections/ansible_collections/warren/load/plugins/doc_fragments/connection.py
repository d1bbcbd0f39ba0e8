# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How every module that talks to a cluster is told where it is."""

    DOCUMENTATION = r"""
requirements:
  - grpcio
  - protobuf
options:
  managers:
    description:
      - The managers of the cluster. One is enough where only an address is known.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The manager's node id.
        type: str
        required: true
      api_address:
        description: Where its API listens, as C(HOST:PORT).
        type: str
        required: true
      raft_address:
        description:
          - Where its Raft listens, as C(HOST:PORT).
          - Followers name the leader by this address, so it is needed where there is more than one manager.
        type: str
  dialect:
    description:
      - The names that the servers give to their RPCs. V(tasks) are servers before v1.1, V(containers) later ones.
      - V(auto) asks a manager.
    type: str
    choices: [auto, tasks, containers]
    default: auto
  tls:
    description: Whether the API ports speak TLS. V(auto) takes what they speak.
    type: str
    choices: [auto, plaintext, tls]
    default: auto
  ca_file:
    description:
      - The cluster's CA certificate (PEM) on the host that runs the module.
      - Without it the certificate seen first is trusted and kept in O(pin_file).
    type: path
  tls_name:
    description: The name to expect in the managers' certificates.
    type: str
    default: localhost
  client_cert_file:
    description: A client certificate (PEM). Warren asks for one and accepts none.
    type: path
  client_key_file:
    description: The key (PEM) of O(client_cert_file).
    type: path
  pin_file:
    description: Where certificates that were trusted on first use are remembered.
    type: path
"""
