// One 64-bit multiplication a byte, each waiting for the last: FNV-1a of a buffer.
enum { SIZE = 1000 };
static unsigned char buffer[SIZE];

static unsigned long long fnv64(const unsigned char *at, unsigned size) {
    unsigned long long hash = 0xcbf29ce484222325;
    for (const unsigned char *end = at + size; at < end; at++) hash = (hash ^ *at) * 0x100000001b3;
    return hash;
}

unsigned run(unsigned n) {
    unsigned sum = 0;
    for (unsigned k = 0; k < SIZE; k++) buffer[k] = k * 7 + (k >> 3);
    for (unsigned i = 0; i < n; i++) {
        unsigned long long hash = fnv64(buffer, SIZE);
        buffer[i % SIZE] ^= hash;
        sum = sum * 31 + (unsigned)(hash >> 32);
    }
    return sum;
}
