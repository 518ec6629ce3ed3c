"""One page of HTML: headings, captioned pictures and tables; no scripts, no network."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from corr.formats.atomic import replacing

STYLE = """
:root { --ink: #1c2430; --soft: #5b6675; --line: #dfe4ea; --paper: #ffffff; --wash: #f5f7f9;
  --accent: #0b6e6e; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--wash); color: var(--ink);
  font: 17px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 3.5rem 2rem 5rem; }
h1 { font: 600 2.6rem/1.15 Georgia, "Times New Roman", serif; letter-spacing: -.01em;
  margin: 0 0 .8rem; }
h2 { font: 600 1.7rem/1.25 Georgia, "Times New Roman", serif; margin: 4rem 0 .6rem;
  padding-top: 1.4rem; border-top: 2px solid var(--ink); }
p { max-width: 46rem; margin: .5rem 0 1rem; }
.lead { font-size: 1.15rem; color: var(--soft); }
.grid { display: grid; gap: 1.6rem; grid-template-columns: repeat(2, minmax(0, 1fr));
  margin-top: 1.6rem; }
figure { margin: 0; background: var(--paper); border: 1px solid var(--line); border-radius: 6px;
  overflow: hidden; display: flex; flex-direction: column; }
figure.wide { grid-column: 1 / -1; }
figure img { display: block; width: 100%; height: auto; background: #fff; }
figcaption { padding: .9rem 1.2rem 1.1rem; font-size: .95rem; color: var(--soft); }
figcaption b { color: var(--ink); font-size: 1.02rem; }
figcaption .numbers { display: block; color: var(--accent); font-weight: 600;
  font-variant-numeric: tabular-nums; }
code { font: .82rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
figcaption code { display: block; margin-top: .6rem; padding: .5rem .7rem; color: var(--ink);
  background: var(--wash); border-radius: 4px; }
figcaption code span { display: inline-block; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; background: var(--paper); margin: 1.6rem 0;
  font-variant-numeric: tabular-nums; }
th, td { padding: .5rem 1.1rem; text-align: right; border-bottom: 1px solid var(--line); }
th { font-size: .82rem; color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--ink); }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
table.dense { font-size: .85rem; }
.dense th, .dense td { padding: .4rem .55rem; }
footer { margin-top: 4rem; color: var(--soft); font-size: .88rem; }
@media (max-width: 55rem) { .grid { grid-template-columns: 1fr; } main { padding: 2rem 1rem; } }
"""

_MANY_COLUMNS = 8
"""A table with more is set smaller."""


@dataclass(frozen=True)
class Figure:
    """A picture and what to see in it."""

    file: str
    """Name of the picture in the folder of the page, or what `embedded` gives of it."""
    title: str
    caption: str
    numbers: str = ""
    command: str = ""
    """What makes the picture, typed in the folder of the page."""
    wide: bool = True
    """Whether it takes the whole width."""


@dataclass(frozen=True)
class Table:
    """Titles and rows of text."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """A heading, a paragraph, pictures."""

    title: str
    text: str
    figures: tuple[Figure, ...]
    table: Table | None = None
    """Between the paragraph and the pictures."""


@dataclass(frozen=True)
class Page:
    """All that a page shows."""

    title: str
    lead: str
    """What the page is."""
    table: Table | None
    """All numbers in one place, below the lead."""
    sections: tuple[Section, ...]
    foot: str
    """Sources and licences."""


def embedded(picture: UInt8[np.ndarray, "_ _ 3"]) -> str:
    """A picture as part of the page itself: a JPEG in a `data:` address."""
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(content, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()


def write_page(path: Path, page: Page) -> None:
    """Write the `.html` file; its pictures are named relative to its folder."""
    body = [
        f"<h1>{escape(page.title)}</h1>",
        f'<p class="lead">{escape(page.lead)}</p>',
        "" if page.table is None else _table(page.table),
        *(_section(section) for section in page.sections),
        f"<footer><p>{escape(page.foot)}</p></footer>",
    ]
    text = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(page.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _table(table: Table) -> str:
    dense = ' class="dense"' if len(table.titles) > _MANY_COLUMNS else ""
    head = "".join(f"<th>{escape(title)}</th>" for title in table.titles)
    rows = (
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    return (
        f'<div class="scroll"><table{dense}>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
        + "\n".join(rows)
        + "\n</tbody>\n</table></div>"
    )


def _section(section: Section) -> str:
    figures = "\n".join(_figure(figure) for figure in section.figures)
    table = "" if section.table is None else f"{_table(section.table)}\n"
    return (
        f"<section>\n<h2>{escape(section.title)}</h2>\n<p>{escape(section.text)}</p>\n{table}"
        f'<div class="grid">\n{figures}\n</div>\n</section>'
    )


def _figure(figure: Figure) -> str:
    numbers = f'<span class="numbers">{escape(figure.numbers)}</span>' if figure.numbers else ""
    words = (f"<span>{escape(word)}</span>" for word in figure.command.split())
    command = f"<code>{' '.join(words)}</code>" if figure.command else ""
    wide = ' class="wide"' if figure.wide else ""
    return (
        f'<figure{wide}>\n<img src="{escape(figure.file)}" alt="{escape(figure.title)}">\n'
        f"<figcaption><b>{escape(figure.title)}</b> {numbers}{escape(figure.caption)}{command}"
        "</figcaption>\n</figure>"
    )
