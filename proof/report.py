"""Figures of the proof → docs/reliability.md, between its marks. It decides nothing, and must not leave out what failed."""

from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"
COLUMNS = ("schedules", "faults", "lost", "twice", "in_doubt")
BEGIN, END = "<!-- proven: begin -->", "<!-- proven: end -->"


def write(results):
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{text(results)}\n\n{END}{after}")
    print(f"written: {PAGE}")


def text(results):
    parts = [about(results), totals(results), parts_table(results), breakages_table(results), left_out(results)]
    return "\n\n".join(part for part in parts if part)


def about(results):
    m = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return (
        f"{m['date']}. {m['cores']} cores ({m['processor']}), {m['memory_gb']} GB, "
        f"{m['kernel']}, {m['disk']}. {versions}."
    )


def figures(results):
    return [figure for part in results["parts"].values() for figure in part["figures"]]


def total(found, key):
    """A fault may also be told in words; then it is not counted."""
    return sum(figure[key] for figure in found if isinstance(figure.get(key), int))


def cell(value):
    return f"{value:,}" if isinstance(value, int) else str(value)


def totals(results):
    found = figures(results)
    if not found:
        return ""
    return (
        f"**{total(found, 'schedules'):,} schedules, {total(found, 'faults'):,} faults: lost {total(found, 'lost')}, "
        f"sent twice without an order {total(found, 'twice')}, in doubt {total(found, 'in_doubt'):,}.**"
    )


def parts_table(results):
    rows = ["| proof | schedules | faults | lost | twice without an order | in doubt | seconds | program | repeat it with |"]
    rows.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |")
    for name, part in results["parts"].items():
        prefix = "" if part["holds"] else "**does not hold:** "
        lines = part["figures"] or [{"proof": f"{name} (tests: {part['tests']})" if part["tests"] else name}]
        for figure in lines:
            cells = [cell(figure.get(key, "")) for key in COLUMNS]
            seconds = figure.get("seconds", part["seconds"])
            last = [str(seconds), part["program"], f"`{part['command']}`"]
            rows.append("| " + " | ".join([prefix + figure["proof"], *cells, *last]) + " |")
    return "\n".join(rows)


def breakages_table(results):
    broken = results.get("breakages")
    if not broken:
        return ""
    rows = [
        f"Broken on purpose ({broken['date']}): {sum(row['caught'] for row in broken['rows'])} of "
        f"{len(broken['rows'])} breakages are caught.",
        "",
        "| breakage | what it breaks | caught by | seconds |",
        "| --- | --- | --- | ---: |",
    ]
    for row in broken["rows"]:
        caught = f"`{row['caught_by']}`" if row["caught"] else "**nobody**"
        rows.append(f"| {row['name']} | {row['why']} | {caught} | {row['seconds']} |")
    return "\n".join(rows)


def left_out(results):
    lines = [f"{name}: {line}" for name, part in results["parts"].items() for line in part["skipped"]]
    return "Left out here:\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""
