"""Races and runs as rows of the run store, and back, bit for bit.

SQLite turns NaN into NULL and -0.0 into 0, so the readable columns ``score``, ``test`` and
``seconds`` are followed by ``exact``, the bits of all three. A digest over each row finds what
SQLite itself cannot: a changed byte inside a page.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast, get_args

import numpy as np

from descend.errors import StoreError
from descend.lab.records import Curve, Phase, ProblemCard, RaceResult, Run, RunKey, Standing, Status

RUN_COLUMNS = (
    "race_id, entry, phase, trial, seed, settings, status, cause, score, test, evaluations, "
    "seconds, exact, checkpoints, curve, digest"
)
MALFORMED = (ValueError, TypeError, LookupError, AttributeError, struct.error, zlib.error)
"""What decoding raises for content that no encoder here wrote."""
_EXACT = struct.Struct("<3d")
_MAX_CHECKPOINTS = 2**24
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def to_json(value: Any) -> str:
    r"""JSON with sorted keys and without the non-standard literals NaN and Infinity.

    Parameters
    ----------
    value : Any
        Dictionaries with text keys, sequences, text, numbers (also NumPy's), None. Tuples come
        back as lists.

    Returns
    -------
    str
        NaN and infinities are the texts ``"nan"``, ``"inf"`` and ``"-inf"``; a text that reads
        the same gets a backslash in front.

    Raises
    ------
    StoreError
        When a value has no JSON form.

    Examples
    --------
    >>> to_json({"b": float("inf"), "a": "inf"})
    '{"a": "\\\\inf", "b": "inf"}'
    """
    try:
        return json.dumps(_plain(value), sort_keys=True, allow_nan=False)
    except RecursionError:
        raise StoreError("a value in the run store must not contain itself.") from None


def from_json(text: str) -> Any:
    """The value that `to_json` wrote; raises ValueError for other texts.

    >>> from_json('["inf", -0.0]')
    [inf, -0.0]
    """
    try:
        return _revived(json.loads(text))
    except RecursionError:
        raise ValueError("too deeply nested") from None


def encode_run(race_id: int, run: Run) -> tuple[Any, ...]:
    """One row of ``runs``, in the order of ``RUN_COLUMNS``; StoreError when it cannot be one."""
    key = run.key
    _one_of("phase", key.phase, get_args(Phase))
    _one_of("status", run.status, get_args(Status))
    exact = (float(run.score), float(run.test), float(run.seconds))
    row = (
        race_id,
        checked_text("entry", key.entry),
        key.phase,
        _int64("trial", key.trial),
        _int64("seed", key.seed),
        to_json({checked_text("setting", name): value for name, value in run.settings.items()}),
        run.status,
        bent_text(run.cause),
        _readable(exact[0]),
        _readable(exact[1]),
        _int64("evaluations", run.evaluations),
        _readable(exact[2]),
        _EXACT.pack(*exact),
        *_encode_curve(run.curve),
    )
    return (*row, digest(row))


def decode_run(row: Sequence[Any]) -> Run:
    """The run of a row; raises ValueError, TypeError or the like for a damaged one."""
    *content, checksum = row
    if digest(content) != checksum:
        raise ValueError("its checksum differs")
    _, entry, phase, trial, seed, settings, status, cause, _, _, evaluations, _, *blobs = content
    score, test, seconds = _EXACT.unpack(blobs[0])
    return Run(
        key=RunKey(entry, cast(Phase, phase), trial, seed),
        settings=from_json(settings),
        status=cast(Status, status),
        cause=cause,
        score=score,
        test=test,
        evaluations=evaluations,
        seconds=seconds,
        curve=_decode_curve(blobs[1], blobs[2]),
    )


def encode_card(card: ProblemCard) -> str:
    """The problem's card as JSON."""
    return to_json(asdict(card))


def decode_card(text: str) -> ProblemCard:
    """The card of `encode_card`; raises ValueError, TypeError or the like for other texts."""
    fields = from_json(text)
    fields["facts"] = tuple((str(name), str(value)) for name, value in fields["facts"])
    fields["notes"] = tuple(fields["notes"])
    return ProblemCard(**fields)


def encode_result(result: RaceResult, n_runs: int) -> str:
    """What a race concluded, as JSON, with the number of runs that it rests on."""
    return to_json(
        {
            "standings": [asdict(standing) for standing in result.standings],
            "tuned": result.tuned,
            "space": result.space,
            "cannot_conclude": result.cannot_conclude,
            "reproduce": result.reproduce,
            "seconds": result.seconds,
            "compile_seconds": result.compile_seconds,
            "runs": n_runs,
        }
    )


def decode_result(race_id: int, row: Mapping[str, str], runs: Sequence[Run]) -> RaceResult:
    """The result from the JSON columns of a race; raises ValueError or the like when damaged."""
    fields = from_json(row["result"])
    if fields.pop("runs") != len(runs):
        raise ValueError("runs are missing")
    return RaceResult(
        race_id=race_id,
        problem=decode_card(row["card"]),
        standings=tuple(_standing(standing) for standing in fields.pop("standings")),
        runs=tuple(runs),
        tuned={entry: tuple(names) for entry, names in fields.pop("tuned").items()},
        space={
            entry: {name: (low, high) for name, (low, high) in intervals.items()}
            for entry, intervals in fields.pop("space").items()
        },
        plan=from_json(row["plan"]),
        manifest=from_json(row["manifest"]),
        cannot_conclude=tuple(fields.pop("cannot_conclude")),
        **fields,
    )


def leaders(result: str) -> tuple[str, ...]:
    """The entries of the first tie group in the JSON of a result."""
    standings = from_json(result)["standings"]
    return tuple(str(row["entry"]) for row in standings if row["group"] == 1)


def digest(row: Sequence[Any]) -> bytes:
    """Eight bytes that change with any value of a row and with its type."""
    # ascii() writes text, bytes, numbers and None apart, and the same on every Python.
    return hashlib.blake2b(ascii(tuple(row)).encode("ascii"), digest_size=8).digest()


def checked_text(what: str, value: str) -> str:
    """``value`` when SQLite can keep it; StoreError for half surrogates and other types."""
    try:
        value.encode("utf-8")
    except (UnicodeEncodeError, AttributeError):
        raise StoreError(
            f"the {what} of a run store's row must be Unicode text; got {value!a}."
        ) from None
    return value


def bent_text(value: str) -> str:
    """``value`` with half surrogates escaped: causes quote others' errors and are never lost."""
    return value.encode("utf-8", "backslashreplace").decode()


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int():
            return value
        case str():
            return f"\\{value}" if value.lstrip("\\") in _NON_FINITE else value
        case float():
            return value if math.isfinite(value) else str(float(value))
        case np.generic():
            return _plain(value.item())
        case Mapping() if all(isinstance(key, str) for key in value):
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    raise StoreError(
        "a value in the run store must be text, a number, a list or a dictionary with text keys; "
        f"got {type(value).__name__}."
    )


def _revived(value: Any) -> Any:
    match value:
        case str() if value in _NON_FINITE:
            return _NON_FINITE[value]
        case str() if value.lstrip("\\") in _NON_FINITE:
            return value[1:]
        case list():
            return [_revived(item) for item in value]
        case dict():
            return {key: _revived(item) for key, item in value.items()}
    return value


def _readable(value: float) -> float | None:
    """``value`` as SQLite keeps it, so that a digest of the row read back is the same."""
    return None if math.isnan(value) else value + 0.0  # -0.0 + 0.0 is 0.0


def _encode_curve(curve: Curve) -> tuple[int, bytes]:
    evaluations, score = np.asarray(curve.evaluations), np.asarray(curve.score)
    n = len(evaluations) if evaluations.ndim == 1 else -1
    if evaluations.shape != score.shape or not 0 <= n <= _MAX_CHECKPOINTS:
        raise StoreError(
            "evaluations and score of a curve must be of one shape (n_checkpoints,); "
            f"got {evaluations.shape} and {score.shape}."
        )
    if n and evaluations.dtype.kind not in "iu":
        raise StoreError(f"evaluations of a curve must be integers; got {evaluations.dtype}.")
    raw = evaluations.astype("<i8").tobytes() + score.astype("<f8").tobytes()
    return n, zlib.compress(raw)


def _decode_curve(n: int, blob: bytes) -> Curve:
    if not 0 <= n <= _MAX_CHECKPOINTS:
        raise ValueError("its curve has an impossible length")
    # Never unpack more than the row claims: a few bytes can hold gigabytes of zeros.
    raw = zlib.decompressobj().decompress(blob, 16 * n + 1)
    if len(raw) != 16 * n:
        raise ValueError("its curve has the wrong length")
    return Curve(
        evaluations=np.frombuffer(raw[: 8 * n], "<i8").astype(np.int64),
        score=np.frombuffer(raw[8 * n :], "<f8").astype(np.float64),
    )


def _standing(fields: dict[str, Any]) -> Standing:
    for name in ("quartiles", "interval", "at_edge"):
        fields[name] = tuple(fields[name])
    return Standing(**fields)


def _one_of(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise StoreError(f"the {what} of a run must be one of {', '.join(known)}; got {value!r}.")


def _int64(what: str, value: int) -> int:
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise StoreError(f"the {what} of a run must fit 64 bits; got {number}.")
    return number
