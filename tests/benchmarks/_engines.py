"""The engines that the index is compared with: each is made from tokens of chunks, and gives the best ten for tokens."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rank_bm25 import BM25Okapi

TOP = 10
Documents = list[list[str]]
Engine = Callable[[Sequence[str]], object]


def rank_bm25(documents: Documents) -> Engine:
    oracle = BM25Okapi(documents)
    return lambda query: np.argsort(oracle.get_scores(list(query)))[::-1][:TOP]


def bm25s_numpy(documents: Documents) -> Engine:
    import bm25s

    retriever: Any = bm25s.BM25(backend="numpy")
    retriever.index(documents, show_progress=False)
    return lambda query: retriever.retrieve([list(query)], k=TOP, show_progress=False)


def fts5(documents: Documents) -> Engine:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("create virtual table chunks using fts5(body, tokenize='unicode61 tokenchars _')")
    connection.executemany("insert into chunks(body) values (?)", ((" ".join(document),) for document in documents))
    best = "select rowid from chunks where chunks match ? order by bm25(chunks) limit ?"
    return lambda query: connection.execute(best, (" OR ".join(f'"{word}"' for word in query), TOP)).fetchall()


REFERENCES: tuple[tuple[str, Callable[[Documents], Engine], int, float | None], ...] = (
    ("rank_bm25", rank_bm25, 20, 200),
    ("bm25s", bm25s_numpy, 100, 10),
    ("fts5", fts5, 100, None),
)
"""Name, how it is made, how many of the queries it is asked, and how many times faster the server has to be."""
