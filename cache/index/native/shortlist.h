/* What shortlist.c works on, and what module.c asks of it. */

#ifndef PENSTOCK_SHORTLIST_H
#define PENSTOCK_SHORTLIST_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>
#include <stdint.h>

#define SHARES 3
#define MAX_DOCS 8
#define PLACES 65536 /* of so many terms in files at a time */
#define NO_MEMORY "no memory"
#define CONTRADICTION "an index that contradicts itself"

/* An array of Python's. */

typedef struct {
    Py_buffer view;
    Py_ssize_t count;
    int is_open;
} Column;

static inline uint32_t at(const Column *column, Py_ssize_t i)
{
    return column->view.itemsize == 2 ? ((const uint16_t *)column->view.buf)[i] : ((const uint32_t *)column->view.buf)[i];
}

static inline int64_t pointer(const Column *column, Py_ssize_t i)
{
    return column->view.itemsize == 4 ? ((const uint32_t *)column->view.buf)[i] : ((const int64_t *)column->view.buf)[i];
}

/* A mapped segment: the arrays that `_COLUMNS` in segment.py names, in that order. */

enum {
    BOUND_FILE, BOUND_MOST, BOUND_FIRST, POST_DOC, POST_TF, DOC_LEN, DOC_FILE, FILE_DOC,
    OFTEN, OFTEN_TERM, SLOT, NAME_PTR, NAME, POST_PTR, BOUND_PTR, N_COLUMNS
};

typedef struct {
    Column columns[N_COLUMNS];
    Py_ssize_t n_files, n_docs, n_terms, row_bytes, max_room;
    double base, step, all_shares, shares[SHARES];
    int max_docs;
} Segment;

/* A query. */

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
    double bound;
    Py_ssize_t file;
} Candidate;

typedef struct {
    double total;
    Py_ssize_t file;
    int n_docs;
    int64_t docs[MAX_DOCS];
} Found;

typedef struct {
    const Segment *segment;
    double slope, unit; /* unit: of a bound's byte */
    Term *terms;
    Boost *boosts;
    FileGain *gains;
    Py_ssize_t n_terms, n_boosts, n_gains, start, k;
    const double *prior;
    const uint8_t *is_live; /* by file; NULL if all are */
    /* Room for what is made on the way. */
    double *bonus, *reached, *most, *scores, *best;
    int64_t *touched;
    Py_ssize_t *next;
    uint8_t *bits;
    uint32_t *row, *places; /* by file: its row; by row and term: its place among the term's files */
    Candidate *first;
    Py_ssize_t n_first, n_best, n_touched, n_next, at_a_time, room_found;
    /* The answer. */
    Found *found;
    Py_ssize_t n_found, n_chunks, n_files;
    const char *trouble;
} Query;

/* Find the first k files; 0 if it cannot be done, `trouble` then says why. Asks nothing of Python. */
int shortlist_run(Query *q);

/* What a file has to reach to be among them. */
double shortlist_floor(const Query *q);

#endif
