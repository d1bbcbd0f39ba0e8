# Copyright: (c) 2026, warren.load contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`python -m warren_simulator` and the zipapp start here."""

from __future__ import annotations

import sys

from warren_simulator.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
