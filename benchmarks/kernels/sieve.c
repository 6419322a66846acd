// Byte stores with a stride, and byte loads: the sieve of Eratosthenes.
enum { SIZE = 256 };
static unsigned char composite[SIZE];

unsigned run(unsigned n) {
    unsigned sum = 0;
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = 0; k < SIZE; k++) composite[k] = 0;
        for (unsigned k = 2; k < SIZE; k++) {
            if (composite[k]) continue;
            sum = sum * 31 + k;
            for (unsigned m = k + k; m < SIZE; m += k) composite[m] = 1;
        }
    }
    return sum;
}
