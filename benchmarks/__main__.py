"""Run every benchmark and write what it measured to ``docs/benchmarks.md``."""

from __future__ import annotations

from pathlib import Path

from benchmarks import race, start, step

PARTS = {"Starting": start, "One step": step, "A race": race}


def main() -> None:
    """Measure, print and write."""
    page = [
        "# Benchmarks",
        "",
        "Written by `make bench`; the scripts are in `benchmarks/`. Compare ratios within a table: machines differ and are noisy.",
        "",
    ]
    for title, part in PARTS.items():
        text = f"## {title}\n\n{part.run()}\n"
        print(text, flush=True)
        page.append(text)
    path = Path(__file__).parents[1] / "docs" / "benchmarks.md"
    path.write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    main()
