// f64 arithmetic on records in memory: the planets of the benchmarks game.
typedef struct { double x, y, z, vx, vy, vz, mass; } Body;
enum { BODIES = 5 };
#define PI 3.141592653589793
#define SOLAR_MASS (4 * PI * PI)
#define YEAR 365.24
static Body bodies[BODIES] = {
    {0, 0, 0, 0, 0, 0, SOLAR_MASS},
    {4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.00166007664274403694 * YEAR,
     0.00769901118419740425 * YEAR, -0.0000690460016972063023 * YEAR, 0.000954791938424326609 * SOLAR_MASS},
    {8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -0.00276742510726411 * YEAR,
     0.00499852801234917238 * YEAR, 0.0000230417297573763929 * YEAR, 0.000285885980666130812 * SOLAR_MASS},
    {12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 0.00296460137564761618 * YEAR,
     0.00237847173959480950 * YEAR, -0.0000296589568540237556 * YEAR, 0.0000436624404335156298 * SOLAR_MASS},
    {15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.00268067772490389322 * YEAR,
     0.00162824170038242295 * YEAR, -0.0000951592254519715870 * YEAR, 0.0000515138902046611451 * SOLAR_MASS},
};

static void advance(double dt) {
    for (int i = 0; i < BODIES; i++) {
        Body *one = &bodies[i];
        for (int j = i + 1; j < BODIES; j++) {
            Body *two = &bodies[j];
            double dx = one->x - two->x, dy = one->y - two->y, dz = one->z - two->z;
            double square = dx * dx + dy * dy + dz * dz;
            double magnitude = dt / (square * __builtin_sqrt(square));
            one->vx -= dx * two->mass * magnitude, two->vx += dx * one->mass * magnitude;
            one->vy -= dy * two->mass * magnitude, two->vy += dy * one->mass * magnitude;
            one->vz -= dz * two->mass * magnitude, two->vz += dz * one->mass * magnitude;
        }
    }
    for (Body *body = bodies; body < bodies + BODIES; body++)
        body->x += dt * body->vx, body->y += dt * body->vy, body->z += dt * body->vz;
}

unsigned run(unsigned n) {
    for (unsigned i = 0; i < n * 8; i++) advance(0.01);
    return (unsigned)(bodies[0].x * 1e6) ^ (unsigned)(bodies[1].y * 1e6 + 1e8);
}
