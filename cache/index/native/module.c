/* From Python to shortlist.c and back: arrays in, lists out. */

#include "shortlist.h"

#include <stdlib.h>
#include <string.h>

#define WITHOUT_LOCK 200000 /* entries, from which on other threads may run meanwhile: about .2 ms */

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
           s->columns[OFTEN].count == s->columns[OFTEN_TERM].count * s->row_bytes && s->columns[DOC_FILE].count == s->n_docs &&
           s->columns[POST_TF].count == s->columns[POST_DOC].count &&
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
    if (!PyErr_Occurred() && !measure(s)) PyErr_SetString(PyExc_ValueError, CONTRADICTION);
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
    PyErr_SetString(PyExc_ValueError, CONTRADICTION);
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
    double floor = shortlist_floor(q);
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
    return q->bonus && q->reached && (q->most || !q->n_boosts) && q->scores && q->touched && q->row && q->places && q->next &&
           q->best && q->bits && q->first;
}

static PyObject *find(Query *q)
{
    Py_ssize_t entries = q->segment->n_files;
    for (Py_ssize_t t = 0; t < q->n_terms; t++) entries += q->terms[t].last_file - q->terms[t].first_file;
    if (!make_room(q)) return PyErr_NoMemory();
    int is_done;
    if (entries > WITHOUT_LOCK) {
        Py_BEGIN_ALLOW_THREADS
        is_done = shortlist_run(q);
        Py_END_ALLOW_THREADS
    } else
        is_done = shortlist_run(q);
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
