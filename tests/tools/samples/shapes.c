#include <stdio.h>
#include "local.h"

#define LIMIT 10
#define SQUARE(x) ((x) * (x))

typedef struct {
    int width, *rows;
    void (*draw)(int);
} Box;

struct shape {
    char name[20];
    unsigned flags : 3;
};

enum color { RED, GREEN = 2 };
union value { int i; float f; };

typedef int (*callback)(void *);
typedef unsigned long ulong_t;

static int counter = 0;
extern int shared;
int compare(const void *a, const void *b);

/* Computes the area.
   Slowly. */
static double
area(const struct shape *s, double scale)
{
    return helper(s->name, SQUARE(scale));
}

char *name_of(int kind) { return NULL; }
