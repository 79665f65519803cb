"""Figures of a run → Markdown with ratios, and plots. It must not measure, and must not leave out what failed."""

from pathlib import Path
from statistics import median

import plot

DOCS = Path(__file__).resolve().parent.parent / "docs"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
OURS = "undersigned"
WAYS = {
    "loopback": ("On loopback", "benchmarks-loopback.svg"),
    "far": ("Over 50 ms of round trip", "benchmarks-far.svg"),
    "tls": ("With TLS", "benchmarks-tls.svg"),
}
RATE_LIMIT_FAR = 20  # one round trip of 50 ms a letter


def text(results):
    parts = [about(results), goals(results)]
    parts += [way_table(results, way) for way in WAYS if results.get(way)]
    parts += [part(results) for part in (dkim_table, growth_table, resume_table)]
    parts.append(failures(results))
    return "\n\n".join(part for part in parts if part)


def write(results):
    """Puts the tables between the marks of docs/benchmarks.md, and the plots beside it."""
    page = DOCS / "benchmarks.md"
    before, _, rest = page.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n\n{text(results)}\n\n{END}{after}")
    for name, picture in plots(results).items():
        (DOCS / name).write_text(picture)


def about(results):
    m = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    lines = [
        f"{m['date']}, a {results['mode']} run. {m['cores']} cores ({m['processor']}), {m['memory_gb']} GB, "
        f"{m['kernel']}, {m['disk']}; load of the machine before it began: {m['load']:.1f}.",
        f"{versions}.",
    ]
    lines += [f"Left out: {name}: {why}." for name, why in results["left_out"].items()]
    return "\n".join(lines)


# Figures.


def rates(results, way, name, connections):
    return [rate for rate, _ in results.get(way, {}).get(name, {}).get(str(connections), [])]


def rate(results, way, name, connections):
    found = rates(results, way, name, connections)
    return median(found) if found else None


def ratio(results, way, name, connections):
    ours, theirs = rate(results, way, OURS, connections), rate(results, way, name, connections)
    return ours / theirs if ours and theirs else None


def connections_of(results, way):
    return sorted({int(n) for found in results[way].values() for n in found})


def spread(figures, digits=0):
    if not figures:
        return "–"
    middle = f"{median(figures):,.{digits}f}"
    return middle if len(figures) == 1 else f"{middle} ({min(figures):,.{digits}f}–{max(figures):,.{digits}f})"


# Tables.


def table(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def way_table(results, way):
    title, picture = WAYS[way]
    numbers = connections_of(results, way)
    over = [f"{n} connection{'s' if n > 1 else ''}" for n in numbers]
    heads = ["messages/s", *over, f"{OURS} ÷ it, over {', '.join(map(str, numbers))}", "peak memory"]
    rows = []
    for name, found in results[way].items():
        ratios = [ratio(results, way, name, n) for n in numbers]
        ratios = "" if name == OURS else ", ".join(f"{r:.2f}" if r else "–" for r in ratios)
        memory = max(memory for runs in found.values() for _, memory in runs)
        rows.append([name, *(spread(rates(results, way, name, n)) for n in numbers), ratios, f"{memory:.0f} MB"])
    repeats = results["repeats"]
    notes = f"Median of {repeats} runs, with the least and the most." if repeats > 1 else "One run of each."
    if way == "far":
        each = [f"{rate(results, way, OURS, n) / n:.1f} over {n}" for n in numbers if rate(results, way, OURS, n)]
        notes += (
            f"\nMessages a second that one connection of {OURS} hands over: {', '.join(each)}; one round trip a "
            f"message would be {RATE_LIMIT_FAR}."
        )
    return f"### {title}\n\n{table(heads, rows)}\n\n{notes}\n\n![{title}]({picture})"


def dkim_table(results):
    found = results.get("dkim")
    if not found:
        return ""
    signed = median(found["openssl"]) if found["openssl"] else None
    rows = [["openssl speed rsa2048, all cores: signatures/s", spread(found["openssl"]), ""]]
    for name, figures in found.items():
        if name != "openssl":
            share = f"{median(figures) / signed:.2f}" if signed and figures else "–"
            rows.append([name, spread(figures), share])
    heads = ["over 10 connections", "messages/s", "÷ openssl"]
    return f"### With DKIM (RSA-2048)\n\n{table(heads, rows)}"


def growth_table(results):
    found = {int(n): runs for n, runs in results.get("growth", {}).items() if runs}
    if not found:
        return ""
    base = cost(found, min(found))
    rows = [
        [
            f"{letters:,}",
            spread([seconds for seconds, _ in runs], 1) + " s",
            f"{2 * letters / median(seconds for seconds, _ in runs):,.0f}",
            f"{cost(found, letters) / base:.2f}",
            f"{max(memory for _, memory in runs):.0f} MB",
        ]
        for letters, runs in sorted(found.items())
    ]
    heads = ["letters", "whole process", "messages/s", f"cost a letter ÷ that at {min(found):,}", "peak memory"]
    picture = "![How time and memory grow](benchmarks-growth.svg)"
    return f"### How time and memory grow\n\n{table(heads, rows)}\n\n{picture}"


def cost(found, letters):
    return median(seconds for seconds, _ in found[letters]) / letters


def resume_table(results):
    found = results.get("resume")
    if not found or not found["resumed"]:
        return ""
    rows = [
        [what, spread([ms for ms, _ in found[key]]) + " ms", f"{max(memory for _, memory in found[key]):.0f} MB"]
        for what, key in (("first `send`: all is planned and enrolled", "first"), ("`send` again: it goes on", "resumed"))
    ]
    heads = [f"{found['letters']:,} letters", "from the start to the first MAIL", "peak memory"]
    return f"### How soon it goes on\n\n{table(heads, rows)}"


def goals(results):
    rows = []

    def goal(what, figure, is_met, digits=2):
        if figure is not None:
            rows.append([what, f"{figure:,.{digits}f}", "met" if is_met(figure) else "**not met**"])

    for n in (10, 50):
        goal(f"÷ smtp-source, over {n}: at least 0.9", ratio(results, "loopback", "smtp-source", n), lambda r: r >= 0.9)
    for n in (1, 10, 50):
        goal(f"÷ nodemailer, over {n}: at least 6", ratio(results, "loopback", "nodemailer", n), lambda r: r >= 6)
    for n in (1, 10, 50):
        far = rate(results, "far", OURS, n)
        goal(f"messages/s a connection at 50 ms, over {n}: at least 15", far and far / n, lambda r: r >= 15, 1)
    dkim = results.get("dkim", {})
    if dkim.get("openssl") and dkim.get(f"{OURS}, signed"):
        share = median(dkim[f"{OURS}, signed"]) / median(dkim["openssl"])
        goal("signed messages ÷ openssl speed rsa2048, all cores: at least 0.8", share, lambda r: r >= 0.8)
    found = {int(n): runs for n, runs in results.get("growth", {}).items() if runs}
    if len(found) > 1:
        most, least = max(found), min(found)
        memory = max(memory for _, memory in found[most])
        goal(f"cost a letter at {most:,} ÷ that at {least:,}: at most 1.1", cost(found, most) / cost(found, least), lambda r: r <= 1.1)
        goal(f"peak memory at {most:,} letters, MB: under 150", memory, lambda r: r < 150, 0)
    resumed = (results.get("resume") or {}).get("resumed")
    if resumed:
        letters = results["resume"]["letters"]
        goal(f"going on among {letters:,}, ms to the first MAIL: at most 1,000", median(ms for ms, _ in resumed), lambda r: r <= 1000, 0)
    return "### Goals\n\n" + table(["goal", "measured", ""], rows) if rows else ""


def failures(results):
    if not results["failed"]:
        return ""
    return "### Runs that failed\n\n" + "\n".join(f"- {line.strip().splitlines()[0]}" for line in results["failed"])


def plots(results):
    pictures = {}
    for way, (title, picture) in WAYS.items():
        if not results.get(way):
            continue
        groups = [f"{n} connection{'s' if n > 1 else ''}" for n in connections_of(results, way)]
        series = {
            name: [rate(results, way, name, n) for n in connections_of(results, way)] for name in results[way]
        }
        pictures[picture] = plot.bars(f"{title}: messages a second", "messages/s (logarithmic)", groups, series)
    found = sorted((int(n), runs) for n, runs in results.get("growth", {}).items() if runs)
    if found:
        letters = [n for n, _ in found]
        times = [median(s for s, _ in runs) * 1000 / n for n, runs in found]
        memory = [max(m for _, m in runs) for _, runs in found]
        pictures["benchmarks-growth.svg"] = plot.lines(
            "How time and memory grow", "letters (logarithmic)", letters, {"ms a letter": times, "peak memory, MB": memory}
        )
    return pictures
