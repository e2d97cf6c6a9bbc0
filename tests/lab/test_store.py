"""The run store: nothing is lost, changed or left half-written, whatever happens to the process."""

from __future__ import annotations

import csv
import json
import math
import os
import random
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from descend.errors import StoreError
from descend.lab._store import file as store_file
from descend.lab._store.process import Owner, is_alive, this_process
from descend.lab.records import Curve, ProblemCard, RaceResult, Run, RunKey, Standing
from descend.lab.store import Store, from_json, to_json

CARD = ProblemCard(
    name="bowl",
    title="A bowl <b>&</b> a 'spoon' 🥣",
    metric="f(x)",
    log_scale=True,
    facts=(("size", "2"), ("nan", "inf")),
    notes=("Nothing was done.",),
)
PLAN: dict[str, Any] = {"budget": 2, "entries": ["adam", "sgd"], "limit": math.inf, "word": "nan"}
MANIFEST: dict[str, Any] = {"python": "3.11", "cpus": 2, "note": None}
ODD_FLOATS = (math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, 0.1, 1.7976931348623157e308)


def make_run(entry: str = "adam", seed: int = 0, **changes: Any) -> Run:
    run = Run(
        key=RunKey(entry, "tune", 1, seed),
        settings={"lr": 0.1},
        status="finished",
        cause="",
        score=0.5,
        test=math.nan,
        evaluations=20,
        seconds=0.25,
        curve=Curve(np.array([0, 10, 20]), np.array([2.0, 1.0, 0.5])),
    )
    return replace(run, **changes)


def make_result(race_id: int, runs: list[Run]) -> RaceResult:
    standing = Standing(
        entry="adam", group=1, trial=3, settings={"lr": math.inf}, text="adam:lr=0.1", mean=-0.0,
        median=math.nan, quartiles=(0.25, math.inf), last=-0.0, difference=0.0, interval=(-math.inf, 1.0),
        p_value=1.0, failures=0, tuning_failures=1, seeds=5, default_score=1.0, tuned_score=0.5,
        test=math.nan, at_edge=("lr",),
    )  # fmt: skip
    return RaceResult(
        race_id=race_id,
        problem=CARD,
        standings=(standing, replace(standing, entry="sgd", group=2)),
        runs=tuple(runs),
        tuned={"adam": ("lr", "beta1"), "sgd": ()},
        space={"adam": {"lr": (1e-4, 1.0)}, "sgd": {}},
        plan=PLAN,
        manifest=MANIFEST,
        cannot_conclude=("Five seeds separate nothing.",),
        reproduce="descend race bowl adam sgd",
        seconds=1.5,
        compile_seconds=0.5,
    )


def begin(store: Store, spec_hash: str = "abc") -> int:
    return store.begin_race("bowl", CARD, PLAN, MANIFEST, spec_hash)


def bits(value: float) -> str:
    """Bits of a float; every NaN is the same."""
    return "nan" if math.isnan(value) else struct.pack("<d", value).hex()


def fingerprint(value: Any) -> Any:
    """A form in which == compares floats by their bits and arrays by content and dtype."""
    match value:
        case float():
            return bits(value)
        case np.ndarray():
            return value.dtype.str, value.shape, [fingerprint(item) for item in value.tolist()]
        case Curve() | RunKey() | Run() | ProblemCard() | Standing() | RaceResult():
            return type(value).__name__, [
                fingerprint(getattr(value, name)) for name in value.__dataclass_fields__
            ]
        case dict():
            return {key: fingerprint(item) for key, item in value.items()}
        case tuple() | list():
            return type(value).__name__, [fingerprint(item) for item in value]
    return value


def keys(runs: list[Run]) -> list[tuple[str, int]]:
    return [(run.key.entry, run.key.seed) for run in runs]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs #1?.db"  # characters that mean something in a URI


@pytest.fixture
def finished(path: Path) -> Path:
    """A store with one race that is done."""
    with Store(path) as store:
        race_id = begin(store)
        runs = [make_run(entry, seed) for entry in ("adam", "sgd") for seed in range(10)]
        for run in runs:
            store.add_run(race_id, run)
        store.finish_race(race_id, make_result(race_id, runs))
    return path


# Round trips ------------------------------------------------------------------------------------


def test_a_finished_race_comes_back_exactly_as_it_was(path: Path) -> None:
    runs = [make_run("adam", seed) for seed in range(3)] + [
        make_run("sgd", 0, status="diverged", cause="loss 'inf' > <limit>", score=math.inf),
        make_run("sgd", 0, key=RunKey("sgd", "fresh", 1, 0), test=-0.0),
    ]
    with Store(path) as store:
        race_id = begin(store)
        for run in runs:
            store.add_run(race_id, run)
        store.finish_race(race_id, make_result(race_id, runs))
    with Store.reader(path) as reader:
        loaded = reader.load(race_id)
        assert fingerprint(loaded) == fingerprint(make_result(race_id, runs))
        (row,) = reader.races()
    assert (row.status, row.runs, row.leaders, row.title) == ("done", 5, ("adam",), CARD.title)
    assert row.finished is not None
    assert row.created <= row.finished


texts = st.text(max_size=12) | st.sampled_from(
    ["'; DROP TABLE runs; --", '"', "<script>", "🚀", "a\0b", "", "nan", "\\inf", "\r\n"]
)
floats = st.floats() | st.sampled_from(ODD_FLOATS)
curves = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), floats), max_size=4)
runs_of_any_kind = st.builds(
    Run,
    key=st.builds(
        RunKey,
        texts,
        st.sampled_from(["tune", "fresh"]),
        st.integers(0, 99),
        st.integers(0, 2**63 - 1),
    ),
    settings=st.dictionaries(texts, floats, max_size=3),
    status=st.sampled_from(["finished", "diverged", "timed out", "failed"]),
    cause=texts,
    score=floats,
    test=floats,
    evaluations=st.integers(0, 2**63 - 1),
    seconds=floats,
    curve=curves.map(
        lambda points: Curve(
            np.array([n for n, _ in points], np.int64), np.array([y for _, y in points], float)
        )
    ),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("shared") / "runs.db") as store:
        yield store


@settings(max_examples=60, deadline=None)
@given(st.lists(runs_of_any_kind, max_size=3, unique_by=lambda run: astuple(run.key)))
def test_every_run_round_trips_bit_for_bit(shared: Store, runs: list[Run]) -> None:
    race_id = begin(shared)
    for run in runs:
        shared.add_run(race_id, run)
    expected = {astuple(run.key): fingerprint(run) for run in runs}
    assert {astuple(run.key): fingerprint(run) for run in shared.runs(race_id)} == expected
    shared.interrupt_race(race_id)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_json_round_trips_every_float_and_is_standard(value: Any) -> None:
    text = to_json(value)
    assert fingerprint(from_json(text)) == fingerprint(value)

    def refuse(constant: str) -> float:
        raise AssertionError(constant)

    json.loads(text, parse_constant=refuse)  # NaN and Infinity are no JSON


def test_json_names_non_finite_numbers_and_keeps_texts_apart() -> None:
    value = {"b": [math.nan, -math.inf, np.float32(np.inf), np.int64(3)], "a": ("inf", "\\nan")}
    assert to_json(value) == r'{"a": ["\\inf", "\\\\nan"], "b": ["nan", "-inf", "inf", 3]}'


@pytest.mark.parametrize("value", [{1: 2}, {2, 3}, object(), [b"x"], 1j])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(StoreError, match="must be text, a number, a list or a dictionary"):
        to_json(value)


def test_scores_can_be_read_with_sql(path: Path) -> None:
    with Store(path) as store:
        race_id = begin(store)
        for seed, score in enumerate([0.25, math.inf, math.nan, -0.0]):
            store.add_run(race_id, make_run(seed=seed, score=score))
    connection = sqlite3.connect(path)
    scores = connection.execute("SELECT score FROM runs ORDER BY seed").fetchall()
    connection.close()
    assert scores == [(0.25,), (math.inf,), (None,), (0.0,)]


def test_a_cause_that_is_no_unicode_is_bent_and_an_entry_refused(path: Path) -> None:
    with Store(path) as store:
        race_id = begin(store)
        store.add_run(race_id, make_run(cause="no file \udcff"))
        assert store.runs(race_id)[0].cause == "no file \\udcff"
        with pytest.raises(StoreError, match="entry .* must be Unicode text"):
            store.add_run(race_id, make_run("\ud800"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": RunKey("adam", "tune", 1, 2**63)}, "seed of a run must fit 64 bits"),
        ({"status": "lost"}, "status of a run must be one of finished, diverged"),
        ({"key": RunKey("adam", "rest", 1, 0)}, "phase of a run must be one of tune, fresh"),  # type: ignore[arg-type]
        ({"curve": Curve(np.arange(2), np.zeros(3))}, r"got \(2,\) and \(3,\)"),
        ({"curve": Curve(np.zeros(2), np.zeros(2))}, "must be integers; got float64"),  # type: ignore[arg-type]
        ({"settings": {"lr": 1j}}, "must be text, a number"),
    ],
)
def test_a_run_that_cannot_be_a_row_is_refused_alone(
    path: Path, changes: dict[str, Any], message: str
) -> None:
    with Store(path) as store:
        race_id = begin(store)
        store.add_run(race_id, make_run(seed=1))
        with pytest.raises(StoreError, match=message):
            store.add_run(race_id, make_run(**changes))
        store.flush()  # the refused one does not hold the others up
        assert keys(store.runs(race_id)) == [("adam", 1)]


# Interrupting and resuming ------------------------------------------------------------------------


def test_resuming_keeps_results_and_forgets_failures(path: Path) -> None:
    with Store(path) as store:
        race_id = begin(store)
        for seed, status in enumerate(["finished", "diverged", "failed", "timed out"]):
            store.add_run(race_id, make_run(seed=seed, status=status))
        assert store.find_resumable("abc") is None  # it runs, here
    with Store(path) as store:
        assert [race.status for race in store.races()] == ["interrupted"]
        assert store.find_resumable("xyz") is None
        assert store.find_resumable("abc") == race_id
        assert keys(store.finished_runs(race_id)) == [("adam", 0), ("adam", 1)]
        assert len(store.runs(race_id)) == 4
        assert keys(store.resume_race(race_id)) == [("adam", 0), ("adam", 1)]
        assert len(store.runs(race_id)) == 2
        store.add_run(race_id, make_run(seed=2, score=0.125))
        store.finish_race(race_id, make_result(race_id, []))
        assert store.find_resumable("abc") is None
        assert [run.score for run in store.load(race_id).runs] == [0.5, 0.5, 0.125]
        with pytest.raises(StoreError, match="must be interrupted to go on; got done"):
            store.resume_race(race_id)


def test_a_run_with_the_same_key_replaces_the_earlier_one(path: Path) -> None:
    with Store(path) as store:
        race_id = begin(store)
        store.add_run(race_id, make_run(status="failed", cause="no memory"))
        store.flush()
        store.add_run(race_id, make_run())
        assert [run.status for run in store.runs(race_id)] == ["finished"]


def test_the_latest_of_several_interrupted_races_is_resumed(path: Path) -> None:
    with Store(path) as store:
        first, second = begin(store), begin(store)
        other = begin(store, "other")
        store.interrupt_race(first)
        store.add_run(second, make_run())
        store.fail_race(second, "the problem raised")
        assert store.find_resumable("abc") == second
        assert [(r.status, r.cause) for r in store.races()] == [
            ("interrupted", ""), ("failed", "the problem raised"), ("running", ""),
        ]  # fmt: skip
        with pytest.raises(StoreError, match=f"race {other} .* must have ended to be removed"):
            store.remove([first, other])
        assert len(store.races()) == 3  # none was removed
        store.remove([second])
        assert store._connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        store.interrupt_race(other)
        store.remove([other])
        assert begin(store) == other + 1  # a number is never used again


def test_an_error_leaves_the_race_interrupted_with_its_runs(path: Path) -> None:
    def fail() -> None:
        with Store(path) as store:
            race_id = begin(store)
            store.add_run(race_id, make_run())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    with Store.reader(path) as reader:
        assert [(race.status, race.runs) for race in reader.races()] == [("interrupted", 1)]


def test_a_living_process_keeps_its_race(path: Path) -> None:
    with Store(path) as store, Store(path) as other:
        race_id = begin(store)
        store.add_run(race_id, make_run())
        store.flush()
        assert [race.status for race in other.races()] == ["running"]
        assert other.find_resumable("abc") is None
        with pytest.raises(StoreError, match="must be interrupted to go on; got running"):
            other.add_run(race_id, make_run(seed=1))


def test_the_race_of_a_lost_process_becomes_interrupted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(path)
    race_id = begin(store)
    lost = replace(this_process(), pid=2**22 + 1)  # above Linux's largest process id
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE races SET pid = ?", (lost.pid,))
    connection.close()
    with Store.reader(path) as reader:
        assert reader.races()[0].status == "interrupted"
        assert reader.find_resumable("abc") == race_id
        # From another machine nothing can be seen of the process: a day has to pass.
        monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
        assert reader.races()[0].status == "running"
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 86_401)
        assert reader.races()[0].status == "interrupted"
    store.close()


def test_a_process_id_used_again_is_another_process() -> None:
    me = this_process()
    assert is_alive(me) is True
    assert is_alive(replace(me, host="elsewhere")) is None
    if me.boot:
        assert is_alive(replace(me, started="1")) is False
        assert is_alive(replace(me, boot="earlier")) is False
    assert is_alive(Owner(me.pid, me.host, "", "")) is True  # a system that tells no more


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_leaves_the_file_to_its_parent(path: Path) -> None:
    with Store(path, flush_seconds=60) as store:
        race_id = begin(store)
        store.add_run(race_id, make_run())
        child = os.fork()
        if child == 0:
            try:
                store.flush()
            except StoreError:
                store.close()
                os._exit(42)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
        assert len(store.runs(race_id)) == 1


# Flushing and killing -----------------------------------------------------------------------------


def test_a_lone_run_reaches_the_file_without_another_call(path: Path) -> None:
    with Store(path, flush_seconds=0.05) as store, Store.reader(path) as reader:
        race_id = begin(store)
        store.add_run(race_id, make_run())
        deadline = time.monotonic() + 5
        while not reader.runs(race_id) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(reader.runs(race_id)) == 1


def test_runs_are_buffered_until_a_flush(path: Path) -> None:
    with Store(path, flush_seconds=60) as store, Store.reader(path) as reader:
        race_id = begin(store)
        store.add_run(race_id, make_run())
        assert reader.runs(race_id) == []
        store.flush()
        assert len(reader.runs(race_id)) == 1
    for timer in (t for t in threading.enumerate() if isinstance(t, threading.Timer)):
        timer.join(5)
        assert not timer.is_alive()  # the timer goes with its store


SCRIPT = """
import sys, time
import numpy as np
from descend.lab.records import Curve, ProblemCard, Run, RunKey
from descend.lab.store import Store

def run(seed):
    curve = Curve(np.arange(50), np.linspace(1, 0, 50))
    return Run(RunKey("adam", "tune", 1, seed), {}, "finished", "", 0.5, 0.5, 1, 0.0, curve)

card = ProblemCard("bowl", "A bowl", "f(x)", True, (), ())
print("ready", flush=True)
sys.stdin.readline()
"""
KILLED = """
with Store(sys.argv[1], flush_seconds=0.05) as store:
    race_id = store.begin_race("bowl", card, {}, {}, "abc")
    for seed in range(10**6):
        store.add_run(race_id, run(seed))
        print(seed, time.monotonic(), flush=True)
        time.sleep(0.001)
"""
STARTED = """
with Store(sys.argv[1], flush_seconds=0) as store:
    race_id = store.begin_race("bowl", card, {}, {}, "abc")
    for seed in range(5):
        store.add_run(race_id, run(seed))
"""


def start(script: str, path: Path) -> subprocess.Popen[str]:
    """A Python process that waits for a line before it opens the store."""
    source = Path(store_file.__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT + script, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def release(processes: list[subprocess.Popen[str]]) -> None:
    """Let them all go on at the same moment."""
    for started in processes:
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
    for started in processes:
        assert started.stdin is not None
        started.stdin.write("go\n")
        started.stdin.flush()


def test_kill_9_loses_at_most_the_last_flush_interval(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.db" for number in range(3)]
    writers = [start(KILLED, path) for path in paths]
    release(writers)
    outputs = [writer.stdout.readline() for writer in writers if writer.stdout]  # all add runs
    draw = random.Random()  # another moment each time
    for number, writer in enumerate(writers):
        time.sleep(draw.uniform(0.0, 0.3) if number else draw.uniform(0.7, 1.0))
        writer.kill()
    for number, writer in enumerate(writers):
        with writer:
            assert writer.stdout is not None
            check_what_survived(paths[number], outputs[number] + writer.stdout.read())


def check_what_survived(path: Path, output: str) -> None:
    lines = [line.split() for line in output.splitlines(keepends=True) if line.endswith("\n")]
    added = [float(moment) for _, moment in lines]
    # 0.05 s of buffering; up to 0.4 s between a call and its print on a loaded machine.
    due = sum(moment < added[-1] - 0.45 for moment in added)
    with Store(path) as store:
        (race,) = store.races()
        seeds = [run.key.seed for run in store.finished_runs(race.race_id)]
        assert store.find_resumable("abc") == race.race_id
    assert race.status == "interrupted"
    assert seeds == list(range(len(seeds)))  # no gap, no double
    assert due <= len(seeds) <= len(added) + 1  # one may be added and not yet printed
    assert seeds


@pytest.mark.parametrize("n", [8, pytest.param(32, marks=pytest.mark.slow)])
def test_races_started_together_on_a_new_file_all_succeed(path: Path, n: int) -> None:
    processes = [start(STARTED, path) for _ in range(n)]
    release(processes)
    errors = [started.communicate(timeout=60)[1] for started in processes]
    assert "".join(errors) == ""
    with Store.reader(path) as reader:
        assert [race.runs for race in reader.races()] == [5] * n


def test_a_store_that_appears_while_it_is_opened_is_no_foreign_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store_file.query
    others: list[str] = []

    def query(connection: sqlite3.Connection, file: Path, sql: str, values: Any = ()) -> Any:
        found = real(connection, file, sql, values)
        if "application_id" in sql and not others:
            others.append(sql)
            with monkeypatch.context() as patch, suppress(StoreError):
                patch.setattr(store_file, "BUSY_SECONDS", 0.05)
                Store(path).close()
        return found

    monkeypatch.setattr(store_file, "query", query)
    with Store(path) as store:
        assert begin(store) == 1
    assert others


def test_a_reader_recovers_what_a_killed_writer_left_half_written(
    finished: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    writer = sqlite3.connect(finished, isolation_level=None)
    writer.execute("PRAGMA journal_mode=DELETE")
    writer.execute("PRAGMA cache_size=1")  # spill pages into the file before the commit
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE runs SET cause = hex(randomblob(4000))")
    shutil.copy(finished, copy)
    shutil.copy(f"{finished}-journal", f"{copy}-journal")
    writer.execute("ROLLBACK")
    writer.close()
    with Store.reader(copy) as reader:
        assert len(reader.load(1).runs) == 20
    assert not Path(f"{copy}-journal").exists()


# Opening ------------------------------------------------------------------------------------------


def test_paths_may_be_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Store("sqlite:///relative.db") as relative, Store(f"sqlite:///{tmp_path}/a.db") as full:
        assert relative.path == tmp_path / "relative.db"
        assert full.path == tmp_path / "a.db"


@pytest.mark.parametrize("text", ["", ":memory:", "sqlite://", "mysql://x/y", "sqlite:///", "a\0b"])
def test_a_path_that_names_no_file_is_refused(text: str) -> None:
    with pytest.raises(StoreError, match="the path of a run store must"):
        Store(text)


def other_program(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (name)")
    connection.close()


def header(pragma: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        Store(path).close()
        with sqlite3.connect(path) as connection:
            connection.execute(pragma)
        connection.close()

    return write


def trigger(path: Path) -> None:
    header("CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM races; END")(path)


@pytest.mark.parametrize("open_store", [Store, Store.reader])
@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda path: path.mkdir(), "must be a file; got a directory"),
        (lambda path: path.write_text("entry,score\n" * 100), "must be a run store; got 'file is"),
        (lambda path: path.write_bytes(b"\0" * 4096), "must be a run store"),
        (other_program, "must be a run store; got an SQLite file of another program"),
        (header("PRAGMA user_version=3"), "must have schema version 2; got 3. Hint: a newer"),
        (header("PRAGMA user_version=1"), "must have schema version 2; got 1. Hint: an older"),
        (header("PRAGMA user_version=0"), "must be undamaged; got schema version 0"),
        (header("ALTER TABLE runs ADD COLUMN x"), "got other tables than a run store has"),
        (header("DROP TABLE runs"), "got other tables than a run store has"),
        (trigger, "got other tables than a run store has"),
    ],
)
def test_what_is_no_run_store_is_named_and_left_alone(
    path: Path, prepare: Callable[[Path], None], message: str, open_store: Callable[[Path], Store]
) -> None:
    prepare(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StoreError, match=message) as caught:
        open_store(path)
    assert str(path) in str(caught.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_reader_needs_a_store_and_leaves_it_alone(path: Path) -> None:
    with pytest.raises(StoreError, match="must exist; got no such file"):
        Store.reader(path)
    assert not path.exists()
    path.touch()
    with pytest.raises(StoreError, match="must be a run store; got an empty file"):
        Store.reader(path)
    with Store(path) as store:  # an empty file may become one
        begin(store)
    before = path.read_bytes()
    with Store.reader(path) as reader, pytest.raises(StoreError, match="must be open for writing"):
        begin(reader)
    assert path.read_bytes() == before


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the folder of the run store .* must exist"):
        Store(tmp_path / "no" / "runs.db")


def test_a_file_that_may_not_be_written_is_named(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store_file._connect
    # SQLite opens a write-protected file like this; root may write to any, so no chmod here.
    monkeypatch.setattr(store_file, "_connect", lambda path, mode: real(path, "ro"))
    with pytest.raises(StoreError, match="must be open to this user; got 'attempt to write a read"):
        Store(finished)


def test_a_closed_store_says_so(path: Path) -> None:
    store = Store(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="must be open; got a closed one"):
        store.races()


@pytest.mark.parametrize(
    ("version", "journal"),
    [
        ((3, 40, 1), "delete"), ((3, 44, 5), "delete"), ((3, 44, 6), "wal"), ((3, 45, 3), "delete"),
        ((3, 50, 6), "delete"), ((3, 50, 7), "wal"), ((3, 51, 2), "delete"), ((3, 51, 3), "wal"),
        ((3, 60, 0), "wal"), ((4, 0, 0), "wal"),
    ],
)  # fmt: skip
def test_wal_is_used_where_it_is_safe(version: tuple[int, ...], journal: str) -> None:
    assert store_file.journal_for(version) == journal


def test_the_journal_follows_the_version_of_sqlite(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mode in ("wal", "delete", "wal"):
        monkeypatch.setattr(store_file, "journal_for", lambda _, mode=mode: mode)
        with Store(path) as store, Store.reader(path) as reader:
            race_id = begin(store)
            store.add_run(race_id, make_run())
            store.flush()
            assert len(reader.runs(race_id)) == 1
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA journal_mode").fetchone() == (mode,)
        connection.close()


def test_an_unsafe_journal_in_use_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_file, "_JOURNAL_SECONDS", 0.1)
    monkeypatch.setattr(store_file, "journal_for", lambda _: "wal")
    with Store(path) as store:
        begin(store)
        monkeypatch.setattr(store_file, "journal_for", lambda _: "delete")
        with pytest.raises(StoreError, match="must leave WAL mode"):
            Store(path)


# Damage -------------------------------------------------------------------------------------------


def attempt(path: Path) -> tuple[Any, Any] | None:
    """What a reader gets from race 1; None when it is refused with the path in the sentence."""
    try:
        with Store.reader(path) as reader:
            return fingerprint(reader.load(1)), [row.created for row in reader.races()]
    except StoreError as error:
        assert "mutant.db" in str(error)  # noqa: PT017
        return None


def test_no_flipped_byte_changes_a_result_silently(finished: Path, tmp_path: Path) -> None:
    original, mutant = finished.read_bytes(), tmp_path / "mutant.db"
    mutant.write_bytes(original)
    expected = attempt(mutant)
    assert expected is not None
    draw, refused = random.Random(1), 0
    for _ in range(300):
        content = bytearray(original)
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        mutant.write_bytes(content)
        got = attempt(mutant)
        assert got in (expected, None)
        refused += got is None
    assert refused > 50  # about a third of the file is content


def test_a_truncated_file_is_refused(finished: Path, tmp_path: Path) -> None:
    original, mutant = finished.read_bytes(), tmp_path / "mutant.db"
    for length in (2, 50, 100, 4096, 5000, len(original) - 4096, len(original) - 1):
        mutant.write_bytes(original[:length])
        assert attempt(mutant) is None
        with pytest.raises(StoreError):
            Store(mutant)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE runs SET exact = zeroblob(24)",
        "UPDATE runs SET curve = zeroblob(9)",
        "UPDATE runs SET entry = CAST(x'ff' AS TEXT) WHERE rowid = 1",
        "DELETE FROM runs WHERE seed = 3",
        "UPDATE races SET result = '{}'",
        "UPDATE races SET plan = replace(plan, '2', '3')",
        "UPDATE races SET seen = 'long ago'",
    ],
)
def test_content_changed_by_hand_is_refused(finished: Path, statement: str) -> None:
    with sqlite3.connect(finished) as connection:
        connection.execute(statement)
    connection.close()
    with (
        Store.reader(finished) as reader,
        pytest.raises(StoreError, match="must be undamaged; got .*Hint: restore"),
    ):
        reader.load(1)


def test_a_full_disk_is_an_error_and_loses_nothing(finished: Path) -> None:
    store = Store(finished, flush_seconds=60)
    race_id = begin(store, "more")
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count={pages}")
    long = Curve(np.arange(5000), np.random.default_rng(0).normal(size=5000))
    store.add_run(race_id, make_run(curve=long))
    for _ in range(2):
        with pytest.raises(StoreError, match="must have room to grow; got .*full.* Hint: free"):
            store.flush()
    assert attempt_runs(finished) == 20
    store._connection.execute(f"PRAGMA max_page_count={pages + 100}")
    store.close()  # the run waited for room
    assert attempt_runs(finished) == 21


def attempt_runs(path: Path) -> int:
    with Store.reader(path) as reader:
        return sum(race.runs for race in reader.races())


def test_an_error_in_the_timer_comes_back_with_the_next_run(path: Path) -> None:
    with Store(path, flush_seconds=0.02) as store:
        race_id = begin(store)
        store._connection.execute("PRAGMA query_only=ON")
        store.add_run(race_id, make_run(seed=1))
        time.sleep(0.1)
        with pytest.raises(StoreError, match="must be open to this user"):
            store.add_run(race_id, make_run(seed=2))
        store._connection.execute("PRAGMA query_only=OFF")
        assert len(store.runs(race_id)) == 2


def test_closing_after_an_error_keeps_that_error(path: Path) -> None:
    def fail() -> None:
        with Store(path, flush_seconds=60) as store:
            store.add_run(begin(store), make_run())
            store._connection.execute("PRAGMA query_only=ON")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


@pytest.mark.parametrize("ask", [Store.load, Store.runs, Store.resume_race, Store.interrupt_race])
def test_a_race_that_does_not_exist_is_named(path: Path, ask: Callable[[Store, int], Any]) -> None:
    with Store(path) as store, pytest.raises(StoreError, match="race 7 must be one of the races"):
        ask(store, 7)


def test_a_race_without_standings_cannot_be_loaded(path: Path) -> None:
    with Store(path) as store:
        race_id = begin(store)
        with pytest.raises(StoreError, match="must be done to have standings; got running"):
            store.load(race_id)


# Export -------------------------------------------------------------------------------------------

EXPORTED = [
    make_run("a,'b\"", 1, status="diverged", cause="line\nbreak", score=math.inf, test=-0.0),
    make_run("adam", 2, settings={"beta1": 0.9, "seed": 7.0}, score=0.1),
]


@pytest.fixture
def exporting(path: Path) -> Iterator[Store]:
    with Store(path) as store:
        race_id = begin(store)
        for run in EXPORTED:
            store.add_run(race_id, run)
        yield store


COLUMNS = [
    "race", "problem", "run", "entry", "phase", "trial", "seed", "status", "cause", "evaluations",
    "seconds", "val/loss", "test/loss", "beta1", "lr", "settings/seed",
]  # fmt: skip


def test_csv_holds_one_row_per_run(exporting: Store, tmp_path: Path) -> None:
    exporting.export(1, tmp_path / "runs.csv")
    with (tmp_path / "runs.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        COLUMNS,
        ["1", "bowl", "1", "a,'b\"", "tune", "1", "1", "diverged", "line\nbreak", "20", "0.25",
         "inf", "-0.0", "", "0.1", ""],
        ["1", "bowl", "2", "adam", "tune", "1", "2", "finished", "", "20", "0.25", "0.1", "nan",
         "0.9", "", "7.0"],
    ]  # fmt: skip


def test_parquet_holds_the_same_with_types(exporting: Store, tmp_path: Path) -> None:
    exporting.export(1, tmp_path / "runs.parquet")
    table = parquet.read_table(tmp_path / "runs.parquet")
    assert table.column_names == COLUMNS
    assert str(table.schema.field("seed").type) == "int64"
    assert fingerprint(table["test/loss"].to_pylist()) == fingerprint([-0.0, math.nan])
    assert table["lr"].to_pylist() == [0.1, None]


def test_json_lines_hold_the_same_as_objects(exporting: Store, tmp_path: Path) -> None:
    exporting.export(1, tmp_path / "runs.jsonl")
    lines = (tmp_path / "runs.jsonl").read_text("utf-8").splitlines()
    first, second = (json.loads(line) for line in lines)
    assert set(first) == set(COLUMNS)
    assert (first["val/loss"], first["beta1"], second["val/loss"]) == ("inf", None, 0.1)
    assert second["test/loss"] == "nan"


@pytest.mark.parametrize("extension", ["csv", "parquet", "JSONL"])
def test_curves_are_one_row_per_checkpoint(
    exporting: Store, tmp_path: Path, extension: str
) -> None:
    target = tmp_path / f"curves.{extension}"
    exporting.export(1, target, curves=True)
    if extension == "parquet":
        table = parquet.read_table(target)
        assert table["step"].to_pylist() == [0, 10, 20, 0, 10, 20]
        assert table["run"].to_pylist() == [1, 1, 1, 2, 2, 2]
        assert table["val/loss"].to_pylist() == [2.0, 1.0, 0.5] * 2
    else:
        assert len(target.read_text("utf-8").splitlines()) == 6 + (extension == "csv")


@pytest.mark.parametrize("extension", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize("curves_too", [False, True])
def test_a_race_without_runs_exports_an_empty_table(
    path: Path, tmp_path: Path, extension: str, *, curves_too: bool
) -> None:
    with Store(path) as store:
        store.export(begin(store), tmp_path / f"x.{extension}", curves=curves_too)
    assert (tmp_path / f"x.{extension}").exists()


def test_an_export_that_fails_leaves_the_old_file_and_no_other(
    exporting: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "runs.csv"
    target.write_text("old")
    before = sorted(tmp_path.iterdir())

    def fail(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match="must be writable; got 'No space left on device'"):
        exporting.export(1, target)
    assert target.read_text() == "old"
    assert sorted(tmp_path.iterdir()) == before


def test_an_export_to_an_unknown_place_or_format_is_refused(
    exporting: Store, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=r"must be one of \.csv, \.parquet, \.jsonl, \.ndjson"):
        exporting.export(1, tmp_path / "runs.xlsx")
    with pytest.raises(StoreError, match="must be writable; got 'No such file or directory'"):
        exporting.export(1, tmp_path / "no" / "runs.csv")
    with pytest.raises(StoreError, match="must be another file than the run store"):
        exporting.export(1, exporting.path)
