# SPDX-License-Identifier: GPL-2.0-only
"""A group of rows as a picture: a bar for each, as long as its ratio to stock."""
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, STEP, TOP = 860, 300, 110, 26, 46
LONGEST = 1.5
COLOURS = {True: "#2f7d4f", False: "#b5452c", None: "#7a8590"}


def across(ratio):
    """Where a ratio is; what is longer than the picture ends at its edge."""
    return LEFT + (WIDTH - LEFT - RIGHT) * min(ratio, LONGEST) / LONGEST


def rule(x, bottom, style):
    return f'<line x1="{x:.1f}" y1="{TOP - 10}" x2="{x:.1f}" y2="{bottom}" {style}/>'


def bar(result, top):
    goal = result.row.at_most or result.row.at_least
    parts = [f'<text x="{LEFT - 10}" y="{top + 13}" text-anchor="end">{escape(result.row.title)}</text>',
             f'<rect x="{LEFT}" y="{top}" width="{across(result.ratio) - LEFT:.1f}" height="17" '
             f'fill="{COLOURS[result.met]}"/>',
             f'<text x="{across(result.ratio) + 6:.1f}" y="{top + 13}">{result.ratio:.3g}'
             f'{" " + result.verdict() if result.met is not None else ""}</text>']
    if goal:
        parts.append(f'<line x1="{across(goal):.1f}" y1="{top - 3}" x2="{across(goal):.1f}" y2="{top + 20}" '
                     'stroke="#111" stroke-width="2"/>')
    return parts


def draw(title, results):
    """-> the text of an SVG file; the thick marks are goals, the line is stock."""
    results = [r for r in results if r.ratio is not None]
    bottom = TOP + STEP * len(results)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{bottom + 12}" '
             'font-family="sans-serif" font-size="13">',
             f'<rect width="{WIDTH}" height="{bottom + 12}" fill="#fff"/>',
             f'<text x="10" y="22" font-size="16">{escape(title)}</text>',
             rule(across(1), bottom, 'stroke="#999" stroke-dasharray="4 3"')]
    for i, result in enumerate(results):
        parts += bar(result, TOP + STEP * i)
    return "\n".join(parts + ["</svg>", ""])
