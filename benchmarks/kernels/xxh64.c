// 64-bit multiplications and rotations in four lanes, loads of 8 bytes: XXH64 of a buffer.
typedef unsigned long long u64;
enum { SIZE = 1024 };
static const u64 P1 = 0x9E3779B185EBCA87, P2 = 0xC2B2AE3D27D4EB4F, P3 = 0x165667B19E3779F9, P4 = 0x85EBCA77C2B2AE63;
static u64 buffer[SIZE / 8];

static u64 rotated(u64 x, int by) { return x << by | x >> (64 - by); }
static u64 stirred(u64 lane, u64 input) { return rotated(lane + input * P2, 31) * P1; }
static u64 merged(u64 hash, u64 lane) { return (hash ^ stirred(0, lane)) * P1 + P4; }

static u64 xxh64(const u64 *at, u64 seed) {
    u64 a = seed + P1 + P2, b = seed + P2, c = seed, d = seed - P1;
    for (const u64 *end = at + SIZE / 8; at < end; at += 4)
        a = stirred(a, at[0]), b = stirred(b, at[1]), c = stirred(c, at[2]), d = stirred(d, at[3]);
    u64 hash = rotated(a, 1) + rotated(b, 7) + rotated(c, 12) + rotated(d, 18);
    hash = merged(merged(merged(merged(hash, a), b), c), d) + SIZE;
    hash = (hash ^ hash >> 33) * P2;
    hash = (hash ^ hash >> 29) * P3;
    return hash ^ hash >> 32;
}

unsigned run(unsigned n) {
    u64 sum = 0;
    for (unsigned k = 0; k < SIZE / 8; k++) buffer[k] = k * P3;
    for (unsigned i = 0; i < n; i++) sum = sum * 31 + xxh64(buffer, i);
    return (unsigned)(sum ^ sum >> 32);
}
