"""The index cache: exact incremental BM25 over chunks, mapped from disk."""
