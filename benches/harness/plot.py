"""The table as a picture: a bar for each ratio, and a mark for what there is to reach."""

from html import escape

WIDTH, LEFT, BAR, GAP = 1130, 600, 14, 8
COLOURS = {True: "#2f7d4f", False: "#b3452c", None: "#8a8f98"}


def svg(rows):
    """An SVG of the rows that have a ratio in which less is better."""
    rows = [row for row in rows if row.ratio and not row.more and not row.absolute and row.ratio < 3]
    top = max([1.5] + [max(row.value, row.target or 0) for row in rows]) * 1.05
    scale = (WIDTH - LEFT - 70) / top
    height = 50 + len(rows) * (BAR + GAP) + 30
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-size="13">turnkey / peer, less is better; '
        "the line marks what there is to reach</text>",
    ]
    bottom = 40 + len(rows) * (BAR + GAP)
    for tick in (0.5, 1.0, 1.5, 2.0, 2.5):
        if tick < top:
            x = LEFT + tick * scale
            out.append(f'<path d="M{x:.1f} 34V{bottom}" stroke="#ddd"/>')
            out.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick}</text>')
    for index, row in enumerate(rows):
        y = 38 + index * (BAR + GAP)
        colour = COLOURS[row.reached]
        label = escape(f"{row.case} / {row.peer}")
        out.append(f'<text x="{LEFT - 8}" y="{y + 11}" text-anchor="end">{label}</text>')
        width = row.value * scale
        out.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>')
        end = LEFT + width
        if row.target is not None:
            x = LEFT + row.target * scale
            out.append(f'<path d="M{x:.1f} {y - 2}v{BAR + 4}" stroke="#000" stroke-width="2"/>')
            # The mark is not to stand in the figure.
            end = x if end < x < end + 35 else end
        out.append(f'<text x="{end + 5:.1f}" y="{y + 11}">{row.value:.2f}</text>')
    out.append("</svg>\n")
    return "\n".join(out)
