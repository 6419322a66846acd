/* A little of everything that a variable can be. Built by build.sh. */

typedef unsigned int size;
typedef struct { int x, y; } point;
enum colour { RED, GREEN = 5, BLUE };
union either { int whole; float part; };

struct shape {
    const char *name;
    enum colour colour;
    point corners[3];
    union either either;
    struct shape *next;
    unsigned char flags : 3;
    unsigned char level : 5;
    double area;
    _Bool closed;
};

__attribute__((import_module("env"), import_name("pause"))) void pause_here(int);

static int total;

static inline __attribute__((always_inline)) int squared(int side) {
    int result = side * side;
    pause_here(result);
    return result;
}

__attribute__((noinline)) int sum(const point *points, size count) {
    int found = 0;
    for (size index = 0; index < count; index++) {
        int part = points[index].x * points[index].y;
        pause_here(part);
        found += part;
    }
    total += found;
    return found;
}

__attribute__((noinline)) long long mixed(int small, long long large, float single, double whole) {
    long long result = small + large;
    volatile double kept = single + whole;
    pause_here((int)result);
    return result + (long long)kept;
}

__attribute__((export_name("run"))) int run(int argument) {
    point points[2] = {{1, 2}, {3, argument}};
    struct shape second = {.name = "second", .colour = BLUE, .area = 2.5};
    struct shape shape = {
        .name = "first \"one\"\n", .colour = GREEN, .corners = {{1, -1}, {2, -2}, {3, -3}}, .either = {.whole = 7},
        .next = &second, .flags = 5, .level = 17, .area = -0.5, .closed = 1,
    };
    char letter = 'A';
    int *pointer = &points[1].y;
    int (*called)(const point *, size) = sum;
    pause_here(shape.corners[1].x + (int)shape.next->area);
    int result = called(points, 2) + squared(argument) + (int)mixed(argument, 1LL << 40, 1.5f, 2.25);
    return result + *pointer + letter;
}
