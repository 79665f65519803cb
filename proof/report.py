"""Figures of the proof → docs/reliability.md, between its marks. It decides nothing, and must not leave out what failed."""

from pathlib import Path

import breaking

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"
COLUMNS = ("schedules", "kills", "faults", "lost", "twice", "in_doubt")
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


def number(figure, key):
    """Faults may be told by their kinds."""
    value = figure.get(key)
    return sum(value.values()) if isinstance(value, dict) else value


def total(found, key):
    return sum(number(figure, key) or 0 for figure in found)


def cell(figure, key):
    value = number(figure, key)
    return "" if value is None else f"{value:,}"


def totals(results):
    found = figures(results)
    if not found:
        return ""
    return (
        f"**{total(found, 'schedules'):,} schedules, {total(found, 'kills'):,} kills, {total(found, 'faults'):,} faults: "
        f"lost {total(found, 'lost')}, "
        f"sent twice without an order {total(found, 'twice')}, in doubt {total(found, 'in_doubt'):,}.**"
    )


def parts_table(results):
    rows = ["| proof | schedules | kills | faults | lost | twice without an order | in doubt | seconds | program | repeat it with |"]
    rows.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |")
    for name, part in results["parts"].items():
        prefix = "" if part["holds"] else "**does not hold:** "
        lines = part["figures"] or [{"proof": f"{name} (tests: {part['tests']})" if part["tests"] else name}]
        for figure in lines:
            cells = [cell(figure, key) for key in COLUMNS]
            seconds = figure.get("seconds", part["seconds"])
            last = [str(seconds), part["program"], f"`{part['command']}`"]
            rows.append("| " + " | ".join([prefix + figure["proof"], *cells, *last]) + " |")
    return "\n".join(rows)


def breakages_table(results):
    broken = results.get("breakages")
    if not broken:
        return ""
    listed = len(breaking.breakages())
    all_of = "all" if len(broken) == listed else f"{len(broken)}"
    rows = [
        f"Broken on purpose: of the {listed} breakages in the list {all_of} were made, and "
        f"{sum(row['caught'] for row in broken)} of these are caught, each by every test that is named.",
        "",
        "| breakage | what it breaks | caught by | seconds | on |",
        "| --- | --- | --- | ---: | --- |",
    ]
    for row in broken:
        caught = ", ".join(f"`{test}`" for test in row["caught_by"])
        caught = caught if row["caught"] else f"**not by all of** {caught}"
        rows.append(f"| {row['name']} | {row['why']} | {caught} | {row['seconds']} | {row['date']} |")
    return "\n".join(rows)


def left_out(results):
    lines = [f"{name}: {line}" for name, part in results["parts"].items() for line in part["skipped"]]
    return "Left out here:\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""
