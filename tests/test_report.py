"""The report of a race: whole, offline, escaped, and equal to the numbers it was given."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from descend.errors import StoreError
from descend.lab.records import (
    Curve,
    Phase,
    ProblemCard,
    RaceResult,
    Run,
    RunKey,
    Standing,
    Status,
)
from descend.plot import curves, figures
from descend.plot.looks import styles as looks_of
from descend.plot.report import embedded, report_page, write_report
from descend.plot.verdict import verdict

HOSTILE = '<script>alert(1)</script>"\'&</script><!--\u2028<a href="http://evil.example/">x</a>'
VOID = {"meta", "link", "br", "img", "hr", "input"}
EMPTY = Curve(np.empty(0, dtype=np.int64), np.empty(0))


class Page(HTMLParser):
    """Checks nesting while it reads, and keeps what the tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.tables: dict[str, list[list[list[str]]]] = {}  # caption: bodies of rows of cells
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in VOID:
            return
        self.open.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        elif tag == "caption":
            self.caption = ""
        elif tag == "tbody":
            self.tables.setdefault(self.caption, []).append([])
        elif tag == "tr" and "tbody" in self.open:
            self.tables[self.caption][-1].append([])
        elif tag in ("td", "th") and "tbody" in self.open:
            self.tables[self.caption][-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            attrs, before = self.scripts[-1]
            self.scripts[-1] = (attrs, before + data)
            return
        if self.open and self.open[-1] == "style":
            return
        self.text += data
        if "caption" in self.open:
            self.caption += data
        elif "tbody" in self.open and ("td" in self.open or "th" in self.open):
            self.tables[self.caption][-1][-1][-1] += data

    def bodies(self, start: str) -> list[list[list[str]]]:
        found = [bodies for caption, bodies in self.tables.items() if caption.startswith(start)]
        assert len(found) < 2
        return found[0] if found else []  # a table without rows has no body

    def values(self) -> list[float]:
        return [float(attrs["value"] or "x") for tag, attrs in self.elements if tag == "data"]


def run(entry: str, phase: Phase, trial: int, seed: int, score: float, **given: Any) -> Run:
    """A run that falls from 2.3 to ``score``; ``inf`` is one that diverged half way."""
    finished = math.isfinite(score)
    steps = np.arange(0, 2001 if finished else 1001, 100)
    end = score if finished else 2.4
    status: Status = "finished" if finished else "diverged"
    fields: dict[str, Any] = {
        "settings": {},
        "cause": "" if finished else "The loss became nan at step 1012.",
        "test": 0.1 if phase == "fresh" and finished else math.nan,
        "curve": Curve(steps, end + (2.3 - end) * np.exp(-steps / 300.0)),
    }
    fields.update(given)
    return Run(RunKey(entry, phase, trial, seed), status=status, score=score,
               evaluations=int(steps[-1]), seconds=0.5, **fields)  # fmt: skip


def standing(entry: str, group: int, place: float, scores: list[float], lr: float) -> Standing:
    """A row whose difference is ``place``; the other numbers derive from the scores."""
    low, middle, high = (curves.quantile(scores, q) for q in (0.25, 0.5, 0.75))
    failures = sum(math.isinf(score) for score in scores)
    mean = float(np.mean(scores))
    return Standing(
        entry=entry, group=group, trial=1, settings={"lr": lr}, text=f"{entry}:lr={lr:g}", mean=mean,
        median=middle, quartiles=(low, high), last=middle + 0.05, difference=place,
        interval=(place - 0.01, place + 0.012) if place else (0.0, 0.0),
        p_value=1.0 if group == 1 else 0.0117, failures=failures, tuning_failures=1,
        seeds=len(scores), default_score=middle + 0.11, tuned_score=middle - 0.003,
        test=0.0421 + place, at_edge=("lr",) if entry == "lion" else (),
    )  # fmt: skip


def race(
    entries: dict[str, tuple[int, float, float]],
    seeds: int = 10,
    trials: int = 9,
    card: dict[str, Any] | None = None,
) -> RaceResult:
    """A race from each entry's group, difference to the leader and score; inf fails always."""
    rng = np.random.default_rng(3)
    noise = 0.01 * rng.standard_normal(seeds)
    rows, runs = [], []
    for entry, (group, difference, score) in entries.items():
        best = 10 ** rng.uniform(-3.5, -1.5)
        own = 0.004 * rng.standard_normal(seeds)
        scores = [float(score + a + b) for a, b in zip(noise, own, strict=True)]
        rows.append(standing(entry, group, difference, scores, best))
        runs += [run(entry, "fresh", 1, seed, value) for seed, value in enumerate(scores)]
        for trial, lr in enumerate(np.geomspace(best / 100, best * 100, trials), start=1):
            value = score + 0.1 * math.log10(lr / best) ** 2
            settings = {} if trial == 1 else {"lr": float(lr)}
            value = math.inf if trial == trials else value
            runs.append(run(entry, "tune", trial, 1000, value, settings=settings))
    problem = ProblemCard(
        name="digits", title="handwritten digits, mlp:64,64", metric="validation log loss",
        log_scale=False, facts=(("model", "mlp:64,64"), ("batch", "32")),
        notes=("Columns were standardised.",), test_metric="test error",
    )  # fmt: skip
    names = tuple(entries)
    return RaceResult(
        race_id=7, problem=replace(problem, **(card or {})), standings=tuple(rows),
        runs=tuple(runs), tuned=dict.fromkeys(names, ("lr",)),
        space={name: {"lr": (1e-5, 1.0)} for name in names},
        plan={"budget": trials, "seeds": seeds, "seed": 0, "entries": list(names),
              "defaults": {name: {"lr": 1e-3, "beta1": 0.9} for name in names}},
        manifest={"python": "3.11.9", "packages": {"numpy": "2.4.6"}, "cores": 2},
        cannot_conclude=("Whether adam beats nadam: 6 more seeds probably would.",),
        reproduce="descend race digits adam nadam --budget 9 --seeds 10 --seed 0", seconds=83.2,
    )  # fmt: skip


FOUR = {
    "adam": (1, 0.0, 0.21),
    "nadam": (1, 0.004, 0.214),
    "lion": (2, 0.03, 0.24),
    "sgd": (3, 2.0, math.inf),
}


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports without plotly's 5 MB, which the tests would spend their time reading."""
    monkeypatch.setattr(figures, "plotly_script", lambda: "0")


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(report_page(race(FOUR)))


def rows(page: Page) -> list[list[str]]:
    return [row for body in page.bodies("Standings") for row in body]


def with_runs(result: RaceResult, **changes: Any) -> RaceResult:
    return replace(result, runs=tuple(replace(run, **changes) for run in result.runs))


def test_a_report_is_one_well_formed_page(page: Page) -> None:
    tags = [tag for tag, _ in page.elements]
    assert tags[0] == "html" and tags.count("h1") == 1 and tags.count("main") == 1
    assert tags.count("h2") == 11
    assert tags.count("noscript") == 1
    assert all(attrs.get("scope") in ("col", "row") for tag, attrs in page.elements if tag == "th")
    assert tags.count("caption") == tags.count("table")


def test_nothing_in_the_page_asks_for_another_address(page: Page) -> None:
    for tag, attrs in page.elements:
        assert not {"src", "href", "srcset", "action", "data", "poster"} & attrs.keys(), (
            tag,
            attrs,
        )
        assert tag not in ("iframe", "object", "embed", "base", "form", "link")
    styles = report_page(race(FOUR)).split("<style>")[1].split("</style>")[0]
    assert "url(" not in styles and "@import" not in styles


def test_the_policy_allows_the_two_scripts_of_the_page_and_nothing_else(page: Page) -> None:
    (policy,) = [
        attrs["content"] or ""
        for tag, attrs in page.elements
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    directives = {part.split()[0]: part.split()[1:] for part in policy.split(";")}
    scripts = [text for attrs, text in page.scripts if "type" not in attrs]
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    ]
    assert len(scripts) == 2
    assert directives == {
        "default-src": ["'none'"],
        "script-src": hashes,
        "style-src": ["'unsafe-inline'"],
        "img-src": ["data:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }


def test_the_policy_stands_before_every_script_and_style(page: Page) -> None:
    tags = [(tag, "http-equiv" in attrs) for tag, attrs in page.elements]
    place = tags.index(("meta", True))
    assert {tag for tag, _ in tags[:place]} == {"html", "head", "meta"}


def test_the_figures_offer_no_upload(page: Page) -> None:
    # plotly.js 4 shows a "Share chart" button unless it is told not to
    script = page.scripts[-1][1]
    assert "showSendToCloud: false" in script and 'plotlyServerURL: ""' in script
    assert "modeBarButtons: [[" in script and "sendChartToCloud" not in script


@pytest.mark.usefixtures("light")
def test_hostile_text_is_shown_and_never_obeyed() -> None:
    result = race({HOSTILE: (1, 0.0, 0.2), "adam": (2, 0.1, 0.3)})
    card = replace(result.problem, name=HOSTILE, title=HOSTILE, metric=HOSTILE,
                   facts=((HOSTILE, HOSTILE),), notes=(HOSTILE,), test_metric=HOSTILE)  # fmt: skip
    first = replace(result.standings[0], text=HOSTILE, at_edge=(HOSTILE,), settings={HOSTILE: 1.0})
    result = replace(
        with_runs(result, cause=HOSTILE), problem=card, reproduce=HOSTILE,
        standings=(first, *result.standings[1:]), tuned={HOSTILE: (HOSTILE,)},
        plan={HOSTILE: HOSTILE, "more": [HOSTILE]}, manifest={HOSTILE: {HOSTILE: HOSTILE}},
        cannot_conclude=(HOSTILE,),
    )  # fmt: skip
    text = report_page(result)
    hostile = Page(text)
    plain = Page(report_page(race({"lion": (1, 0.0, 0.2), "adam": (2, 0.1, 0.3)})))
    assert len(hostile.scripts) == len(plain.scripts) == 3
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in plain.elements} | {"span"}
    assert "<script>alert" not in text and "<a href" not in text and "\u2028" not in text
    assert "<!--" not in text
    assert hostile.text.count("<script>alert(1)</script>\"'&</script><!--") > 10
    assert not any(name.startswith("on") for _, attrs in hostile.elements for name in attrs)


def test_figures_show_markup_in_names_letter_by_letter() -> None:
    result = race({HOSTILE: (1, 0.0, 0.2), "adam": (2, 0.1, 0.3)})
    for draw in (figures.difference_figure, figures.curve_figure, figures.sensitivity_figure,
                 figures.budget_figure, figures.paired_figure):  # fmt: skip
        assert "<" not in str(draw(result).to_dict())


def test_embedded_json_cannot_end_its_script_and_keeps_its_value() -> None:
    value = {"x": [1.5, math.nan, -math.inf], "y": np.array([1, 2]), HOSTILE: (HOSTILE, True, None)}
    text = embedded(value)
    assert not set(text) & set("<>&\u2028") and text.isascii()
    assert json.loads(text) == {"x": [1.5, None, None], "y": [1, 2], HOSTILE: [HOSTILE, True, None]}


def test_each_entry_stands_once_in_its_group(page: Page) -> None:
    bodies = page.bodies("Standings")
    assert [[(row[0], row[1]) for row in body] for body in bodies] == [
        [("1", "adam"), ("1", "nadam")],
        [("2", "lion")],
        [("3", "sgd")],
    ]


def test_the_standings_hold_the_numbers_they_were_given(page: Page) -> None:
    expected = [
        value
        for row in race(FOUR).standings
        for value in (row.median, row.difference, row.p_value, row.default_score,
                      row.last, row.test)
    ]  # fmt: skip
    assert page.values() == expected


def test_the_standings_are_rounded_for_reading(page: Page) -> None:
    adam, nadam, lion, sgd = rows(page)
    assert adam[4:6] == ["leader", "–"] and adam[6] == "0 of 10tuning: 1"
    assert nadam[4:6] == ["+0.004−0.006 to +0.016", "1.000"]
    assert lion[2].endswith("lr at the edge of its interval")
    assert lion[4:6] == ["+0.03+0.02 to +0.042", "0.012"]
    assert sgd[3] == "failed" and sgd[4].endswith("failures charged")
    assert sgd[6].startswith("10 of 10") and sgd[7:9] == ["failed", "failed"]
    assert lion[9] == "0.0721"


def test_the_verdict_names_ties_distances_and_failures() -> None:
    result = race(FOUR)
    adam, nadam, lion, sgd = (f"{row.settings['lr']:.3g}" for row in result.standings)
    assert verdict(result) == (
        f"adam at lr={adam} scored best; nadam at lr={nadam} is not separated from it; lion is 0.03 worse "
        f"(95 % interval, unadjusted: +0.02 to +0.042) at lr={lion}; sgd failed on 10 of 10 seeds at lr={sgd}."
    )


def test_the_verdict_calls_a_tie_only_what_does_not_differ() -> None:
    same = race({"adam": (1, 0.0, 0.21), "nadam": (1, 0.0, 0.21), "sgd": (2, 0.1, 0.31)})
    assert "adam at lr=" in verdict(same)
    assert " tie for best; sgd is 0.1 worse" in verdict(same)
    three = race({"adam": (1, 0.0, 0.2), "nadam": (1, 0.004, 0.2), "lion": (1, 0.005, 0.2)})
    assert "are not separated from it." in verdict(three)
    assert "tie" not in verdict(three)


def test_a_later_place_in_an_earlier_group_stands_in_its_place() -> None:
    mixed = race({"adam": (1, 0.0, 0.2), "lion": (2, 0.03, 0.2), "sgd": (1, 0.04, 0.2)})
    bodies = Page(report_page(mixed)).bodies("Standings")
    assert [[row[1] for row in body] for body in bodies] == [["adam"], ["lion"], ["sgd"]]
    assert "adam" in verdict(mixed).partition(";")[0]


def test_only_the_selected_trial_is_drawn_and_compared() -> None:
    result = race(TWO)
    untuned = tuple(run(name, "fresh", 2, seed, 5.0) for name in TWO for seed in range(10))
    more = replace(result, runs=(*result.runs, *untuned))
    assert np.array_equal(curves.paired_scores(more).scores, curves.paired_scores(result).scores)
    before, after = curves.curve_bands(result)[0], curves.curve_bands(more)[0]
    assert np.array_equal(before.median, after.median)


@pytest.mark.usefixtures("light")
def test_where_nobody_finished_nobody_leads() -> None:
    adam, _ = rows(Page(report_page(race(ALL_FAILED))))
    assert adam[4] == "–"


def test_the_verdict_speaks_of_factors_where_scores_span_decades() -> None:
    result = race({"adam": (1, 0.0, 0.2), "sgd": (2, 2.0, 20.0)}, card={"log_scale": True})
    # 10^2 = 100; the interval is 1.99 to 2.012 decades
    assert (
        "sgd scores 100 times as much as adam (95 % interval, unadjusted: ×97.7 to ×103)"
        in verdict(result)
    )


def test_the_verdict_claims_nothing_without_a_test() -> None:
    assert "raced alone" in verdict(race({"adam": (1, 0.0, 0.2)}))
    assert "one seed does not allow a test" in verdict(race(FOUR, seeds=1))
    nobody = race({"adam": (1, 0.0, math.inf), "sgd": (1, 0.0, math.inf)})
    assert verdict(nobody) == "No entry finished on any fresh seed: nothing can be compared."


def test_failures_with_one_cause_share_a_row(page: Page) -> None:
    (body,) = page.bodies("22 runs of 76 did not finish")
    assert [(row[0], row[1], row[3]) for row in body] == [
        ("adam", "diverged", "1"),
        ("nadam", "diverged", "1"),
        ("lion", "diverged", "1"),
        ("sgd", "diverged", "19"),  # ten fresh seeds and nine trials
    ]
    assert body[0][2] == "The loss became nan at step 1012."
    assert body[0][4].startswith("trial 9, seed 1000: lr=")
    assert "and 14 more" in body[3][4]


@pytest.mark.usefixtures("light")
def test_an_endless_cause_is_cut_and_its_length_told() -> None:
    text = report_page(with_runs(race(FOUR), cause="x" * 100_000))
    assert "x" * 300 in text and "x" * 500 not in text
    assert "(100000 characters)" in text


def test_the_page_says_what_was_tuned_and_what_stays_open(page: Page) -> None:
    adam = page.bodies("Intervals are searched")[0][0]
    assert adam[:4] == ["adam", "lr 1e-5 to 1", "beta1=0.9", "9"]
    assert "Whether adam beats nadam: 6 more seeds probably would." in page.text
    assert "descend race digits adam nadam --budget 9 --seeds 10 --seed 0" in page.text
    assert "Columns were standardised." in page.text and "2.4.6" in page.text


LONE = {"adam": (1, 0.0, 0.2)}
TWO = {"adam": (1, 0.0, 0.2), "sgd": (2, 0.1, 0.3)}
ALL_FAILED = {"adam": (1, 0.0, math.inf), "sgd": (1, 0.0, math.inf)}
TWENTY = {f"entry {place}": (1 + place // 7, 0.01 * place, 0.2) for place in range(20)}


def zeros() -> RaceResult:
    result = race(TWO, card={"log_scale": True, "test_metric": ""})
    scores = {0: 0.0, 1: 1e-12, 2: 0.5}
    return replace(result, runs=tuple(
        replace(run, score=scores.get(run.key.seed, run.score),
                curve=replace(run.curve, score=np.maximum(run.curve.score - 0.3, 0.0)))
        for run in result.runs))  # fmt: skip


EDGES: dict[str, Callable[[], RaceResult]] = {
    "one entry": lambda: race(LONE),
    "twenty entries": lambda: race(TWENTY),
    "all failed": lambda: race(ALL_FAILED),
    "one seed": lambda: race(TWO, seeds=1),
    "no tuning": lambda: race(TWO, trials=0),
    "no fresh runs": lambda: replace(
        race(TWO), runs=tuple(run for run in race(TWO).runs if run.key.phase == "tune")
    ),
    "no runs at all": lambda: replace(race(TWO), runs=()),
    "no curves": lambda: with_runs(race(TWO), curve=EMPTY),
    "no test data": lambda: race(TWO, card={"test_metric": ""}),
    "zeros on a log scale": zeros,
    "no known lr": lambda: replace(with_runs(race(TWO), settings={}), plan={}),
    "nothing but names": lambda: replace(
        race(TWO), plan={}, manifest={}, tuned={}, space={}, cannot_conclude=(), reproduce=""
    ),
    "no entries": lambda: replace(race(LONE), standings=()),
    "unknown numbers": lambda: replace(race(LONE), standings=(
        replace(race(LONE).standings[0], p_value=math.nan, interval=(math.nan, math.nan)),)),
    "no intervals": lambda: replace(race(TWO), standings=tuple(
        replace(row, p_value=math.nan, interval=(math.nan, math.nan))
        for row in race(TWO).standings)),
    "an open interval": lambda: replace(race(TWO), standings=tuple(
        replace(row, interval=(-math.inf, math.inf)) for row in race(TWO).standings)),
    "a score beyond all bounds": lambda: with_runs(race(TWO), score=1e300),
    "a lone surrogate": lambda: replace(race(TWO), reproduce="race \ud800"),
}  # fmt: skip


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize("case", EDGES)
def test_odd_races_have_reports_too(case: str) -> None:
    result = EDGES[case]()
    page = Page(report_page(result))
    assert [row[1] for row in rows(page)] == [row.entry for row in result.standings]
    for spec in json.loads(page.scripts[0][1]).values():
        assert spec["data"]
        ranges = [
            axis.get("range", [0, 0]) for name, axis in spec["layout"].items() if "axis" in name
        ]
        assert all(None not in ends for ends in ranges)


def test_entries_keep_their_looks_in_all_figures_and_differ_from_each_other() -> None:
    result = race(TWENTY)
    looks: dict[str, set[str]] = {}
    for draw in (figures.curve_figure, figures.sensitivity_figure, figures.budget_figure,
                 figures.paired_figure, figures.difference_figure):  # fmt: skip
        for trace in draw(result).data:
            if trace.name:
                looks.setdefault(trace.name, set()).add(trace.marker.color)
    assert len(looks) == 20
    assert all(len(colours) == 1 for colours in looks.values())
    styles = looks_of(result)
    assert len(set(styles.values())) == 20


def test_the_band_counts_failed_runs_as_worst() -> None:
    curve = Curve(np.array([0, 10, 20]), np.array([4.0, 2.0, 1.0]))
    short = Curve(np.array([0, 10]), np.array([8.0, 6.0]))
    runs = (
        run("adam", "fresh", 1, 0, 1.0, curve=curve),
        run("adam", "fresh", 1, 1, 2.0, curve=replace(curve, score=curve.score + 1)),
        run("adam", "fresh", 1, 2, math.inf, curve=short),
    )
    (band,) = curves.curve_bands(replace(race(LONE), runs=runs))
    assert band.evaluations.tolist() == [0, 10, 20] and band.runs == 3
    assert band.median.tolist() == [5.0, 3.0, 2.0]  # of 4 5 8, then 2 3 6, then 1 2 inf
    assert band.low.tolist() == [4.5, 2.5, 1.5]
    assert band.high.tolist() == [6.5, 4.5, math.inf]


def test_a_run_keeps_its_score_until_its_next_checkpoint() -> None:
    coarse = Curve(np.array([0, 20]), np.array([4.0, 1.0]))
    fine = Curve(np.array([0, 10]), np.array([4.0, 2.0]))
    runs = (
        run("adam", "fresh", 1, 0, 1.0, curve=coarse),
        run("adam", "fresh", 1, 1, 2.0, curve=fine),
    )
    (band,) = curves.curve_bands(replace(race(LONE), runs=runs))
    assert band.median.tolist() == [4.0, 3.0, 1.5]  # (4+4)/2, (4+2)/2, (1+2)/2


def test_the_default_trial_stands_at_the_default_learning_rate() -> None:
    (trials,) = curves.lr_trials(race(LONE, trials=3))
    assert 1e-3 in trials.lr.tolist() and sorted(trials.lr.tolist()) == trials.lr.tolist()
    (trials,) = curves.lr_trials(replace(race(LONE, trials=3), plan={}))
    assert len(trials.lr) == 2


def test_paired_scores_keep_failures_and_gaps_apart() -> None:
    runs = (
        run("adam", "fresh", 1, 4, 0.5),
        run("adam", "fresh", 1, 9, math.inf),
        run("sgd", "fresh", 1, 9, 0.7),
    )
    pairs = curves.paired_scores(replace(race(TWO), runs=runs))
    assert pairs.seeds == (4, 9)
    assert np.array_equal(pairs.scores, [[0.5, math.nan], [math.inf, 0.7]], equal_nan=True)


def test_differences_are_drawn_with_their_intervals() -> None:
    lion = figures.difference_figure(race(FOUR)).data[2]
    # 0.03 with interval 0.02 to 0.042; the differences of decimals round in the last digit
    assert lion.x[0] == 0.03
    assert lion.error_x.array[0] == pytest.approx(0.012, rel=1e-12)
    assert lion.error_x.arrayminus[0] == pytest.approx(0.01, rel=1e-12)


@pytest.mark.usefixtures("light")
def test_medians_on_a_log_scale_are_scores_and_not_logarithms() -> None:
    result = race(TWO, card={"log_scale": True})
    logs = tuple(replace(row, median=-3.0, quartiles=(-4.0, -2.0)) for row in result.standings)
    page = Page(report_page(replace(result, standings=logs)))
    assert page.values()[0] == result.standings[0].median


@pytest.mark.usefixtures("light")
def test_a_report_replaces_an_older_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "race.html"
    path.write_text("old")
    assert write_report(race(LONE), path) == path
    assert path.read_text("utf-8").endswith("</html>\n")
    assert [file.name for file in tmp_path.iterdir()] == ["race.html"]


@pytest.mark.usefixtures("light")
def test_a_failed_write_leaves_the_older_report(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "race.html"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StoreError, match="No space left on device"):
        write_report(race(LONE), path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["race.html"]


@pytest.mark.usefixtures("light")
def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=re.escape(str(tmp_path / "none" / "race.html"))):
        write_report(race(LONE), tmp_path / "none" / "race.html")
