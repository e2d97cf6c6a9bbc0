"""The report of a race: one HTML file that opens from a disk, asks the network for nothing and
shows all its tables without JavaScript.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from descend.errors import StoreError
from descend.lab.records import RaceResult
from descend.plot.markup import escaped, section
from descend.plot.tables import (
    facts_table,
    failure_table,
    standings_table,
    tuning_table,
)
from descend.plot.verdict import verdict
from descend.plot.wording import count, number, short


def write_report(result: RaceResult, path: str | os.PathLike[str]) -> Path:
    """Write the report of a race as one HTML file.

    The file appears whole or not at all: readers of an older report at ``path`` never see a part
    of the new one.

    Parameters
    ----------
    result : RaceResult
        The race.
    path : str or path
        Where to write, in a folder that exists.

    Returns
    -------
    Path
        Where the report is.

    Raises
    ------
    StoreError
        If the file cannot be written there.
    """
    target = Path(path)
    page = report_page(result).encode("utf-8", "replace")
    try:
        _replace(target, page)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreError(
            f"path of the report must be a file that can be written; got {str(target)!r} "
            f"({reason})."
        ) from error
    return target


def report_page(result: RaceResult) -> str:
    """The report of a race as HTML.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    str
        A whole page; figures, style and scripts are inside.
    """
    from descend.plot.figures import plotly_script  # both wake plotly
    from descend.plot.sections import figure_sections

    figures = figure_sections(result)
    specs = {name: figure.spec for name, figure in figures.items() if figure.spec}
    title = escaped(f"Race on {short(result.problem.title or result.problem.name, 120)}")
    scripts = (plotly_script(), _text("report.js"))
    body = "\n".join(_body(result, title, {name: figure.html for name, figure in figures.items()}))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{_text("report.css")}</style>
</head>
<body>
{body}
<script type="application/json" id="figures">{embedded(specs)}</script>
<script>{scripts[0]}</script>
<script>{scripts[1]}</script>
</body>
</html>
"""


def embedded(value: object) -> str:
    r"""JSON that may stand inside a ``script`` element.

    Parameters
    ----------
    value : object
        Dictionaries, lists, arrays, strings and numbers; nan and inf become null.

    Returns
    -------
    str
        Without ``<``, ``>``, ``&`` and without any character outside of ASCII.

    Examples
    --------
    >>> embedded({"name": "</script>"})
    '{"name": "\\u003c/script\\u003e"}'
    """
    text = json.dumps(_plain(value), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _body(result: RaceResult, title: str, figures: Mapping[str, str]) -> Iterator[str]:
    yield f"<header><h1>{title}</h1>"
    yield f'<p class="verdict">{escaped(verdict(result))}</p>'
    yield f'<p class="quiet">{escaped(_size(result))}</p>'
    yield "<noscript><p>Without JavaScript the figures stay empty; the tables hold the result."
    yield "</p></noscript></header><main>"
    yield section("Standings", standings_table(result))
    yield figures["differences"]
    yield section("What cannot be concluded", _sentences(result.cannot_conclude, _NOTHING_OPEN))
    yield from (figures[name] for name in ("curves", "pairs", "sensitivity", "budget"))
    yield section("What was tuned", tuning_table(result))
    yield section("Failures", failure_table(result) or "<p>Every run finished.</p>")
    yield section("The problem", _problem(result))
    yield section("How it was run", _how(result))
    yield "</main>"


_NOTHING_OPEN = "The race names nothing that it leaves open, on this problem and at this budget."


def _size(result: RaceResult) -> str:
    seeds = max((row.seeds for row in result.standings), default=0)
    trials = {run.key.trial for run in result.runs if run.key.phase == "tune"}
    return (
        f"{count(len(result.standings), 'entry')}, {count(len(trials), 'tuning trial')} each, "
        f"{count(seeds, 'fresh paired seed')}, {count(len(result.runs), 'run')}."
    )


def _problem(result: RaceResult) -> str:
    card = result.problem
    facts = [("name", card.name), ("score", card.score)]
    if card.test_metric:
        facts.append(("test score", card.test_metric))
    scale = "log10 of the score" if card.log_scale else "the score itself"
    table = facts_table(
        "What was minimised and measured", [*facts, ("compared", scale), *card.facts]
    )
    return table + _sentences(card.notes, "")


def _how(result: RaceResult) -> str:
    took = [("race", result.race_id), ("took", f"{number(result.seconds)} s")]
    if result.compile_seconds:
        took.append(("compilation, apart", f"{number(result.compile_seconds)} s"))
    return (
        "<p>The command that runs this race again:</p>"
        f'<pre><code id="command">{escaped(result.reproduce)}</code></pre>'
        f"{facts_table('Plan', result.plan.items())}"
        f"{facts_table('Software, hardware and fingerprints', [*took, *result.manifest.items()])}"
    )


def _sentences(sentences: tuple[str, ...], otherwise: str) -> str:
    if not sentences:
        return f"<p>{escaped(otherwise)}</p>" if otherwise else ""
    return f"<ul>{''.join(f'<li>{escaped(text)}</li>' for text in sentences)}</ul>"


def _policy(scripts: tuple[str, ...]) -> str:
    """Nothing but what is in the page; plotly writes style rules, hence their exception."""
    allowed = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


@cache
def _text(name: str) -> str:
    return files("descend.plot").joinpath(name).read_text("utf-8")


def _plain(value: object) -> object:
    """The value as JSON knows it."""
    if hasattr(value, "tolist"):  # arrays and numbers of numpy
        value = value.tolist()
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value


def _replace(target: Path, page: bytes) -> None:
    draft = target.with_name(f".report-{secrets.token_hex(8)}.html")
    try:
        with draft.open("xb") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
