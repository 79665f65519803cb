"""Breaks the program on purpose, one breakage at a time, and demands that the tests go red.

It works in a copy of the tracked source with a build folder of its own; the working tree is never touched. What is
broken and what must catch it is in breakages.toml; this file only carries it out.
"""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "target" / "proof"
COPY, BUILD, BROKEN, SAID = PLACE / "source", PLACE / "build", PLACE / "broken", PLACE / "said"
FEATURES = ["--features", "failpoints"]  # as `scripts/test` builds it, so that a test can kill the program at a named place
TEST_LIMIT = 300  # seconds; a test that hangs has gone red as well


def breakages():
    with open(ROOT / "proof" / "breakages.toml", "rb") as file:
        return tomllib.load(file)["breakage"]


def named(names):
    known = {breakage["name"]: breakage for breakage in breakages()}
    strangers = [name for name in names if name not in known]
    if strangers:
        sys.exit(f"no breakage is called {', '.join(strangers)}; there are: {', '.join(known)}")
    return [known[name] for name in names] or list(known.values())


def only_one():
    """Two runs in one copy would break each other's. The lock is held to the end of this program."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that cargo is ended and the copy mended
    PLACE.mkdir(parents=True, exist_ok=True)
    lock = open(PLACE / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"another run is at work in {PLACE}")
    return lock


def make_copy():
    """The tracked source as it is now. What has not changed keeps its time, so that cargo builds only what has."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    tracked = {name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()}
    for old in [path for path in COPY.rglob("*") if path.is_file()]:
        if str(old.relative_to(COPY)) not in tracked:
            old.unlink()
    for name in tracked:
        source, copy = ROOT / name, COPY / name
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
            os.utime(copy)


def cargo(args, limit=None):
    """Gives exit code and output; code None where it did not end in time, and then all of it is ended."""
    env = {"CARGO_PROFILE_DEV_DEBUG": "0", **os.environ, "CARGO_TARGET_DIR": str(BUILD), "CARGO_INCREMENTAL": "1"}
    for name in ("PROOF", "PROVE_SCHEDULES", "PROVE_WEEKS", "PROVE_SEED"):
        env.pop(f"UNDERSIGNED_{name}", None)
    program = subprocess.Popen(
        ["cargo", *args], cwd=COPY, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )
    try:
        out, _ = program.communicate(timeout=limit)
        return program.returncode, out
    except BaseException as why:
        os.killpg(program.pid, signal.SIGKILL)
        out = program.communicate()[0]
        if isinstance(why, subprocess.TimeoutExpired):
            return None, out
        raise


def tests_run(out):
    return sum(int(n) for n in re.findall(r"^running (\d+) tests?$", out, re.MULTILINE))


def run_tests(caught_by, name="unbroken"):
    """`green`, `red`, or why it proves neither. What the test said is kept, to see why it went red."""
    built, out = cargo(["test", "--locked", *FEATURES, "--quiet", "--no-run", *caught_by[:-1]])
    if built != 0:
        return "does not build:\n" + out
    code, out = cargo(["test", "--locked", *FEATURES, *caught_by], TEST_LIMIT)
    SAID.mkdir(exist_ok=True)
    (SAID / f"{name}.{caught_by[-1]}.log").write_text(out)
    if code is None:
        return "red"
    if tests_run(out) == 0:
        return "no such test ran:\n" + out
    return "green" if code == 0 else "red"


def tests_of(breakage):
    """Most breakages are caught by one test; the others have a list of them."""
    told = breakage["caught_by"]
    return [told] if isinstance(told[0], str) else told


def edits(breakage):
    """Most breakages are one edit and have it in themselves; the others have a list."""
    return breakage.get("edit", [breakage])


class Broken:
    """The copy with one breakage in it, until the end of the block."""

    def __init__(self, breakage):
        self.breakage, self.whole = breakage, {}

    def __enter__(self):
        for edit in edits(self.breakage):
            name, was = edit["file"], edit["was"]
            text = (COPY / name).read_text()
            if text.count(was) != 1:
                self.__exit__()
                sys.exit(f"{self.breakage['name']}: what it replaces stands {text.count(was)} times in {name}")
            self.whole.setdefault(name, text)
            (COPY / name).write_text(text.replace(was, edit["becomes"]))
        return self

    def __exit__(self, *_):
        for name, text in self.whole.items():
            (COPY / name).write_text(text)


def catch_all(names, keep, say=print):
    """Makes each breakage and runs what must catch it; each row is handed to `keep` as soon as it is known."""
    chosen = named(names)
    lock = only_one()
    make_copy()
    say("the unbroken copy must be green")
    ill = set()
    for test in sorted({tuple(test) for breakage in chosen for test in tests_of(breakage)}):
        result = run_tests(test)
        if result != "green":
            say(f"unbroken, `cargo test {' '.join(test)}` is not green, and proves nothing: {result}")
            ill.add(test[-1])
    say(f"{'breakage':44} {'seconds':>7}  caught by")
    rows = []
    for breakage in chosen:
        began = time.monotonic()
        with Broken(breakage):
            results = {
                test[-1]: "ill" if test[-1] in ill else run_tests(test, breakage["name"]) for test in tests_of(breakage)
            }
        escaped = {test: result for test, result in results.items() if result != "red"}
        rows.append({
            "name": breakage["name"], "why": breakage["why"], "caught_by": list(results),
            "caught": not escaped, "seconds": round(time.monotonic() - began), "date": time.strftime("%Y-%m-%d"),
        })
        if "ill" not in results.values():
            keep(rows[-1])
        not_by = "; ".join(f"NOT CAUGHT BY {test}: {result}" for test, result in escaped.items())
        say(f"{breakage['name']:44} {rows[-1]['seconds']:7}  {not_by or ', '.join(results)}")
    lock.close()
    return rows


def leave_broken(name):
    """Builds a broken program and says where it is."""
    breakage = named([name])[0]
    lock = only_one()
    make_copy()
    with Broken(breakage):
        # As for the tests, so that no library is built once more with other features.
        code, out = cargo(["test", "--locked", *FEATURES, "--quiet", "--no-run", "--test", "proof"])
    if code != 0:
        sys.exit("it does not build:\n" + out)
    folder = BROKEN / name
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "undersigned"
    shutil.copy(BUILD / "debug" / "undersigned", program)
    lock.close()
    print(f"broken on purpose ({breakage['why']}):\n{program}")
