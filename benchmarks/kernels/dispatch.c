// A switch in a loop and calls through a table: an interpreter of a small program.
typedef unsigned (*Operation)(unsigned, unsigned);
static unsigned add(unsigned a, unsigned b) { return a + b; }
static unsigned mix(unsigned a, unsigned b) { return (a ^ b) * 0x9E3779B1; }
static unsigned turn(unsigned a, unsigned b) { return a << (b & 7) | a >> (31 - (b & 7)); }
static unsigned less(unsigned a, unsigned b) { return a < b ? b - a : a - b; }
static Operation volatile operations[4] = {add, mix, turn, less};
static volatile unsigned char program[] = {0, 1, 4, 2, 5, 8, 3, 6, 9, 4, 7, 10, 5, 1, 6, 8, 11, 7, 2, 10};

unsigned run(unsigned n) {
    unsigned a = 1, b = 2, c = 3;
    for (unsigned i = 0; i < n * 10; i++) {
        for (unsigned at = 0; at < sizeof program; at++) {
            switch (program[at]) {
            case 0: a += b; break;
            case 1: b ^= a << 3; break;
            case 2: c -= a; break;
            case 3: a = b * c + i; break;
            case 4: b = a >> 5 | c; break;
            case 5: c = (a & 1) ? b : a; break;
            case 6: if (a > b) { unsigned t = a; a = b; b = t; } break;
            case 7: c += at; break;
            case 8: case 9: case 10: case 11: a = operations[program[at] - 8](a, b + c); break;
            default: return 0;
            }
        }
    }
    return a ^ b ^ c;
}
