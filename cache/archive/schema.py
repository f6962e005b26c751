"""The archive's tables. Statements are only ever appended: `user_version` counts those that have run."""

from typing import Final

_TOKENIZER: Final = "\"unicode61 remove_diacritics 0 categories 'L* N* M* Co Pc'\""
"""Terms come already split and in lower case; this tokenizer only has to cut them at the spaces between."""

SCHEMA: Final = (
    """CREATE TABLE sessions(
        rid INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, origin TEXT, pid INTEGER NOT NULL,
        created_s REAL NOT NULL, active_s REAL NOT NULL, cleared_s REAL, clears INTEGER NOT NULL DEFAULT 0,
        events INTEGER NOT NULL DEFAULT 0, since_clear INTEGER NOT NULL DEFAULT 0, since_snapshot INTEGER NOT NULL DEFAULT 0,
        tokens INTEGER NOT NULL DEFAULT 0, last_seq INTEGER NOT NULL DEFAULT 0, outline BLOB,
        written BLOB, written_seq INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE names(
        name TEXT PRIMARY KEY, session INTEGER NOT NULL, snapshot INTEGER NOT NULL, note TEXT NOT NULL, at_s REAL NOT NULL
        ) WITHOUT ROWID""",
    "CREATE INDEX names_by_session ON names(session)",
    "CREATE INDEX sessions_by_activity ON sessions(active_s)",
    """CREATE TABLE events(
        seq INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL, at_s REAL NOT NULL, kind TEXT NOT NULL,
        tool TEXT NOT NULL, arguments TEXT NOT NULL, spans TEXT NOT NULL, handles TEXT NOT NULL, tokens INTEGER NOT NULL,
        is_error INTEGER NOT NULL, entry TEXT NOT NULL)""",
    "CREATE INDEX events_by_session ON events(session, seq)",
    """CREATE TABLE passages(
        id INTEGER PRIMARY KEY, session INTEGER NOT NULL, sha BLOB NOT NULL, event INTEGER NOT NULL, body BLOB NOT NULL,
        UNIQUE(session, sha))""",
    "CREATE INDEX passages_by_event ON passages(event)",
    "CREATE VIRTUAL TABLE passage_terms USING fts5(owner, body, content='', contentless_delete=1, tokenize=" + _TOKENIZER + ")",
    "CREATE VIRTUAL TABLE passage_vocab USING fts5vocab(passage_terms, 'row')",
    """CREATE TABLE entries(
        session INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(session, key)) WITHOUT ROWID""",
    """CREATE TABLE snapshots(
        id INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL, parent INTEGER, is_full INTEGER NOT NULL,
        reason TEXT NOT NULL, at_s REAL NOT NULL, seq INTEGER NOT NULL, entries INTEGER NOT NULL, body BLOB NOT NULL,
        sha256 TEXT NOT NULL)""",
    "CREATE INDEX snapshots_by_session ON snapshots(session, id)",
    """CREATE TABLE facts(
        id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, value TEXT NOT NULL, from_s REAL NOT NULL, until_s REAL,
        closed_by INTEGER, evidence TEXT NOT NULL, author TEXT NOT NULL, confirmations INTEGER NOT NULL DEFAULT 0,
        confirmed_s REAL NOT NULL)""",
    "CREATE INDEX facts_by_topic ON facts(topic, until_s)",
    "CREATE VIRTUAL TABLE fact_terms USING fts5(body, content='', contentless_delete=1, tokenize=" + _TOKENIZER + ")",
)
