/* The inner loops of shortlist.py: the same files, totals and chunks, in some 30 us instead of some 200.

   What it computes, and why that is exact, is said in shortlist.py and bounds.py, which also work without it. The sums are made in
   the same order, so the scores are the same to the last digit. What differs is how files are picked: one at a time, the highest bound first,
   until no bound reaches the k-th total.

   Everything that is read from a mapped segment and used as an index is checked: a segment that contradicts itself
   raises ValueError, whatever it holds. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>
#include <float.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SHARES 3
#define MAX_DOCS 8
#define NOWHERE UINT32_MAX
#define NO_MEMORY "no memory"
#define SLACK (1 - 1e-9)
#define PLACES 65536 /* of so many terms in files at a time */
#define WITHOUT_LOCK 200000 /* entries, from which other threads may run meanwhile: about .2 ms */

typedef struct {
    Py_buffer view;
    Py_ssize_t count;
    int is_open;
} Column;

enum { BOUND_FILE, BOUND_MOST, BOUND_FIRST, POST_DOC, POST_TF, DOC_LEN, DOC_FILE, FILE_DOC, OFTEN, OFTEN_TERM, SLOT, NAME_PTR, NAME, POST_PTR, BOUND_PTR, N_COLUMNS };

typedef struct {
    Column columns[N_COLUMNS];
    Py_ssize_t n_files, n_docs, n_terms, row_bytes, max_room;
    double base, step, all_shares, shares[SHARES];
    int max_docs;
} Segment;

typedef struct {
    double weight;
    Py_ssize_t first, last, first_file, last_file, row;
} Term;

typedef struct {
    Column docs, values;
} Boost;

typedef struct {
    Column files;
    double gain;
} FileGain;

typedef struct {
    double total;
    Py_ssize_t file;
    int n_docs;
    int64_t docs[MAX_DOCS];
} Found;

typedef struct {
    double bound;
    Py_ssize_t file;
} Candidate;

typedef struct {
    const Segment *segment;
    double slope, unit; /* of a bound's byte */
    Term *terms;
    Boost *boosts;
    FileGain *gains;
    Py_ssize_t n_terms, n_boosts, n_gains, start, k;
    const double *prior;
    const uint8_t *is_live;
    /* Made on the way: */
    double *bonus, *reached, *most, *scores, *best;
    int64_t *touched;
    Py_ssize_t *next;
    uint8_t *bits;
    uint32_t *row, *places; /* by file: its row; by row and term: its place among the term's files */
    Candidate *first;
    Found *found;
    Py_ssize_t n_first, n_best, n_touched, n_next, at_a_time, n_found, room_found, n_chunks, n_files;
    const char *trouble;
} Query;

static inline int64_t pointer(const Column *column, Py_ssize_t i)
{
    return column->view.itemsize == 4 ? ((const uint32_t *)column->view.buf)[i] : ((const int64_t *)column->view.buf)[i];
}

static inline uint32_t at(const Column *column, Py_ssize_t i)
{
    return column->view.itemsize == 2 ? ((const uint16_t *)column->view.buf)[i] : ((const uint32_t *)column->view.buf)[i];
}

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

static int raise(Query *q)
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
        if (doc < start || doc >= end || tf == 0) return 0;
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

/* What a file has to reach; what is not above 0 does not match. */

static double floor_of(const Query *q) { return q->n_best < q->k ? DBL_MIN : larger(q->best[0] * SLACK, DBL_MIN); }

static int keep(Query *q, Found one, int64_t start)
{
    if (one.total < floor_of(q)) return 1;
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
        if (q->reached[file] >= floor_of(q) && !score(q, file, q->places + (i + 1) * n_terms)) return 0;
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
    double floor = floor_of(q);
    for (Py_ssize_t file = 0; file < n_files; file++)
        if (q->reached[file] >= floor) {
            q->next[q->n_next++] = file;
            if (q->n_next < q->at_a_time) continue;
            if (!visit(q)) return 0;
            floor = floor_of(q);
        }
    return visit(q);
}

static int run(Query *q)
{
    q->trouble = "an index that contradicts itself";
    return reach(q) && count(q) && raise(q) && pick(q);
}

/* From Python and back. */

static void close_column(Column *column)
{
    if (column->is_open) PyBuffer_Release(&column->view);
    column->is_open = 0;
}

static int open_column(PyObject *array, Column *column, Py_ssize_t smallest, Py_ssize_t largest)
{
    if (PyObject_GetBuffer(array, &column->view, PyBUF_C_CONTIGUOUS) < 0) return 0;
    column->is_open = 1;
    column->count = column->view.len / column->view.itemsize;
    if (column->view.itemsize >= smallest && column->view.itemsize <= largest) return 1;
    PyErr_SetString(PyExc_ValueError, "an array of another width");
    return 0;
}

static void free_segment(Segment *segment)
{
    for (int i = 0; i < N_COLUMNS; i++) close_column(&segment->columns[i]);
    free(segment);
}

static void drop_segment(PyObject *capsule)
{
    Segment *segment = PyCapsule_GetPointer(capsule, "penstock.segment");
    if (segment) free_segment(segment);
}

static int measure(Segment *s)
{
    const int64_t *file_doc = s->columns[FILE_DOC].view.buf;
    s->n_files = s->columns[FILE_DOC].count - 1;
    s->n_docs = s->columns[DOC_LEN].count;
    s->row_bytes = (s->n_docs + 7) / 8;
    if (s->n_files < 0 || file_doc[0] != 0 || file_doc[s->n_files] != s->n_docs) return 0;
    for (Py_ssize_t file = 0; file < s->n_files; file++) {
        if (file_doc[file] > file_doc[file + 1]) return 0;
        if (file_doc[file + 1] - file_doc[file] > s->max_room) s->max_room = file_doc[file + 1] - file_doc[file];
    }
    s->n_terms = s->columns[POST_PTR].count - 1;
    return s->n_terms >= 0 && s->columns[BOUND_PTR].count == s->n_terms + 1 && s->columns[NAME_PTR].count == s->n_terms + 1 &&
           s->columns[SLOT].count > s->n_terms * 4 / 3 + 1 &&
           s->columns[OFTEN].count == s->columns[OFTEN_TERM].count * s->row_bytes && s->columns[DOC_FILE].count == s->n_docs && s->columns[POST_TF].count == s->columns[POST_DOC].count &&
           s->columns[BOUND_MOST].count == s->columns[BOUND_FILE].count &&
           s->columns[BOUND_FIRST].count == s->columns[BOUND_FILE].count + 1;
}

static PyObject *open_segment(PyObject *Py_UNUSED(self), PyObject *args)
{
    static const Py_ssize_t widths[N_COLUMNS][2] = {{2, 4}, {1, 1}, {4, 4}, {2, 4}, {2, 4}, {4, 4}, {4, 4}, {8, 8}, {1, 1},
                                                   {4, 4}, {4, 4}, {4, 8}, {1, 1}, {4, 8}, {4, 8}};
    PyObject *columns, *shares;
    Segment *s = calloc(1, sizeof *s);
    if (!s) return PyErr_NoMemory();
    if (!PyArg_ParseTuple(args, "O!ddO!i", &PyTuple_Type, &columns, &s->base, &s->step, &PyTuple_Type, &shares, &s->max_docs))
        goto failed;
    if (PyTuple_Size(columns) != N_COLUMNS || PyTuple_Size(shares) != SHARES || s->max_docs < SHARES || s->max_docs > MAX_DOCS) {
        PyErr_SetString(PyExc_ValueError, "another formula");
        goto failed;
    }
    for (int i = 0; i < SHARES; i++) s->all_shares += s->shares[i] = PyFloat_AsDouble(PyTuple_GetItem(shares, i));
    for (int i = 0; i < N_COLUMNS; i++)
        if (!open_column(PyTuple_GetItem(columns, i), &s->columns[i], widths[i][0], widths[i][1])) goto failed;
    if (!PyErr_Occurred() && !measure(s)) PyErr_SetString(PyExc_ValueError, "an index that contradicts itself");
    if (PyErr_Occurred()) goto failed;
    PyObject *capsule = PyCapsule_New(s, "penstock.segment", drop_segment);
    if (capsule) return capsule;
failed:
    free_segment(s);
    return NULL;
}

/* Look a term up, as Vocabulary.find and what follows it do. */

static Py_ssize_t row_of(const Segment *s, uint32_t tid)
{
    const uint32_t *often = s->columns[OFTEN_TERM].view.buf;
    Py_ssize_t low = 0, high = s->columns[OFTEN_TERM].count;
    while (low < high) {
        Py_ssize_t middle = low + (high - low) / 2;
        if (often[middle] < tid) low = middle + 1;
        else high = middle;
    }
    return low < s->columns[OFTEN_TERM].count && often[low] == tid ? low : -1;
}

static PyObject *find_term(PyObject *Py_UNUSED(self), PyObject *args)
{
    PyObject *capsule;
    const char *key;
    Py_ssize_t length;
    unsigned long long number;
    if (!PyArg_ParseTuple(args, "Oy#K", &capsule, &key, &length, &number)) return NULL;
    const Segment *s = PyCapsule_GetPointer(capsule, "penstock.segment");
    if (!s) return NULL;
    const uint32_t *slots = s->columns[SLOT].view.buf;
    const char *names = s->columns[NAME].view.buf;
    for (uint64_t place = number % (uint64_t)(s->n_terms * 4 / 3 + 1); (Py_ssize_t)place < s->columns[SLOT].count; place++) {
        Py_ssize_t tid = (Py_ssize_t)slots[place] - 1;
        if (tid < 0) Py_RETURN_NONE;
        if (tid >= s->n_terms) break;
        int64_t first = pointer(&s->columns[NAME_PTR], tid), last = pointer(&s->columns[NAME_PTR], tid + 1);
        if (first < 0 || first > last || last > s->columns[NAME].count) break;
        if (last - first == length && !memcmp(names + first, key, length))
            return Py_BuildValue("nLLLLn", tid, pointer(&s->columns[POST_PTR], tid), pointer(&s->columns[POST_PTR], tid + 1),
                                 pointer(&s->columns[BOUND_PTR], tid), pointer(&s->columns[BOUND_PTR], tid + 1),
                                 row_of(s, (uint32_t)tid));
    }
    PyErr_SetString(PyExc_ValueError, "an index that contradicts itself");
    return NULL;
}

static int parse_terms(PyObject *held, Query *q)
{
    const Segment *s = q->segment;
    for (Py_ssize_t t = 0; t < q->n_terms; t++) {
        Term *term = &q->terms[t];
        if (!PyArg_ParseTuple(PyList_GetItem(held, t), "d(nnnnn)", &term->weight, &term->first, &term->last, &term->first_file,
                              &term->last_file, &term->row))
            return 0;
        if (!(term->weight > 0) || term->first < 0 || term->first > term->last || term->last > s->columns[POST_DOC].count ||
            term->first_file < 0 || term->first_file > term->last_file || term->last_file > s->columns[BOUND_FILE].count ||
            (term->row >= 0 && (term->row + 1) * s->row_bytes > s->columns[OFTEN].count)) {
            PyErr_SetString(PyExc_ValueError, "a term that is not in this segment");
            return 0;
        }
    }
    return 1;
}

static int parse_boosts(PyObject *boosts, Query *q)
{
    for (Py_ssize_t b = 0; b < q->n_boosts; b++) {
        PyObject *docs, *values;
        if (!PyArg_ParseTuple(PyList_GetItem(boosts, b), "OO", &docs, &values)) return 0;
        if (!open_column(docs, &q->boosts[b].docs, 8, 8) || !open_column(values, &q->boosts[b].values, 8, 8)) return 0;
        if (q->boosts[b].docs.count != q->boosts[b].values.count) {
            PyErr_SetString(PyExc_ValueError, "as many values as chunks");
            return 0;
        }
    }
    return 1;
}

static int parse_gains(PyObject *gains, Query *q)
{
    for (Py_ssize_t g = 0; g < q->n_gains; g++) {
        PyObject *files;
        if (!PyArg_ParseTuple(PyList_GetItem(gains, g), "Od", &files, &q->gains[g].gain)) return 0;
        if (!open_column(files, &q->gains[g].files, 8, 8)) return 0;
    }
    return 1;
}

static PyObject *answer(const Query *q)
{
    double floor = floor_of(q);
    PyObject *files = PyList_New(0), *totals = PyList_New(0), *docs = PyList_New(0);
    for (Py_ssize_t i = 0; files && totals && docs && i < q->n_found; i++) {
        const Found *one = &q->found[i];
        if (one->total < floor) continue;
        PyObject *file = PyLong_FromSsize_t(one->file), *total = PyFloat_FromDouble(one->total), *best = PyTuple_New(one->n_docs);
        int is_bad = !file || !total || !best;
        for (int d = 0; !is_bad && d < one->n_docs; d++) {
            PyObject *doc = PyLong_FromLongLong(one->docs[d]);
            is_bad = !doc || PyTuple_SetItem(best, d, doc) < 0;
        }
        is_bad = is_bad || PyList_Append(files, file) < 0 || PyList_Append(totals, total) < 0 || PyList_Append(docs, best) < 0;
        Py_XDECREF(file), Py_XDECREF(total), Py_XDECREF(best);
        if (is_bad) break;
    }
    if (!PyErr_Occurred()) return Py_BuildValue("NNNnn", files, totals, docs, q->n_chunks, q->n_files);
    Py_XDECREF(files), Py_XDECREF(totals), Py_XDECREF(docs);
    return NULL;
}

static int make_room(Query *q)
{
    const Segment *s = q->segment;
    q->n_first = 2 * q->k, q->at_a_time = PLACES / (q->n_terms + 1) + 1;
    if (q->at_a_time > s->n_files + 1) q->at_a_time = s->n_files + 1;
    q->bonus = calloc(s->n_files + 1, sizeof *q->bonus);
    q->reached = calloc(s->n_files + 1, sizeof *q->reached);
    q->most = q->n_boosts ? malloc((s->n_files + 1) * sizeof *q->most) : NULL;
    q->scores = calloc(s->max_room + 1, sizeof *q->scores);
    q->touched = malloc((s->max_room + 1) * sizeof *q->touched);
    q->best = malloc(q->k * sizeof *q->best);
    q->row = calloc(s->n_files + 1, sizeof *q->row);
    q->places = malloc(((q->at_a_time + 1) * q->n_terms + 1) * sizeof *q->places);
    q->next = malloc(q->at_a_time * sizeof *q->next);
    q->bits = calloc(s->row_bytes + 1, 1);
    q->first = malloc(q->n_first * sizeof *q->first);
    return q->bonus && q->reached && (q->most || !q->n_boosts) && q->scores && q->touched && q->row && q->places && q->next && q->best &&
           q->bits && q->first;
}

static PyObject *find(Query *q)
{
    Py_ssize_t entries = q->segment->n_files;
    for (Py_ssize_t t = 0; t < q->n_terms; t++) entries += q->terms[t].last_file - q->terms[t].first_file;
    if (!make_room(q)) return PyErr_NoMemory();
    int is_done;
    if (entries > WITHOUT_LOCK) {
        Py_BEGIN_ALLOW_THREADS
        is_done = run(q);
        Py_END_ALLOW_THREADS
    } else
        is_done = run(q);
    if (is_done) return answer(q);
    PyErr_SetString(!strcmp(q->trouble, NO_MEMORY) ? PyExc_MemoryError : PyExc_ValueError, q->trouble);
    return NULL;
}

static int parse(PyObject *args, Query *q, Column *prior, Column *live_files)
{
    PyObject *capsule, *held, *boosts, *gains, *priors, *live;
    double stretch;
    if (!PyArg_ParseTuple(args, "OddO!O!O!nOOn", &capsule, &q->slope, &stretch, &PyList_Type, &held, &PyList_Type, &boosts,
                          &PyList_Type, &gains, &q->start, &priors, &live, &q->k))
        return 0;
    if (!(q->segment = PyCapsule_GetPointer(capsule, "penstock.segment"))) return 0;
    q->k = q->k < 1 ? 1 : q->k > q->segment->n_files + 1 ? q->segment->n_files + 1 : q->k;
    q->unit = q->segment->step * stretch;
    q->n_terms = PyList_Size(held), q->n_boosts = PyList_Size(boosts), q->n_gains = PyList_Size(gains);
    q->terms = calloc(q->n_terms + 1, sizeof *q->terms);
    q->boosts = calloc(q->n_boosts + 1, sizeof *q->boosts);
    q->gains = calloc(q->n_gains + 1, sizeof *q->gains);
    if (!q->terms || !q->boosts || !q->gains) return PyErr_NoMemory(), 0;
    if (!parse_terms(held, q) || !parse_boosts(boosts, q) || !parse_gains(gains, q)) return 0;
    if (!open_column(priors, prior, 8, 8) || (live != Py_None && !open_column(live, live_files, 1, 1))) return 0;
    q->prior = prior->view.buf, q->is_live = live == Py_None ? NULL : live_files->view.buf;
    if (prior->count == q->segment->n_files && (live == Py_None || live_files->count == q->segment->n_files)) return 1;
    PyErr_SetString(PyExc_ValueError, "a number for each file");
    return 0;
}

static PyObject *shortlist(PyObject *Py_UNUSED(self), PyObject *args)
{
    Query q = {0};
    Column prior = {0}, live = {0};
    PyObject *found = parse(args, &q, &prior, &live) ? find(&q) : NULL;
    close_column(&prior), close_column(&live);
    for (Py_ssize_t b = 0; q.boosts && b < q.n_boosts; b++) close_column(&q.boosts[b].docs), close_column(&q.boosts[b].values);
    for (Py_ssize_t g = 0; q.gains && g < q.n_gains; g++) close_column(&q.gains[g].files);
    void *rooms[] = {q.terms, q.boosts, q.gains, q.bonus, q.reached, q.most,  q.scores, q.touched,
                     q.best,  q.bits,   q.first, q.row,   q.places,  q.next, q.found};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) free(rooms[i]);
    return found;
}

static PyMethodDef methods[] = {
    {"open_segment", open_segment, METH_VARARGS, NULL},
    {"find_term", find_term, METH_VARARGS, NULL},
    {"shortlist", shortlist, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "_shortlist", .m_methods = methods, .m_slots = slots,
};

PyMODINIT_FUNC PyInit__shortlist(void) { return PyModuleDef_Init(&module); }
