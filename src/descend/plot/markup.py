"""HTML from text that comes from elsewhere: entries, columns of the user's data, causes.

All of it is escaped here.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence


def escaped(text: object) -> str:
    """Any text as HTML, also within a quoted attribute; control characters become a question mark.

    Parameters
    ----------
    text : object
        Turned into a string.

    Returns
    -------
    str
        Without markup.

    Examples
    --------
    >>> escaped("<b>'x'</b>")
    '&lt;b&gt;&#x27;x&#x27;&lt;/b&gt;'
    """
    shown = (mark if mark.isprintable() or mark in "\n\t" else "\ufffd" for mark in str(text))
    return html.escape("".join(shown))


def table(caption: str, head: Sequence[str], bodies: Iterable[Iterable[str]]) -> str:
    """A table that scrolls sideways on a small screen.

    Parameters
    ----------
    caption : str
        What it shows, as text.
    head : sequence of str
        Column heads as text; one that starts with ``#`` stands over numbers.
    bodies : iterable of iterables of str
        Groups of rows; a row is HTML.

    Returns
    -------
    str
        HTML.
    """
    heads = "".join(
        f'<th scope="col"{" class=numeric" if name[0] == "#" else ""}>{escaped(name.lstrip("#"))}'
        "</th>"
        for name in head
    )
    groups = "".join(f"<tbody>{''.join(rows)}</tbody>" for rows in bodies)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escaped(caption)}">'
        f"<table><caption><span>{escaped(caption)}</span></caption><thead><tr>{heads}</tr></thead>"
        f"{groups}</table></div>"
    )


def section(heading: str, content: str) -> str:
    """A headed part of the page.

    Parameters
    ----------
    heading : str
        Text.
    content : str
        HTML.

    Returns
    -------
    str
        HTML.
    """
    return f"<section><h2>{escaped(heading)}</h2>{content}</section>"
