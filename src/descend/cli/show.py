"""The part of the command that reads rules: ``descend rules`` and ``descend show``."""

from __future__ import annotations

import json as encoder
import re
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from descend.cli.stored import JSON, output_console
from descend.errors import StoreError, UnknownNameError

if TYPE_CHECKING:
    from rich.console import Console

    from descend._chain import Update
    from descend.cli.facts import Facts

_WIDE = 140
"""Columns from which on the rules are a table with all of its columns."""
_LEGEND = "B: bytes of state per element in float32; (names) are single numbers."


def rules_command(json: JSON = False) -> None:
    """List the rules: family, state, defaults, paper, and the same rule elsewhere."""
    from descend._catalogue import find_rule, list_rules
    from descend.cli.facts import facts

    rows = [facts(find_rule(name)) for name in list_rules()]
    if json:
        typer.echo(encoder.dumps({row.name: _without(asdict(row), "name") for row in rows}))
        return
    console = output_console()
    if console.width < _WIDE:
        typer.echo(_rules_text(rows, max(console.width, 40)), nl=False)
        return
    typer.echo(_printed(console, _rules_table(rows)), nl=False)


def _without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def _printed(console: Console, *things: Any) -> str:
    """What the console would print: echoed by us, a reader that goes away is no error."""
    with console.capture() as captured:
        for thing in things:
            console.print(thing)
    return captured.get()


def _table(*headings: str) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
    for heading in headings:
        right = heading in ("B", "default", "value")
        table.add_column(
            Text(heading),
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=heading in ("rule", "family", "B", "letter"),
        )
    return table


def _rules_table(rows: list[Facts]) -> Any:
    """One row per rule, with authors and year of its papers; ``descend show`` tells their titles."""
    from rich.text import Text

    table = _table("rule", "family", "state", "B", "hyperparameters", "paper", "same as")
    for row in rows:
        cells = [row.name, row.family, _state(row), str(row.bytes_per_element)]
        twins = ", ".join(dict.fromkeys(map(_short, row.twins)))
        table.add_row(*map(Text, [*cells, _settings(row), _authors(row.paper), twins]))
    table.caption = Text(_LEGEND)
    table.caption_justify = "left"
    return table


def _rules_text(rows: list[Facts], width: int) -> str:
    """Two lines or three per rule; papers and twins are left to wider terminals."""
    lines = []
    for row in rows:
        lines.append(f"{row.name}  [{_state(row)}; {row.bytes_per_element} B]")
        lines += textwrap.wrap(
            _settings(row) or "no hyperparameters", width, initial_indent="    ", subsequent_indent="    "
        )  # fmt: skip
    told = f"{_LEGEND} Families, papers and twins: descend show NAME, --json, or a wider terminal."
    return "\n".join([*lines, "", *textwrap.wrap(told, width)]) + "\n"


def _state(row: Facts) -> str:
    return ", ".join([*row.arrays, *(f"({name})" for name in row.scalars)]) or "–"


def _settings(row: Facts) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in row.defaults.items())


def _short(call: str) -> str:
    """``torch.optim.Adam(lr=0.001)`` as ``torch.Adam``."""
    return re.sub(r"\.(optim|optimizers|contrib)\.", ".", call.partition("(")[0])


def _authors(paper: str) -> str:
    """The authors and years of references: ``Kingma, Ba 2015``.

    >>> _authors('Kingma, Ba, "Adam", 2015, Algorithm 1; Reddi et al., "On the", 2018, eq. 2.')
    'Kingma, Ba 2015; Reddi et al. 2018'
    """
    found = re.findall(r'(?:^|; )([^";]+), "[^"]*", (?:[^;"]*?, )?(\d{4})', paper)
    return "; ".join(f"{names} {year}" for names, year in found) or paper


def show_command(
    rule: Annotated[
        str,
        typer.Argument(
            help="A rule, with settings or in a chain: adam, 'clip_norm > adam:lr=0.1', my.py:mine."
        ),
    ],
    latex: Annotated[bool, typer.Option("--latex", help="The formulas in LaTeX too.")] = False,
    kernel: Annotated[bool, typer.Option("--kernel", help="The generated kernels too.")] = False,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw its path on a ravine to this .png, .svg or .pdf.", metavar="PATH"),
    ] = None,
    json: JSON = False,
) -> None:
    """Show a rule: formulas, defaults and domains, state, paper; its kernel and its path if asked."""
    from descend.cli.facts import page

    if plot is not None:
        _check_picture(plot)
    update = _update(rule)
    told = page(update)
    drawn = None
    if plot is not None:
        from descend.plot.path import draw_path

        drawn = draw_path(update, plot)
    if json:
        told["path"] = None if drawn is None else asdict(drawn)
        typer.echo(encoder.dumps(told))
        return
    typer.echo(_page_text(told, latex=latex, kernel=kernel), nl=False)
    if drawn is not None:
        typer.echo(f"\n{drawn.sentence}\nPicture: {plot}")


def _update(text: str) -> Update:
    """The update that text names; a transform alone is shown with gradient descent."""
    from descend._catalogue import get_rule
    from descend._rule import TRANSFORMS, Transform

    name = text.partition(":")[0].strip()
    if ">" not in text and name in TRANSFORMS:
        text = f"{text} > sgd" if isinstance(TRANSFORMS[name], Transform) else f"sgd > {text}"
    try:
        return get_rule(text)
    except UnknownNameError as error:
        # the list of all names is another command's
        near = str(error).partition(" Known: ")[0]
        hint = "" if "Did you mean" in near else " Hint: descend rules lists them."
        raise UnknownNameError(near + hint) from None


def _check_picture(path: Path) -> None:
    if path.suffix not in (".png", ".svg", ".pdf") or not path.parent.is_dir() or path.is_dir():
        raise StoreError(
            f"the picture must be a .png, .svg or .pdf file in a folder; got {str(path)!r}."
        )


def _page_text(told: dict[str, Any], latex: bool, kernel: bool) -> str:
    """The page of a rule."""
    console = output_console()
    lines = [told["rule"], "", *(f"    {line}" for line in told["formulas"]), ""]
    lines += told["explained"] + ([""] if told["explained"] else [])
    if latex:
        lines += ["LaTeX:", "", *(f"    {line} \\\\" for line in told["latex"]), ""]
    for link in told["links"]:
        heading = [f"{link['name']} ({link['kind']})"] if len(told["links"]) > 1 else []
        lines += [*heading, link["doc"], ""]
    text = "\n".join(lines) + "\n"
    text += _printed(console, *_tables(told))
    text += f"\nState: {told['bytes_per_element']} bytes per element in float32"
    others = [s["name"] for s in told["states"] if s["kind"] == "other shape"]
    text += f", and {', '.join(others)} of other shapes." if others else "."
    text += "" if told["solution"] == "x" else f" The answer is {told['solution']}, not x."
    return text + "\n" + (_kernel_text(told["kernels"]) if kernel else "")


def _tables(told: dict[str, Any]) -> list[Any]:
    """Hyperparameters with their domains, and states."""
    from rich.text import Text

    tables = []
    settings = told["hyperparameters"]
    if settings:
        changed = any(h["value"] != h["default"] for h in settings)
        table = _table("hyperparameter", "letter", *(["value"] if changed else []), "default", "domain")  # fmt: skip
        for h in settings:
            value = [_number(h["value"])] if changed else []
            cells = [h["name"], h["letter"], *value, _number(h["default"])]
            table.add_row(
                *map(Text, [*cells, h["domain"].removeprefix("a float in ").removeprefix("a ")])
            )
        tables.append(table)
    if told["states"]:
        table = _table("state", "kind", "starts as")
        for s in told["states"]:
            table.add_row(*map(Text, [s["name"], s["kind"], _number(s["start"])]))
        tables += ["", table] if tables else [table]
    return tables


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _kernel_text(kernels: list[dict[str, Any]]) -> str:
    """Host scalars as assignments, then the loop, for each stage."""
    lines: list[str] = []
    for stage in kernels:
        kind = "a measuring pass" if stage["measures"] else "the update"
        if not stage["source"]:
            kind = "the states that are numbers"
        lines += ["", f"# once a step, on the host in float64, for {kind}"]
        lines += [f"{name} = {text}" for name, text in stage["scalars"].items()]
        if stage["source"]:
            lines += ["", stage["source"].rstrip()]
    return "\n".join(lines) + "\n"
