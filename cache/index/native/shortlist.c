/* The inner loops of shortlist.py: the same files, totals and chunks, in some 50 us instead of some 200.

   What it computes, and why that is exact, is said in shortlist.py and bounds.py, which also work without it. The sums are made
   in the same order, so the scores are the same to the last digit. What differs is how files are picked: the highest bound
   first, until no bound reaches the k-th total.

   Everything that is read from a mapped segment and used as an index is checked: of a segment that contradicts itself nothing
   outside its arrays is read or written. */

#include "shortlist.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#define NOWHERE UINT32_MAX
#define SLACK (1 - 1e-9) /* scores and bounds are summed in different orders */

/* A min-heap of doubles, and one of candidates. */

static void sift_double(double *heap, Py_ssize_t n, Py_ssize_t i)
{
    double value = heap[i];
    for (Py_ssize_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && heap[child + 1] < heap[child]) child++;
        if (value <= heap[child]) break;
        heap[i] = heap[child];
    }
    heap[i] = value;
}

static void sift_candidate(Candidate *heap, Py_ssize_t n, Py_ssize_t i)
{
    Candidate value = heap[i];
    for (Py_ssize_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && heap[child + 1].bound < heap[child].bound) child++;
        if (value.bound <= heap[child].bound) break;
        heap[i] = heap[child];
    }
    heap[i] = value;
}

static int by_bound_falling(const void *a, const void *b)
{
    double one = ((const Candidate *)a)->bound, other = ((const Candidate *)b)->bound;
    return one < other ? 1 : one > other ? -1 : 0;
}

/* What the files give at most, how many of them match, and how many chunks do. */

static int reach(Query *q)
{
    const Segment *s = q->segment;
    const uint8_t *most = s->columns[BOUND_MOST].view.buf;
    for (Py_ssize_t t = 0; t < q->n_terms; t++) {
        const Term *term = &q->terms[t];
        for (Py_ssize_t i = term->first_file; i < term->last_file; i++) {
            uint32_t file = at(&s->columns[BOUND_FILE], i);
            if (file >= (size_t)s->n_files) return 0;
            q->reached[file] += term->weight * most[i];
        }
    }
    for (Py_ssize_t g = 0; g < q->n_gains; g++) {
        const int64_t *files = q->gains[g].files.view.buf;
        for (Py_ssize_t i = 0; i < q->gains[g].files.count; i++)
            if (files[i] >= q->start && files[i] - q->start < s->n_files) q->bonus[files[i] - q->start] += q->gains[g].gain;
    }
    for (Py_ssize_t file = 0; file < s->n_files; file++) {
        double reached = q->reached[file] * q->unit + q->bonus[file];
        if (q->is_live && !q->is_live[file]) reached = 0;
        q->reached[file] = reached;
        q->n_files += reached != 0;
    }
    return 1;
}

static inline int ones(uint64_t word)
{
    word -= (word >> 1) & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + ((word >> 2) & 0x3333333333333333u);
    return (int)((((word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u) >> 56);
}

static int count(Query *q)
{
    const Segment *s = q->segment;
    for (Py_ssize_t t = 0; t < q->n_terms; t++) {
        const Term *term = &q->terms[t];
        if (term->row >= 0) {
            const uint8_t *row = (const uint8_t *)s->columns[OFTEN].view.buf + term->row * s->row_bytes;
            for (Py_ssize_t i = 0; i < s->row_bytes; i++) q->bits[i] |= row[i];
        } else
            for (Py_ssize_t p = term->first; p < term->last; p++) {
                uint32_t doc = at(&s->columns[POST_DOC], p);
                if (doc >= (size_t)s->n_docs) return 0;
                q->bits[doc >> 3] |= 0x80 >> (doc & 7);
            }
    }
    if (!q->is_live) {
        uint64_t word;
        Py_ssize_t i = 0;
        for (; i + 8 <= s->row_bytes; i += 8) memcpy(&word, q->bits + i, 8), q->n_chunks += ones(word);
        for (; i < s->row_bytes; i++) q->n_chunks += ones(q->bits[i]);
        return 1;
    }
    for (Py_ssize_t doc = 0; doc < s->n_docs; doc++)
        if (q->bits[doc >> 3] & (0x80 >> (doc & 7))) {
            uint32_t file = at(&s->columns[DOC_FILE], doc);
            if (file >= (size_t)s->n_files) return 0;
            q->n_chunks += q->is_live[file] != 0;
        }
    return 1;
}

/* Raise the bounds of files by what their chunks may get beside their BM25, and put the priors to them. */

static int raise_bounds(Query *q)
{
    const Segment *s = q->segment;
    if (q->n_boosts) memcpy(q->most, q->reached, s->n_files * sizeof *q->most); /* what is 0 stays 0 */
    for (Py_ssize_t b = 0; b < q->n_boosts; b++) {
        const int64_t *docs = q->boosts[b].docs.view.buf;
        const double *values = q->boosts[b].values.view.buf;
        uint32_t last = UINT32_MAX;
        double most = 0;
        for (Py_ssize_t i = 0; i < q->boosts[b].docs.count; i++) {
            if (docs[i] < 0 || docs[i] >= s->n_docs || (i && docs[i] < docs[i - 1])) return 0;
            uint32_t file = at(&s->columns[DOC_FILE], docs[i]);
            if (file >= (size_t)s->n_files) return 0;
            if (file != last) most = 0; /* chunks are in order, so those of a file follow each other */
            if (values[i] > most && q->most[file] > 0) q->reached[file] += (values[i] - most) * s->all_shares, most = values[i];
            last = file;
        }
    }
    for (Py_ssize_t file = 0; file < s->n_files; file++) q->reached[file] *= q->prior[file];
    return 1;
}

/* Score the chunks of one file that hold a term, and keep the file if it may be among the first k. */

static int add_gains(Query *q, double weight, uint32_t place, int64_t start, int64_t end)
{
    const Segment *s = q->segment;
    const uint32_t *lengths = s->columns[DOC_LEN].view.buf, *first = s->columns[BOUND_FIRST].view.buf;
    if (first[place] > first[place + 1] || first[place + 1] > s->columns[POST_DOC].count) return 0;
    for (Py_ssize_t p = first[place]; p < first[place + 1]; p++) {
        int64_t doc = at(&s->columns[POST_DOC], p);
        double tf = at(&s->columns[POST_TF], p);
        if (doc < start || doc >= end || q->n_touched > s->max_room) return 0; /* a gain of 0 is noted each time */
        double below = lengths[doc] * q->slope + s->base, *score = &q->scores[doc - start];
        q->touched[q->n_touched] = doc - start;
        q->n_touched += *score == 0;
        *score += weight * tf / (below + tf);
    }
    return 1;
}

/* Where the chunks of a file begin in a boost. */

static Py_ssize_t begin_of(const Boost *boost, int64_t start)
{
    const int64_t *docs = boost->docs.view.buf;
    Py_ssize_t low = 0, high = boost->docs.count;
    while (low < high) {
        Py_ssize_t middle = low + (high - low) / 2;
        if (docs[middle] < start) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void add_boosts(Query *q, int64_t start, int64_t end)
{
    for (Py_ssize_t b = 0; b < q->n_boosts; b++) {
        const int64_t *docs = q->boosts[b].docs.view.buf;
        const double *values = q->boosts[b].values.view.buf;
        for (Py_ssize_t i = begin_of(&q->boosts[b], start); i < q->boosts[b].docs.count && docs[i] < end; i++)
            if (q->scores[docs[i] - start] > 0) q->scores[docs[i] - start] += values[i];
    }
}

/* Sum the shares of the best scores. Comparisons that come out either way cost more than the rest of the work: here are none. */

static inline double larger(double a, double b) { return a > b ? a : b; }
static inline double smaller(double a, double b) { return a > b ? b : a; }

static double sum_best(const Query *q)
{
    double best[SHARES] = {0}, sum = 0;
    for (Py_ssize_t i = 0; i < q->n_touched; i++) {
        double value = q->scores[q->touched[i]];
        for (int place = 0; place < SHARES; place++) {
            double other = smaller(best[place], value);
            best[place] = larger(best[place], value);
            value = other;
        }
    }
    for (int i = 0; i < SHARES; i++) sum += q->segment->shares[i] * best[i];
    return sum;
}

/* Find the best of the chunks that have a score, of equal ones the first. */

static void find_best(const Query *q, int64_t start, Found *one)
{
    int last = q->segment->max_docs - 1;
    double best[MAX_DOCS];
    for (Py_ssize_t i = 0; i < q->n_touched; i++) {
        int64_t doc = start + q->touched[i];
        double value = q->scores[q->touched[i]];
        int place = one->n_docs;
        for (; place && (value > best[place - 1] || (value == best[place - 1] && doc < one->docs[place - 1])); place--)
            if (place <= last) best[place] = best[place - 1], one->docs[place] = one->docs[place - 1];
        if (place <= last) best[place] = value, one->docs[place] = doc;
        one->n_docs += one->n_docs <= last;
    }
}

/* What is not above 0 does not match. */

double shortlist_floor(const Query *q) { return q->n_best < q->k ? DBL_MIN : larger(q->best[0] * SLACK, DBL_MIN); }

static int keep(Query *q, Found one, int64_t start)
{
    if (one.total < shortlist_floor(q)) return 1;
    if (q->n_best < q->k) {
        q->best[q->n_best++] = one.total;
        if (q->n_best == q->k)
            for (Py_ssize_t i = q->k / 2; i-- > 0;) sift_double(q->best, q->k, i);
    } else if (one.total > q->best[0]) {
        q->best[0] = one.total;
        sift_double(q->best, q->k, 0);
    }
    if (q->n_found == q->room_found) {
        Py_ssize_t room = 2 * q->room_found + 64;
        Found *more = realloc(q->found, room * sizeof *more);
        if (!more) return q->trouble = NO_MEMORY, 0;
        q->found = more, q->room_found = room;
    }
    find_best(q, start, &one);
    q->found[q->n_found++] = one;
    return 1;
}

static int score(Query *q, Py_ssize_t file, const uint32_t *places)
{
    const int64_t *file_doc = q->segment->columns[FILE_DOC].view.buf;
    int64_t start = file_doc[file], end = file_doc[file + 1];
    while (q->n_touched) q->scores[q->touched[--q->n_touched]] = 0;
    for (Py_ssize_t t = 0; t < q->n_terms; t++)
        if (places[t] != NOWHERE && !add_gains(q, q->terms[t].weight, places[t], start, end)) return 0;
    add_boosts(q, start, end);
    return keep(q, (Found){.file = file, .total = (sum_best(q) + q->bonus[file]) * q->prior[file]}, start);
}

/* Score some files. Where their postings are is found by going through the terms' files once more, which takes less than looking
   for each. */

static int visit(Query *q)
{
    const Column *files = &q->segment->columns[BOUND_FILE];
    Py_ssize_t n_terms = q->n_terms, n = q->n_next;
    q->n_next = 0;
    memset(q->places, 0xff, (n + 1) * n_terms * sizeof *q->places); /* NOWHERE; the first row is of the files that are not here */
    for (Py_ssize_t i = 0; i < n; i++) q->row[q->next[i]] = (uint32_t)(i + 1);
    for (Py_ssize_t t = 0; t < n_terms; t++)
        for (Py_ssize_t i = q->terms[t].first_file; i < q->terms[t].last_file; i++)
            q->places[q->row[at(files, i)] * n_terms + t] = (uint32_t)i;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t file = q->next[i];
        if (q->reached[file] >= shortlist_floor(q) && !score(q, file, q->places + (i + 1) * n_terms)) return 0;
        q->reached[file] = 0, q->row[file] = 0;
    }
    return 1;
}

/* Score files until no bound reaches the k-th total: the highest bounds first, for they raise that total most. */

static int pick(Query *q)
{
    Py_ssize_t n_files = q->segment->n_files, room = q->n_first, n = 0;
    for (Py_ssize_t file = 0; file < n_files; file++) {
        double bound = q->reached[file];
        if (n < room) {
            if (bound <= 0) continue;
            q->first[n++] = (Candidate){bound, file};
            if (n == room)
                for (Py_ssize_t i = room / 2; i-- > 0;) sift_candidate(q->first, room, i);
        } else if (bound > q->first[0].bound) {
            q->first[0] = (Candidate){bound, file};
            sift_candidate(q->first, room, 0);
        }
    }
    qsort(q->first, n, sizeof *q->first, by_bound_falling);
    for (Py_ssize_t i = 0; i < n; i++) {
        q->next[q->n_next++] = q->first[i].file;
        if ((q->n_next == q->at_a_time || i + 1 == n) && !visit(q)) return 0;
    }
    double floor = shortlist_floor(q);
    for (Py_ssize_t file = 0; file < n_files; file++)
        if (q->reached[file] >= floor) {
            q->next[q->n_next++] = file;
            if (q->n_next < q->at_a_time) continue;
            if (!visit(q)) return 0;
            floor = shortlist_floor(q);
        }
    return visit(q);
}

int shortlist_run(Query *q)
{
    q->trouble = CONTRADICTION;
    return reach(q) && count(q) && raise_bounds(q) && pick(q);
}
