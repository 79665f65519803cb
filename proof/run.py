#!/usr/bin/env python3
"""Runs the proof and writes its figures. See scripts/prove for how to call it.

It is a runner and a writer: what is proven, and whether it holds, the tests say themselves, in JSON lines that they
append to the file that UNDERSIGNED_PROOF names (tests/support/proof.rs).
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import breaking
import report

sys.path.insert(0, str(breaking.ROOT / "bench"))
import machine  # noqa: E402

ROOT = breaking.ROOT
RESULTS = ROOT / "proof" / "results.json"
FUZZ_SECONDS = 600


@dataclass(frozen=True)
class Part:
    """A test target and a filter, and which variable says how long it is in a full run."""

    name: str
    target: str
    filter: str = ""
    length: str = "UNDERSIGNED_PROVE_SCHEDULES"
    full: int = 1000

    def command(self):
        target = ["--lib"] if self.target == "lib" else ["--test", self.target]
        return ["cargo", "test", "--locked", *breaking.FEATURES, *target, *filter(None, [self.filter])]

    def length_of(self, mode):
        return {self.length: str(self.full)} if mode == "full" else {}


PARTS = [
    Part("kills", "proof", "kills::"),
    Part("promises", "proof", "promises::"),
    Part("postfix", "proof", "postfix::"),
    Part("properties", "proof", "properties::"),
    Part("faults", "faults"),
    Part("model", "model"),
    Part("weeks", "lib", "in_no_week", "UNDERSIGNED_PROVE_WEEKS", 100),
    Part("guard", "guard"),
    Part("lists", "lists"),
    Part("people", "people_data"),
    Part("ledger", "ledger_contract", "random_walks::"),
    Part("dkim", "dkim", "agree"),
    Part("headers", "letters", "pythons_"),
]


def main():
    options = arguments()
    if options.mode == "write":
        report.write(load())
    elif options.breaks:
        breaking.leave_broken(options.breaks)
    elif options.broken is not None:
        rows = catch_all(load(), options.broken)
        sys.exit(0 if all(row["caught"] for row in rows) else 1)
    else:
        sys.exit(0 if prove(options.mode, options.only) else 1)


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/prove", description=__doc__)
    parser.add_argument("mode", nargs="?", default="quick", choices=["quick", "full", "write"])
    parser.add_argument("--only", choices=[part.name for part in PARTS] + ["fuzz", "breakages"])
    parser.add_argument("--broken", nargs="*", metavar="NAME")
    parser.add_argument("--break", dest="breaks", metavar="NAME")
    return parser.parse_args()


def load():
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {"parts": {}}


def save(results):
    order = [part.name for part in PARTS] + ["fuzz"]
    results["parts"] = dict(sorted(results["parts"].items(), key=lambda part: order.index(part[0])))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


def catch_all(results, names):
    """What was found of a breakage stands until it is made again, or is taken off the list."""
    known = {row["name"]: row for row in results.get("breakages", [])}

    def keep(row):
        known[row["name"]] = row
        results["breakages"] = [known[b["name"]] for b in breaking.breakages() if b["name"] in known]
        save(results)

    return breaking.catch_all(names, keep, say=lambda text: print(text, flush=True))


def prove(mode, only):
    """Each part by itself; what fails is told at the end, and stands in the figures."""
    results = load() if only else {"parts": {}, **{k: v for k, v in load().items() if k == "breakages"}}
    results.update(machine=machine.facts(ROOT), versions=versions())
    for part in PARTS:
        if only not in (None, part.name):
            continue
        results["parts"][part.name] = {**run_part(part, mode), "program": results["versions"]["undersigned"]}
        save(results)
    if mode == "full" and only in (None, "fuzz"):
        results["parts"]["fuzz"] = {**run_fuzz(), "program": results["versions"]["undersigned"]}
        save(results)
    if mode == "full" and only in (None, "breakages"):
        catch_all(results, [])
    report.write(results)
    failed = [name for name, part in results["parts"].items() if not part["holds"]]
    escaped = [row["name"] for row in results.get("breakages", []) if not row["caught"]]
    print("does not hold: " + ", ".join(failed + escaped) if failed or escaped else "all of it holds")
    return not failed and not escaped


def run_part(part, mode):
    figures = breaking.PLACE / f"{part.name}.jsonl"
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.unlink(missing_ok=True)
    env = {**os.environ, "UNDERSIGNED_PROOF": str(figures)}
    ran = timed(part.name, part.command(), {**env, **part.length_of(mode)}, figures, more=["--", "--show-output"])
    told = [f"{name}={value}" for name, value in part.length_of(mode).items()]
    return {**ran, "command": " ".join([*told, ran["command"]])}


def run_fuzz():
    return timed("fuzz", ["scripts/fuzz", str(FUZZ_SECONDS)], dict(os.environ), None)


def timed(name, command, env, figures, more=()):
    """`more` has tests that pass tell what they left out."""
    shown = " ".join(command)
    print(f"{name}: {shown}", flush=True)
    began = time.monotonic()
    ran = subprocess.run(
        [*command, *more], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    seconds = round(time.monotonic() - began)
    log = breaking.PLACE / f"{name}.log"
    log.write_text(ran.stdout)
    print(f"  {'holds' if ran.returncode == 0 else f'DOES NOT HOLD, see {log}'} ({seconds} s)", flush=True)
    lines = figures.read_text().splitlines() if figures and figures.exists() else []
    skipped = sorted({line for line in ran.stdout.splitlines() if line.startswith("skipped")})
    return {
        "command": shown, "holds": ran.returncode == 0, "seconds": seconds, "skipped": skipped,
        "tests": sum(int(n) for n in re.findall(r"^test result: .*? (\d+) passed", ran.stdout, re.MULTILINE)),
        "figures": [json.loads(line) for line in lines],
    }


def versions():
    def first_line(*command):
        try:
            ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            return ran.stdout.splitlines()[0].strip()
        except (OSError, subprocess.CalledProcessError, IndexError):
            return "none"

    commit = first_line("git", "rev-parse", "--short=12", "HEAD")
    is_changed = first_line("git", "status", "--porcelain", "--", "src", "Cargo.lock") != "none"
    return {
        "undersigned": commit + (" with changes" if is_changed else ""),
        "rustc": first_line("rustc", "--version").removeprefix("rustc "),
        "SQLite": sqlite_version(),
        "Postfix": first_line("postconf", "-dh", "mail_version"),
        "Python": first_line("python3", "--version").removeprefix("Python "),
    }


def sqlite_version():
    """Of the SQLite that is built in: its library's version in Cargo.lock, and what that carries."""
    asked = ["cargo", "metadata", "--locked", "--format-version", "1"]
    meta = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    for package in json.loads(meta.stdout or '{"packages": []}')["packages"]:
        if package["name"] == "libsqlite3-sys":
            header = Path(package["manifest_path"]).parent / "sqlite3" / "sqlite3.h"
            found = re.search(r'SQLITE_VERSION\s+"([^"]+)"', header.read_text()) if header.exists() else None
            return found[1] if found else f"of libsqlite3-sys {package['version']}"
    return "unknown"


if __name__ == "__main__":
    main()
