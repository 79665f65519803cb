#!/usr/bin/env python3
"""How fast letters go, beside what else sends mail: one run, one machine. See scripts/bench for how to call it.

It starts every program that it measures and every one that it sends to, on ports that the system gives, and ends them.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import contenders as all_contenders
import machine
import report
from contenders import HERE, Load
from processes import Between, Failed, Sink, find, run

RESULTS = HERE / "results.json"
ROUND_TRIP_MS = 50
DKIM_CONNECTIONS = GROWTH_CONNECTIONS = 10


@dataclass(frozen=True)
class Mode:
    """How much is measured. `share` is of the messages of a full run."""

    name: str
    repeats: int
    share: float
    connections: tuple
    growth: tuple
    resume: int
    run_limit: int = 240


FULL = Mode("full", 3, 1.0, (1, 10, 50), (10_000, 100_000, 1_000_000), 1_000_000)
QUICK = Mode("quick", 1, 0.2, (1, 10), (2_000, 20_000), 20_000)
TRIAL = Mode("trial", 1, 0.01, (1, 4), (200, 400), 500, 60)

# Messages of one run, over one connection and over more: some seconds for each.
LOOPBACK = {
    "undersigned": (10_000, 20_000),
    "smtp-source": (20_000, 60_000),
    "lettre": (400, 3_000),
    "nodemailer": (3_000, 6_000),
    "Python smtplib": (2_000, 4_000),
    "mailmerge": (300, 300),
}
# Messages a connection where each takes round trips: one, or several.
FAR = {"undersigned": 200, "smtp-source": 100, "lettre": 50, "nodemailer": 50, "Python smtplib": 50, "mailmerge": 15}


class Bench:
    def __init__(self, mode, folder):
        self.mode, self.folder = mode, folder
        self.contenders = [kind() for kind in KINDS]
        self.undersigned = self.contenders[0]
        self.results = {"mode": mode.name, "repeats": mode.repeats, "failed": []}

    def prepare(self):
        for contender in self.contenders:
            tell(f"getting {contender.name} ready")
            try:
                contender.ready()
            except (OSError, subprocess.CalledProcessError) as error:
                contender.why_not = f"it could not be installed: {getattr(error, 'stderr', None) or error}".strip()[:300]
        for needed in ("undersigned", "lettre"):  # lettre's program holds the proxies, too
            why = next(c.why_not for c in self.contenders if c.name == needed)
            if why:
                sys.exit(f"scripts/bench: {needed}: {why}")
        self.helper = next(c for c in self.contenders if c.name == "lettre").program
        self.results["versions"] = {c.name: c.version for c in self.contenders if not c.why_not}
        self.results["left_out"] = {c.name: c.why_not for c in self.contenders if c.why_not}
        self.results["machine"] = machine.facts(self.folder)

    def measure(self, parts):
        for part in parts:
            tell(f"{part}:")
            self.results[part] = PARTS[part](self)

    # What a sender talks to.

    @contextmanager
    def way(self, kind):
        """A sink, reached directly or through something; gives port and certificate."""
        with ExitStack() as stack:
            port, ca = stack.enter_context(Sink()).port, None
            if kind == "far":
                port = stack.enter_context(Between(self.helper, "delay", "--to", port, "--round-trip-ms", ROUND_TRIP_MS)).port
            if kind == "tls":
                ca = os.path.join(self.folder, "ca.pem")
                port = stack.enter_context(Between(self.helper, "front", "--to", port, "--ca", ca)).port
            yield port, ca

    def once(self, contender, way, connections, messages, dkim_key=None):
        """One run; messages a second and the peak memory, or nothing where it failed."""
        messages = max(2 * connections, int(messages) // 2 * 2)
        work = tempfile.mkdtemp(dir=self.folder)
        try:
            with self.way(way) as (port, ca):
                load = Load(port, connections, messages, ca, dkim_key)
                argv, more = contender.command(load, work)
                ran = run(argv, self.mode.run_limit, cwd=work, env={**os.environ, **more})
        except Failed as failure:
            self.results["failed"].append(f"{contender.name}, {way}, {connections} connections: {failure}")
            tell(f"  {contender.name}, {connections}: FAILED: {failure}")
            return None
        finally:
            shutil.rmtree(work)
        tell(f"  {contender.name}, {connections}: {messages / ran.seconds:.0f} messages/s, {ran.memory:.0f} MB")
        return messages / ran.seconds, ran.memory

    # The parts of a run.

    def compared(self, way, messages):
        """Every contender at every number of connections, taking turns; all repeats of each."""
        rates = {}
        for _ in range(self.mode.repeats):
            for connections in self.mode.connections:
                for contender in self.contenders:
                    if contender.why_not or (way == "tls" and not contender.has_tls):
                        continue
                    if connections > 1 and not contender.has_connections:
                        continue
                    got = self.once(contender, way, connections, messages(contender.name, connections))
                    if got:
                        rates.setdefault(contender.name, {}).setdefault(str(connections), []).append(got)
        return rates

    def loopback(self):
        return self.compared("loopback", lambda name, n: self.mode.share * LOOPBACK[name][n > 1])

    def far(self):
        return self.compared("far", lambda name, n: FAR[name] * n * max(self.mode.share, 0.2))

    def tls(self):
        return self.compared("tls", lambda name, n: self.mode.share * LOOPBACK[name][n > 1] / 2)

    def dkim(self):
        """With a signature on every message, beside what openssl says that the machine can sign."""
        key = os.path.join(self.folder, "dkim.pem")
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        rates = {"openssl": []}
        for _ in range(self.mode.repeats):
            signed = machine.signatures_a_second()
            rates["openssl"] += [signed] if signed else []
            for contender in [c for c in self.contenders if c.has_dkim and not c.why_not]:
                for name, with_key in ((contender.name, None), (f"{contender.name}, signed", key)):
                    messages = self.mode.share * LOOPBACK[contender.name][1]
                    got = self.once(contender, "loopback", DKIM_CONNECTIONS, messages, with_key)
                    rates.setdefault(name, []).extend([got[0]] if got else [])
        return rates

    def growth(self):
        """The same campaign, ten times and a hundred times as large; the largest once only."""
        found = {str(letters): [] for letters in self.mode.growth}
        for turn in range(self.mode.repeats):
            for letters in self.mode.growth:
                if turn > 0 and letters == max(self.mode.growth):
                    continue
                found[str(letters)] += self.grown(letters)
        return found

    def grown(self, letters):
        work = tempfile.mkdtemp(dir=self.folder)
        try:
            with self.way("loopback") as (port, _):
                argv, _ = self.undersigned.command(Load(port, GROWTH_CONNECTIONS, 2 * letters), work)
                ran = run(argv, max(120, letters // 500), cwd=work)
        except Failed as failure:
            self.results["failed"].append(f"{letters} letters: {failure}")
            return []
        finally:
            shutil.rmtree(work)
        tell(f"  {letters} letters: {ran.seconds:.1f} s, {ran.memory:.0f} MB")
        return [(ran.seconds, ran.memory)]

    def resume(self):
        """From the start of `send` until the first letter passes a proxy, in a campaign that is enrolled already."""
        letters, work = self.mode.resume, tempfile.mkdtemp(dir=self.folder)
        waits = []
        try:
            for turn in range(self.mode.repeats + 1):
                with Sink() as sink, Between(self.helper, "delay", "--to", sink.port, "--round-trip-ms", 0) as way:
                    load = Load(way.port, GROWTH_CONNECTIONS, 2 * letters)
                    if turn == 0:
                        argv, _ = self.undersigned.command(load, work)
                    self.undersigned.configure(work, load)
                    ran = run([*argv, "--limit", "100"], max(60, letters // 2000), cwd=work)
                    ms = (way.first_letter() - ran.began) * 1000
                tell(f"  {'first send' if turn == 0 else 'resumed'}: first letter after {ms:.0f} ms, {ran.memory:.0f} MB")
                waits.append((ms, ran.memory))
        except Failed as failure:
            self.results["failed"].append(f"resume: {failure}")
        finally:
            shutil.rmtree(work)
        return {"letters": letters, "first": waits[:1], "resumed": waits[1:]}


KINDS = [
    all_contenders.Undersigned,
    all_contenders.SmtpSource,
    all_contenders.Lettre,
    all_contenders.Nodemailer,
    all_contenders.Smtplib,
    all_contenders.Mailmerge,
]
PARTS = {
    "loopback": Bench.loopback,
    "far": Bench.far,
    "tls": Bench.tls,
    "dkim": Bench.dkim,
    "growth": Bench.growth,
    "resume": Bench.resume,
}


def tell(text):
    print(text, file=sys.stderr, flush=True)


def write_last():
    """Only a run of everything goes into the docs: figures of several runs must not stand side by side."""
    last = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if last.get("mode") != FULL.name or any(part not in last for part in PARTS):
        sys.exit("scripts/bench: the last run was not one of everything; run scripts/bench first")
    report.write(last)


def main():
    modes = {mode.name: mode for mode in (FULL, QUICK, TRIAL)}
    args = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    args.add_argument("mode", nargs="?", choices=[*modes, "write"], default="full")
    args.add_argument("--only", choices=list(PARTS), action="append", help="only this part; may be given again")
    args.add_argument("--repeats", type=int, help="of each measurement, instead of the mode's own number")
    args = args.parse_args()
    if args.mode == "write":
        write_last()
        return
    if not find("smtp-sink") and os.geteuid() == 0 and find("apt-get"):
        all_contenders.SmtpSource().ready()
    if not find("smtp-sink"):
        sys.exit("scripts/bench needs Postfix's smtp-sink (Debian: apt-get install postfix)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("scripts/bench: ended"))  # so that what was started is ended
    folder = tempfile.mkdtemp(prefix="work-", dir=HERE)  # not where a ledger would lie in memory
    try:
        mode = modes[args.mode]
        bench = Bench(replace(mode, repeats=args.repeats or mode.repeats), folder)
        bench.prepare()
        bench.measure(args.only or PARTS)
    finally:
        shutil.rmtree(folder)
    RESULTS.write_text(json.dumps(bench.results, indent=1))
    print(report.text(bench.results))


if __name__ == "__main__":
    main()
