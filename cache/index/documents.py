"""Every live document of a state, read back from the postings: for tests and repairs, not for searches. Pure."""

from collections.abc import Iterator

import numpy as np

from .state import IndexState


def documents_of(state: IndexState) -> Iterator[tuple[str, int, int, dict[str, int]]]:
    """Yield every live document as (path, first line, last line, terms)."""
    for live in state.segments:
        segment, order = live.segment, np.argsort(live.segment.post_doc, kind="stable")
        tfs = segment.post_tf[order]
        for doc in range(segment.n_docs):
            if live.is_live_doc is None or live.is_live_doc[doc]:
                first, last = int(segment.fwd_ptr[doc]), int(segment.fwd_ptr[doc + 1])
                terms = [segment.term(int(tid)) for tid in segment.fwd_term[first:last]]
                counts = dict(zip(terms, tfs[first:last].tolist(), strict=True))
                yield segment.path(int(segment.doc_file[doc])), int(segment.doc_start[doc]), int(segment.doc_end[doc]), counts
    for file in state.delta.files.values():
        for place in range(file.n_chunks):
            yield file.row.path, *file.span(place), file.counts(place)
