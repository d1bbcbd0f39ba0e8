"""Runs the stages of `make test` and closes with one summary.

    .venv/bin/python scripts/stages.py [--list] [--jobs N] NAME...

NAME is a stage or a group (lint, quick, molecule, benchmark, all). The quick stages do not depend on time: up to --jobs
of them run side by side, and the output of each is shown when it ends. The others run one after another, with live
output. Every stage runs, also after a failure. One that ends with exit code 77 was skipped. Under the summary stands
again what failed, so that the end of a long log tells it.

Every stage gets a home of its own (.cache/home), so that no test depends on what a person keeps in theirs.
"""

from __future__ import annotations

import argparse
import ast
import collections
import concurrent.futures
import configparser
import io
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
COLLECTION = ROOT / "collections/ansible_collections/warren/load"
TESTS = COLLECTION.relative_to(ROOT) / "tests"
HOME = ROOT / ".cache/home"
SKIPPED = 77  # as for automake
LEFT_BEHIND = 5.0  # seconds after a stage's end for the rest of its output: what a test left running may keep it open
# A line of pytest's short summary, and what else says that something went wrong.
FAILED_TEST = re.compile(r"(FAILED|ERROR) \S+\.py\b")
TELLING = re.compile(r"(FATAL|CRITICAL|ERROR|FAILED|Failed)\b")
MOST = 5  # lines of what it says then: ansible-test lists the tests that failed
PYTHON_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

GET_PIP = '''\
"""Stands in for get-pip.py, which ansible-test would download: makes pip from the copy that comes with Python."""
import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL)
wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", "--quiet", *wanted]))
'''


@dataclass(frozen=True)
class Stage:
    name: str
    command: str
    folder: Path = ROOT
    timed: bool = False  # runs alone, since its time-outs assume the machine
    extra: bool = False  # not a part of `make test`


@dataclass(frozen=True)
class Outcome:
    stage: Stage
    returncode: int
    seconds: float
    told: list[str] = field(default_factory=list)  # the lines that say what failed

    @property
    def result(self) -> str:
        return {0: "passed", SKIPPED: "skipped"}.get(self.returncode, "FAILED")


STAGES = [
    Stage("ansible-lint", "ansible-lint --offline"),
    Stage("mypy", "mypy"),
    Stage("ruff", "ruff check && ruff format --check"),
    Stage("yamllint", "yamllint --strict ."),
    Stage(
        "changelog",
        "antsibull-changelog lint && antsibull-changelog lint-changelog-yaml changelogs/changelog.yaml",
        COLLECTION,
    ),
    Stage("docs", "antsibull-docs lint-collection-docs . --plugin-docs", COLLECTION),
    Stage("galaxy-importer", "python scripts/tarball.py"),
    Stage("sanity", f"ansible-test sanity --python {PYTHON_VERSION} --color no", COLLECTION),
    Stage(
        "unit",
        f"python -m pytest -n 2 -q scripts {TESTS}/unit --cov --cov-report=term --cov-report=xml:.cache/coverage.xml",
    ),
    Stage("contract", f"python -m pytest {TESTS}/contract", timed=True),
    Stage(
        "integration",
        f"python -m pytest -n 2 --dist loadfile {TESTS}/integration -m 'not long' --basetemp=.cache/integration",
        timed=True,
    ),
    Stage(
        "survival",
        f"python -m pytest -n 3 --dist worksteal {TESTS}/survival -m 'not long' --basetemp=.cache/survival",
        timed=True,
    ),
    Stage(
        "molecule-cluster-life", "molecule -c .config/molecule/config.yml test --scenario-name cluster-life", timed=True
    ),
    Stage("molecule-load-small", "molecule -c .config/molecule/config.yml test --scenario-name load-small", timed=True),
    Stage(
        "molecule-interrupted", "molecule -c .config/molecule/config.yml test --scenario-name interrupted", timed=True
    ),
    Stage("second-leg", "scripts/second-leg", timed=True, extra=True),
    Stage(
        "molecule-verdict-flips",
        "molecule -c .config/molecule/config.yml test --scenario-name verdict-flips",
        timed=True,
    ),
    Stage(
        "long",
        f"python -m pytest {TESTS}/contract {TESTS}/integration {TESTS}/survival -m long",
        timed=True,
        extra=True,
    ),
]
STAGES += [
    Stage(
        file.stem.replace("bench_", "benchmark-"),
        f"PYTHONPATH=collections python -m ansible_collections.warren.load.tests.benchmark.{file.stem}",
        timed=True,
        extra=True,
    )
    for file in sorted((ROOT / TESTS / "benchmark").glob("bench_*.py"))
]

GROUPS = {
    "lint": ["ansible-lint", "mypy", "ruff", "yamllint", "changelog", "docs", "galaxy-importer"],
    "molecule": ["molecule-cluster-life", "molecule-load-small", "molecule-interrupted", "molecule-verdict-flips"],
    "benchmark": [stage.name for stage in STAGES if stage.name.startswith("benchmark-")],
    "quick": [stage.name for stage in STAGES if not stage.timed],
    "all": [stage.name for stage in STAGES if not stage.extra],
}


def private_home(home: Path = HOME) -> None:
    """Fills the stages' home: the caller's pip settings, git's leave to read this checkout, the stand-in for get-pip.

    ansible-test hands no PIP_* variable on to the pip it starts, hence a file (readable by its owner alone, since the
    address of an index may hold a password).
    """
    home.mkdir(parents=True, exist_ok=True)
    pip_conf = home / ".config/pip/pip.conf"
    pip_conf.parent.mkdir(parents=True, exist_ok=True)
    pip_conf.touch(mode=0o600)
    pip_conf.write_text(pip_settings(run_text(sys.executable, "-m", "pip", "config", "list")), encoding="utf-8")
    (home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {ROOT}\n", encoding="utf-8")

    cache = home / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in get_pip_versions():
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP, encoding="utf-8")


def pip_settings(listed: str) -> str:
    """The text of a pip.conf that says what `pip config list` printed; variables (`:env:`) win, as in pip itself."""
    merged: dict[str, dict[str, str]] = {"global": {"progress-bar": "off"}}
    lines = [line for line in listed.splitlines() if re.match(r"[\w:-]+\.[\w-]+=", line)]
    for line in sorted(lines, key=lambda text: text.startswith(":env:")):
        place, _, quoted = line.partition("=")
        section, _, key = place.rpartition(".")
        value = str(ast.literal_eval(quoted)) if quoted[:1] in "'\"" else quoted
        merged.setdefault("global" if section == ":env:" else section, {})[key] = value.replace("\n", "\n    ")
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
    if proxy:
        merged.setdefault("global", {}).setdefault("proxy", proxy)
    parser = configparser.RawConfigParser()
    parser.read_dict(merged)
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def get_pip_versions() -> list[str]:
    """The versions of get-pip that the installed ansible-test may look for, read from its source."""
    import ansible_test

    source = Path(next(iter(ansible_test.__path__))) / "_internal/python_requirements.py"
    return sorted(set(re.findall(r"pip='(\d+(?:\.\d+)+)'", source.read_text(encoding="utf-8"))))


def run_text(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout


def environment() -> dict[str, str]:
    """The caller's environment without settings of Ansible, pytest and molecule, with the private home."""
    others = ("ANSIBLE_", "MOLECULE_", "PYTEST_", "XDG_", "PYTHON")
    env = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    pip_cache = env.get("PIP_CACHE_DIR") or run_text(sys.executable, "-m", "pip", "cache", "dir").strip()
    if env.get("WARREN_BINARY"):
        env["WARREN_BINARY"] = str((ROOT / env["WARREN_BINARY"]).resolve())
    return env | {
        "HOME": str(HOME),
        "PIP_CACHE_DIR": pip_cache,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)]),
        "LC_ALL": "C.UTF-8" if sys.platform != "darwin" else "en_US.UTF-8",
        "PY_COLORS": "0",
        "NO_COLOR": "1",
        "ANSIBLE_NOCOLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }


def headline(stage: Stage) -> str:
    where = "" if stage.folder == ROOT else f"   (in {stage.folder.relative_to(ROOT)})"
    return f"\n==> {stage.name}: {stage.command}{where}"


def run(stage: Stage, env: dict[str, str], *, live: bool) -> Outcome:
    """Runs one stage to its end. Live: shows each line as it comes; else all of them in one piece, under a headline."""
    if live:
        print(headline(stage), flush=True)
    started = time.monotonic()
    lines: list[str] = []
    process = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", stage.command],
        cwd=stage.folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )

    def read(output: IO[str]) -> None:
        with output:
            for line in output:
                lines.append(line.rstrip())
                if live:
                    print(lines[-1], flush=True)

    reader = threading.Thread(target=read, args=[process.stdout], daemon=True)
    reader.start()
    try:
        returncode = process.wait()
    except BaseException:
        process.kill()
        raise
    reader.join(LEFT_BEHIND)
    seconds = time.monotonic() - started
    outcome = Outcome(stage, returncode, seconds, what_failed(lines) if returncode not in (0, SKIPPED) else [])
    code = f" (exit code {returncode})" if outcome.result == "FAILED" else ""
    words = f"{stage.name}: {outcome.result}{code} in {seconds:.1f} s"
    print(words if live else f"{headline(stage)}\n{chr(10).join(lines).rstrip()}\n{words}", flush=True)
    return outcome


def what_failed(lines: list[str]) -> list[str]:
    """Each test that pytest's summary says failed; of other stages the last line of a failure with what follows."""
    tests = [line for line in lines if FAILED_TEST.match(line)]
    said = [line for line in lines if line]
    last = max((index for index, line in enumerate(said) if TELLING.match(line)), default=len(said) - 1)
    return tests or said[max(0, last) :][:MOST]


def chosen(names: list[str]) -> list[Stage]:
    """The stages of these names and groups, in the order of STAGES."""
    known = {stage.name for stage in STAGES}
    wanted: set[str] = set()
    for name in names:
        if name not in known | GROUPS.keys():
            sys.exit(f"{name} is no stage; there are: {', '.join([*GROUPS, *(stage.name for stage in STAGES)])}")
        wanted.update(GROUPS.get(name, [name]))
    return [stage for stage in STAGES if stage.name in wanted]


def summary(outcomes: list[Outcome], seconds: float) -> str:
    """A table with a line a stage, what failed, and the closing line `N passed, N failed`, or `N skipped` too."""
    width = max(len(outcome.stage.name) for outcome in outcomes)
    counts = collections.Counter(outcome.result for outcome in outcomes)
    minutes, rest = divmod(round(seconds), 60)
    lines = ["", "=" * 60]
    lines += [f"{each.stage.name:<{width}}  {each.result:<7}  {each.seconds:7.1f} s" for each in outcomes]
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    lines.append("=" * 60)
    for each in outcomes:
        lines += [f"{each.stage.name}: {line}" for line in each.told]
    lines += [f"stages done in {minutes} min {rest} s"]
    lines.append(f"{counts['passed']} passed, {counts['FAILED']} failed{skipped}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="only print the commands")
    parser.add_argument("--jobs", type=int, default=2, help="how many quick stages run side by side")
    options = parser.parse_args()
    stages = chosen(options.names)
    if options.list:
        print("".join(headline(stage) for stage in stages))
        return 0

    started = time.monotonic()
    private_home()
    env = environment()
    side_by_side = [stage for stage in stages if not stage.timed]
    live = len(side_by_side) == 1
    with concurrent.futures.ThreadPoolExecutor(1 if live else max(1, options.jobs)) as pool:
        outcomes = list(pool.map(lambda stage: run(stage, env, live=live), side_by_side))
    outcomes += [run(stage, env, live=True) for stage in stages if stage.timed]
    print(summary(outcomes, time.monotonic() - started), flush=True)
    return int(any(outcome.result == "FAILED" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
