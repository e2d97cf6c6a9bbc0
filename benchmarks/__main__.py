"""Run every benchmark and write what it measured to ``docs/benchmarks.md`` and ``docs/speed.md``.

``python -m benchmarks start step`` runs only those parts.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import minimizers, optimizers, race, start, step

PAGES = {
    "benchmarks": (
        "Benchmarks",
        {"start": ("Starting", start), "step": ("One step", step), "race": ("A race", race)},
    ),
    "speed": (
        "Speed of every shape",
        {"optimizers": ("Optimizers against their peers", optimizers)},
    ),
    "minimizers-benchmark": ("Minimizers", {"minimizers": ("Against SciPy", minimizers)}),
}
NOTE = "Written by `make bench`; the scripts are in `benchmarks/`. Compare ratios within a table: machines differ and are noisy."


def main(wanted: list[str]) -> None:
    """Measure, print, and write the pages of which every part was measured."""
    for page, (heading, parts) in PAGES.items():
        texts = [f"# {heading}\n\n{NOTE}\n"]
        for name, (title, part) in parts.items():
            if not wanted or name in wanted:
                texts.append(f"## {title}\n\n{part.run()}\n")
                print(texts[-1], flush=True)
        if len(texts) == 1 + len(parts):
            path = Path(__file__).parents[1] / "docs" / f"{page}.md"
            path.write_text("\n".join(texts), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
