/* Text, static data with relocations, calls into the C library, and an array on the stack. */
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    const char *plural;
    int (*print)(FILE *, int);
};

static int in_full(FILE *out, int count)
{
    char text[64];
    int length = snprintf(text, sizeof text, "%d", count);
    return length < 0 ? length : (int)fwrite(text, 1, strlen(text), out);
}

static int as_number(FILE *out, int count)
{
    return fprintf(out, "%08x", (unsigned)count);
}

static const struct unit units[] = {
    {"job", "jobs", in_full},
    {"slot", "slots", in_full},
    {"mask", "masks", as_number},
};

int print_count(FILE *out, const char *name, int count)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(units[i].name, name))
            continue;
        if (units[i].print(out, count) < 0)
            return -1;
        return fprintf(out, " %s\n", count == 1 ? units[i].name : units[i].plural);
    }
    return -1;
}
