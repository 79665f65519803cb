"""Plain SVG plots with axes, units, labels and a title. Knows nothing of what the figures mean."""

from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 860, 400
LEFT, RIGHT, TOP, BOTTOM = 80, 170, 56, 56
COLOURS = ["#1b5e9e", "#d9822b", "#4d8f3a", "#8e4b9e", "#b23b3b", "#6b6b6b"]
FONT = 'font-family="system-ui, sans-serif" font-size="12" fill="#222"'


def bars(title, y_label, groups, series):
    """A bar for every series in every group, on a logarithmic axis, each with its figure above it."""
    known = [value for values in series.values() for value in values if value]
    low, high = floor(log10(min(known))), max(ceil(log10(max(known))), floor(log10(min(known))) + 1)
    y = scale(low, high, HEIGHT - BOTTOM, TOP)
    body = [grid(y(power), f"{10**power:,}", WIDTH - RIGHT) for power in range(low, high + 1)]
    room = (WIDTH - LEFT - RIGHT) / len(groups)
    width = room * 0.86 / len(series)
    for place, group in enumerate(groups):
        start = LEFT + place * room + room * 0.07
        body.append(label(start + room * 0.43, HEIGHT - BOTTOM + 20, group, "middle"))
        for number, (colour, values) in enumerate(zip(COLOURS, series.values())):
            if not values[place]:
                continue
            x, top = start + number * width, y(log10(values[place]))
            body.append(f'<rect x="{x:.1f}" y="{top:.1f}" width="{width * 0.92:.1f}" '
                        f'height="{HEIGHT - BOTTOM - top:.1f}" fill="{colour}"/>')
            body.append(label(x + width * 0.46, top - 4, short(values[place]), "middle", 'font-size="10"'))
    body += [legend(number, name) for number, name in enumerate(series)]
    return picture(title, y_label, WIDTH, body)


def lines(title, x_label, xs, series):
    """A panel for every series, side by side, over one logarithmic axis; each axis of figures starts at nothing."""
    panel = (WIDTH - 20) / len(series)
    body = []
    for number, (name, values) in enumerate(series.items()):
        left, right = panel * number + LEFT, panel * (number + 1) - 30
        x = scale(log10(xs[0]), log10(xs[-1]) + 1e-9, left, right)
        y = scale(0, max(values) * 1.15, HEIGHT - BOTTOM, TOP)
        step = nice(max(values) / 4)
        ticks = [step * n for n in range(int(max(values) * 1.15 / step) + 1)]
        body += [grid(y(tick), f"{tick:.10g}", right, left) for tick in ticks]
        points = [(x(log10(at)), y(value)) for at, value in zip(xs, values)]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        body.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[number]}" stroke-width="2"/>')
        for (px, py), at, value in zip(points, xs, values):
            body.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="4" fill="{COLOURS[number]}"/>')
            body.append(label(px, py - 10, short(value), "middle"))
            body.append(label(px, HEIGHT - BOTTOM + 18, f"{at:,}", "middle"))
        body.append(label((left + right) / 2, HEIGHT - 14, x_label, "middle"))
        body.append(label(left - 50, TOP - 12, name, "start", 'font-weight="bold"'))
    return picture(title, "", WIDTH, body)


def scale(low, high, start, end):
    return lambda value: start + (value - low) / (high - low) * (end - start)


def nice(step):
    """The next of 1, 2, 5, 10, … that is not less."""
    power = 10 ** floor(log10(step))
    return next(power * n for n in (1, 2, 5, 10) if power * n >= step)


def short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def label(x, y, text, anchor, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {FONT if not more else more + " " + without_size(more)}>{escape(text)}</text>'


def without_size(more):
    return 'font-family="system-ui, sans-serif" fill="#222"' + ("" if "font-size" in more else ' font-size="12"')


def grid(y, text, right, left=LEFT):
    line = f'<line x1="{left:.1f}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
    return line + label(left - 8, y + 4, text, "end")


def legend(number, name):
    y = TOP + 20 * number
    box = f'<rect x="{WIDTH - RIGHT + 16}" y="{y - 10}" width="12" height="12" fill="{COLOURS[number]}"/>'
    return box + label(WIDTH - RIGHT + 34, y, name, "start")


def picture(title, y_label, width, body):
    heading = f'<text x="{width / 2}" y="24" text-anchor="middle" font-family="system-ui, sans-serif" font-size="16" fill="#222">{escape(title)}</text>'
    turned = f'<text transform="translate(20 {HEIGHT / 2}) rotate(-90)" text-anchor="middle" {FONT}>{escape(y_label)}</text>'
    inside = "\n".join([heading, turned, *body])
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" role="img" '
            f'aria-label="{escape(title)}">\n<rect width="100%" height="100%" fill="#fff"/>\n{inside}\n</svg>\n')
