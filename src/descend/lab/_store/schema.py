"""The tables of a run store; any change here is a new version."""

from __future__ import annotations

SCHEMA_VERSION = 2
APPLICATION_ID = 0x44455343
"""``DESC`` in ASCII: what the header of a run store carries."""

TABLES = (
    """CREATE TABLE races (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    problem TEXT NOT NULL,
    spec_hash TEXT NOT NULL,
    plan TEXT NOT NULL,
    manifest TEXT NOT NULL,
    card TEXT NOT NULL,
    result TEXT,
    created TEXT NOT NULL,
    digest BLOB NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'done', 'interrupted', 'failed')),
    cause TEXT NOT NULL DEFAULT '',
    finished TEXT,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    boot TEXT NOT NULL,
    started TEXT NOT NULL,
    seen REAL NOT NULL
)""",
    """CREATE TABLE runs (
    race_id INTEGER NOT NULL REFERENCES races (id) ON DELETE CASCADE,
    entry TEXT NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('tune', 'fresh')),
    trial INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    settings TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('finished', 'diverged', 'timed out', 'failed')),
    cause TEXT NOT NULL,
    score REAL,
    test REAL,
    evaluations INTEGER NOT NULL,
    seconds REAL,
    exact BLOB NOT NULL,
    checkpoints INTEGER NOT NULL,
    curve BLOB NOT NULL,
    digest BLOB NOT NULL,
    UNIQUE (race_id, entry, phase, trial, seed)
)""",
)
