// Byte loads and stores side by side: a copy that is a loop.
enum { SIZE = 1000 };
static unsigned char from[SIZE + 8], to[SIZE + 8];

static void copy(volatile unsigned char *target, const unsigned char *source, unsigned size) {
    for (unsigned k = 0; k < size; k++) target[k] = source[k];
}

unsigned run(unsigned n) {
    unsigned sum = 0;
    for (unsigned k = 0; k < SIZE; k++) from[k] = k * 7 + (k >> 3);
    for (unsigned i = 0; i < n; i++) {
        copy(to + (i & 7), from, SIZE);
        sum = sum * 31 + to[(i + 9) % SIZE];
    }
    return sum;
}
