/* One type and one variant of `_pooling_steps.h`: SKML_T, SKML_TARGET, SKML_BYTES.

   The weights of a query i are key_weight_j exp(score_ij - shift_i); pooled values are
   their sums with the values, divided by their sum. Scores are

       gaussian   -|q - k|^2 / 2      laplace   -|q - k|      dot product   q . k

   Distances come from differences, so that nothing cancels. The shift is zero, or, for
   dot products, |q| max |k|, so that no exponential overflows. If all weights of a query
   underflow, it is done again with its greatest score as the shift.

   What a query gets does not depend on its neighbours: each goes through the same
   operations in the same order, wherever it stands in a tile. */

#define LANES ((ptrdiff_t)(SKML_BYTES / sizeof(SKML_T)))
#define STEP (SKML_VECTORS * LANES)
#define VEC SKML_NAME(vec)
#define INT SKML_NAME(int)
#define KEYS SKML_NAME(keys_t)
#define ROWS SKML_NAME(rows_t)
#define IS_FLOAT (sizeof(SKML_T) == 4)
#define SKML_FUNCTION SKML_TARGET static inline __attribute__((always_inline))

#define SKML_INT_OF_float int32_t
#define SKML_INT_OF_double int64_t
#define SKML_INT_OF_(T) SKML_INT_OF_##T
#define SKML_INT_OF(T) SKML_INT_OF_(T)
typedef SKML_T VEC __attribute__((vector_size(SKML_BYTES), aligned(sizeof(SKML_T)),
                                  may_alias));
typedef SKML_INT_OF(SKML_T) INT __attribute__((vector_size(SKML_BYTES),
                                               aligned(sizeof(SKML_T)), may_alias));

typedef struct {
    ptrdiff_t n_keys, width, n_values;
    const SKML_T *keys, *values, *key_weights;
    int score;
    ptrdiff_t block; /* how many keys are packed together, a multiple of STEP */
    /* a block, columns first, with zeros at the end */
    SKML_T *packed_keys, *packed_values, *packed_weights;
    SKML_T *tile; /* SKML_QUERIES rows of `block` scores, and then weights */
} KEYS;

/* Queries that go over all keys together; `room` of them at most. */
typedef struct {
    ptrdiff_t room, n;
    ptrdiff_t *positions;
    SKML_T *packed; /* tile by tile, columns first */
    SKML_T *shifts;
    double *sums; /* rows of 1 + n_values: of weights, and of weights times values */
} ROWS;

SKML_FUNCTION ptrdiff_t SKML_NAME(least)(ptrdiff_t a, ptrdiff_t b)
{
    return a < b ? a : b;
}

SKML_FUNCTION VEC SKML_NAME(load)(const SKML_T *from) { return *(const VEC *)from; }

SKML_FUNCTION void SKML_NAME(store)(SKML_T *to, VEC value) { *(VEC *)to = value; }

SKML_FUNCTION VEC SKML_NAME(all)(SKML_T value) { return value - (VEC){0}; }

SKML_FUNCTION SKML_T SKML_NAME(sum)(VEC v)
{
    SKML_T part[SKML_BYTES / sizeof(SKML_T)];
    memcpy(part, &v, sizeof part);
    for (ptrdiff_t half = LANES / 2; half > 0; half /= 2)
        for (ptrdiff_t i = 0; i < half; i++) part[i] += part[i + half];
    return part[0];
}

/* exp(x) for x <= 0: 2**n times a polynomial in the rest, found by interpolation at
   Chebyshev's points; relative error below 3e-7, or 1e-15. Zero where the result would
   be less than the least normal number, and for positive x, which only keys that do not
   count have. */
SKML_FUNCTION VEC SKML_NAME(exp)(VEC x)
{
    const SKML_T magic = IS_FLOAT ? (SKML_T)12582912.0 : (SKML_T)6755399441055744.0;
    const SKML_T least = IS_FLOAT ? (SKML_T)-87.0 : (SKML_T)-708.0;
    const SKML_T high = IS_FLOAT ? (SKML_T)0.693145751953125
                                 : (SKML_T)0.69314718036912381649;
    const SKML_T low = IS_FLOAT ? (SKML_T)1.42860682030941723212e-6
                                : (SKML_T)1.90821492927058770002e-10;
    const INT is_in = (INT)(x > least) & (INT)(x <= 0);
    const VEC shifted = x * (SKML_T)1.44269504088896340736 + magic;
    const VEC power = shifted - magic;
    const VEC rest = (x - power * high) - power * low;
    VEC series;
    if (IS_FLOAT) {
        series = rest * (SKML_T)1.39337307157920825e-3 + (SKML_T)8.369220291803607e-3;
        series = series * rest + (SKML_T)4.16664641974056923e-2;
        series = series * rest + (SKML_T)1.66665046130326106e-1;
    } else {
        series = rest * (SKML_T)2.510531272962210e-8 + (SKML_T)2.762649554643220e-7;
        series = series * rest + (SKML_T)2.755725517000088744e-6;
        series = series * rest + (SKML_T)2.480150401442690507e-5;
        series = series * rest + (SKML_T)1.984126987500227879e-4;
        series = series * rest + (SKML_T)1.388888893275100025e-3;
        series = series * rest + (SKML_T)8.333333333326083120e-3;
        series = series * rest + (SKML_T)4.166666666657239146e-2;
        series = series * rest + (SKML_T)1.666666666666667103e-1;
    }
    series = series * rest + (SKML_T)0.5;
    series = series * rest + (SKML_T)1.0;
    series = series * rest + (SKML_T)1.0;
    return (VEC)(is_in & ((INT)series + ((INT)shifted << (IS_FLOAT ? 23 : 52))));
}

/* The root of x >= 0: Newton's steps to 1 / sqrt(x) from a guess by the exponent. */
SKML_FUNCTION VEC SKML_NAME(sqrt)(VEC x)
{
    const SKML_INT_OF(SKML_T) magic = IS_FLOAT
                                        ? (SKML_INT_OF(SKML_T))0x5f375a86
                                        : (SKML_INT_OF(SKML_T))0x5fe6eb50c7b537a9;
    VEC root = (VEC)(magic - ((INT)x >> 1));
    for (int i = 0; i < (IS_FLOAT ? 3 : 4); i++)
        root = root * ((SKML_T)1.5 - ((SKML_T)0.5 * x * root) * root);
    return x * root;
}

/* Scores of n queries of a tile and the keys of the packed block. */
SKML_FUNCTION void SKML_NAME(scores)(const KEYS *k, const SKML_T *queries,
                                     const int score, const int n, ptrdiff_t n_packed)
{
    const ptrdiff_t block = k->block;
    for (ptrdiff_t j = 0; j < n_packed; j += STEP) {
        VEC sums[SKML_QUERIES][SKML_VECTORS];
        for (int i = 0; i < n; i++)
            for (int v = 0; v < SKML_VECTORS; v++) sums[i][v] = (VEC){0};
        const SKML_T *key = k->packed_keys + j, *query = queries;
        for (ptrdiff_t d = 0; d < k->width; d++, key += block, query += SKML_QUERIES) {
            VEC keys[SKML_VECTORS];
            for (int v = 0; v < SKML_VECTORS; v++)
                keys[v] = SKML_NAME(load)(key + v * LANES);
            for (int i = 0; i < n; i++)
                for (int v = 0; v < SKML_VECTORS; v++) {
                    VEC a = keys[v], b = SKML_NAME(all)(query[i]);
                    if (score != SKML_DOT) a = b = a - b;
                    sums[i][v] += a * b;
                }
        }
        for (int i = 0; i < n; i++)
            for (int v = 0; v < SKML_VECTORS; v++) {
                VEC s = sums[i][v];
                if (score == SKML_GAUSSIAN) s *= (SKML_T)-0.5;
                if (score == SKML_LAPLACE) s = -SKML_NAME(sqrt)(s);
                SKML_NAME(store)(k->tile + i * block + j + v * LANES, s);
            }
    }
}

/* The same for a tile that may be short: one by one if that is less work. */
SKML_TARGET static __attribute__((noinline)) void SKML_NAME(score_tile)(
    const KEYS *k, const SKML_T *queries, ptrdiff_t n, ptrdiff_t n_packed)
{
#define SKML_SCORES(kind)                                                    \
    if (n > SKML_QUERIES / 4)                                                \
        SKML_NAME(scores)(k, queries, kind, SKML_QUERIES, n_packed);         \
    else                                                                     \
        SKML_NAME(scores)(k, queries, kind, (SKML_QUERIES + 3) / 4, n_packed);
    if (k->score == SKML_GAUSSIAN) {
        SKML_SCORES(SKML_GAUSSIAN)
    } else if (k->score == SKML_LAPLACE) {
        SKML_SCORES(SKML_LAPLACE)
    } else {
        SKML_SCORES(SKML_DOT)
    }
#undef SKML_SCORES
}

/* Pack the block of keys that begins at `start`; returns its padded length. */
SKML_TARGET static ptrdiff_t SKML_NAME(pack_keys)(const KEYS *k, ptrdiff_t start,
                                                  int with_keys)
{
    const ptrdiff_t n = SKML_NAME(least)(k->n_keys - start, k->block);
    const ptrdiff_t n_packed = (n + STEP - 1) / STEP * STEP;
    for (ptrdiff_t d = 0; with_keys && d < k->width; d++) {
        SKML_T *to = k->packed_keys + d * k->block;
        for (ptrdiff_t j = 0; j < n; j++) to[j] = k->keys[(start + j) * k->width + d];
        for (ptrdiff_t j = n; j < n_packed; j++) to[j] = 0;
    }
    for (ptrdiff_t m = 0; m < k->n_values; m++) {
        SKML_T *to = k->packed_values + m * k->block;
        for (ptrdiff_t j = 0; j < n; j++)
            to[j] = k->values[(start + j) * k->n_values + m];
        for (ptrdiff_t j = n; j < n_packed; j++) to[j] = 0;
    }
    for (ptrdiff_t j = 0; j < n_packed; j++)
        k->packed_weights[j] =
            j >= n ? 0 : k->key_weights ? k->key_weights[start + j] : 1;
    return n_packed;
}

/* Pack the queries, for a short last tile the last of them over and over. */
SKML_TARGET static void SKML_NAME(pack_queries)(const ROWS *rows, const SKML_T *queries,
                                                ptrdiff_t width)
{
    for (ptrdiff_t first = 0; first < rows->n; first += SKML_QUERIES) {
        SKML_T *to = rows->packed + first * width;
        for (int i = 0; i < SKML_QUERIES; i++) {
            const ptrdiff_t r = SKML_NAME(least)(first + i, rows->n - 1);
            const SKML_T *from = queries + rows->positions[r] * width;
            for (ptrdiff_t d = 0; d < width; d++) to[d * SKML_QUERIES + i] = from[d];
        }
    }
}

/* Add to the sums of one query what a block gives: its weights, alone and with each
   column. Scores become weights; two sums at a time need not wait for each other. */
SKML_FUNCTION void SKML_NAME(add_up)(const KEYS *k, SKML_T *weights, ptrdiff_t n_packed,
                                     SKML_T shift, double *sums)
{
    VEC total[SKML_VECTORS];
    for (int v = 0; v < SKML_VECTORS; v++) total[v] = (VEC){0};
    for (ptrdiff_t j = 0; j < n_packed; j += STEP)
        for (int v = 0; v < SKML_VECTORS; v++) {
            const ptrdiff_t at = j + v * LANES;
            const VEC w = SKML_NAME(exp)(SKML_NAME(load)(weights + at) - shift)
                        * SKML_NAME(load)(k->packed_weights + at);
            SKML_NAME(store)(weights + at, w);
            total[v] += w;
        }
    for (int v = 1; v < SKML_VECTORS; v++) total[0] += total[v];
    sums[0] += SKML_NAME(sum)(total[0]);
    for (ptrdiff_t m = 0; m < k->n_values; m++) {
        const SKML_T *column = k->packed_values + m * k->block;
        VEC pooled[SKML_VECTORS];
        for (int v = 0; v < SKML_VECTORS; v++) pooled[v] = (VEC){0};
        for (ptrdiff_t j = 0; j < n_packed; j += STEP)
            for (int v = 0; v < SKML_VECTORS; v++) {
                const ptrdiff_t at = j + v * LANES;
                pooled[v] += SKML_NAME(load)(weights + at)
                           * SKML_NAME(load)(column + at);
            }
        for (int v = 1; v < SKML_VECTORS; v++) pooled[0] += pooled[v];
        sums[1 + m] += SKML_NAME(sum)(pooled[0]);
    }
}

/* The greatest score of one query so far, of the keys that count. */
SKML_FUNCTION SKML_T SKML_NAME(find_greatest)(const KEYS *k, const SKML_T *scores,
                                              ptrdiff_t n_packed, SKML_T greatest)
{
    for (ptrdiff_t j = 0; j < n_packed; j++)
        if (k->packed_weights[j] > 0 && scores[j] > greatest) greatest = scores[j];
    return greatest;
}

/* Let some queries pass over all keys: either look for their greatest scores, which
   become the shifts, or add up. */
SKML_TARGET static void SKML_NAME(pass)(const KEYS *k, const ROWS *rows,
                                        const int64_t *exclude, const SKML_T *bonus,
                                        SKML_T *weights, int looks_for_greatest)
{
    const ptrdiff_t n_sums = 1 + k->n_values;
    memset(rows->sums, 0, rows->n * n_sums * sizeof *rows->sums);
    for (ptrdiff_t start = 0; start < k->n_keys; start += k->block) {
        const ptrdiff_t n_block = SKML_NAME(least)(k->n_keys - start, k->block);
        const ptrdiff_t n_packed = SKML_NAME(pack_keys)(k, start, 1);
        for (ptrdiff_t r = 0; r < rows->n; r++) {
            const ptrdiff_t i = r % SKML_QUERIES, row = rows->positions[r];
            const ptrdiff_t excluded = exclude ? exclude[row] - start : -1;
            SKML_T *of_row = k->tile + i * k->block;
            if (i == 0)
                SKML_NAME(score_tile)(k, rows->packed + r * k->width, rows->n - r,
                                      n_packed);
            if (excluded >= 0 && excluded < n_block)
                of_row[excluded] += bonus ? bonus[row] : (SKML_T)-INFINITY;
            if (looks_for_greatest) {
                rows->shifts[r] = SKML_NAME(find_greatest)(k, of_row, n_packed,
                                                           rows->shifts[r]);
                continue;
            }
            SKML_NAME(add_up)(k, of_row, n_packed, rows->shifts[r],
                              rows->sums + r * n_sums);
            if (weights)
                memcpy(weights + row * k->n_keys + start, of_row,
                       n_block * sizeof(SKML_T));
        }
    }
}

SKML_TARGET static double SKML_NAME(norm)(const SKML_T *row, ptrdiff_t width)
{
    double sum = 0;
    for (ptrdiff_t d = 0; d < width; d++) sum += (double)row[d] * row[d];
    return sqrt(sum);
}

/* Take over the sums. If queries `may_fail`, those with too little weight stay. */
SKML_TARGET static void SKML_NAME(finish)(const KEYS *k, ROWS *rows, SKML_T *pooled,
                                          double *log_normalizer, SKML_T *weights,
                                          int may_fail)
{
    const double least = IS_FLOAT ? 1e-24 : 1e-280;
    ptrdiff_t n_failed = 0;
    for (ptrdiff_t r = 0; r < rows->n; r++) {
        const double *sums = rows->sums + r * (1 + k->n_values);
        const ptrdiff_t row = rows->positions[r];
        if (!(sums[0] >= least) && may_fail) {
            rows->positions[n_failed++] = row;
            continue;
        }
        const double scale = sums[0] > 0 ? 1 / sums[0] : 0;
        for (ptrdiff_t m = 0; m < k->n_values; m++)
            pooled[row * k->n_values + m] =
                sums[0] > 0 ? (SKML_T)(sums[1 + m] / sums[0]) : 0;
        log_normalizer[row] = log(sums[0]) + rows->shifts[r];
        for (ptrdiff_t j = 0; weights && j < k->n_keys; j++)
            weights[row * k->n_keys + j] *= (SKML_T)scale;
    }
    rows->n = n_failed;
}

SKML_TARGET static int SKML_NAME(reserve_keys)(KEYS *k)
{
    const ptrdiff_t unit = 64, fitting = SKML_PACKED_KEYS / (k->width + 1) / unit * unit;
    k->block = fitting < unit ? unit : SKML_NAME(least)(fitting, SKML_MOST_KEYS);
    k->packed_keys = malloc((k->width + k->n_values + 1 + SKML_QUERIES) * k->block
                            * sizeof(SKML_T));
    if (!k->packed_keys) return -1;
    k->packed_values = k->packed_keys + k->width * k->block;
    k->packed_weights = k->packed_values + k->n_values * k->block;
    k->tile = k->packed_weights + k->block;
    return 0;
}

/* Room for some queries; returns -1, after which it is to be freed, too, without. */
SKML_TARGET static int SKML_NAME(reserve_rows)(ROWS *rows, const KEYS *k,
                                               ptrdiff_t n_queries)
{
    const ptrdiff_t tile = SKML_QUERIES, n_tiles = (n_queries + tile - 1) / tile;
    ptrdiff_t fitting = SKML_PACKED_QUERIES / (k->width + 2 * (1 + k->n_values)) / tile;
    if (fitting < 128 / tile) fitting = 128 / tile;
    fitting = SKML_NAME(least)(fitting, SKML_MOST_QUERIES / tile);
    rows->room = SKML_NAME(least)(n_tiles, fitting) * tile;
    rows->positions = malloc(rows->room * sizeof *rows->positions);
    rows->packed = malloc((rows->room * k->width + 1) * sizeof *rows->packed);
    rows->shifts = malloc(rows->room * sizeof *rows->shifts);
    rows->sums = malloc(rows->room * (1 + k->n_values) * sizeof *rows->sums);
    return rows->positions && rows->packed && rows->shifts && rows->sums ? 0 : -1;
}

/* Pool values for queries; with room for them, write their weights, too. Returns -1 if
   there is no memory. */
SKML_TARGET static int SKML_NAME(pool)(
    const SKML_T *queries, ptrdiff_t n_queries, const SKML_T *keys, ptrdiff_t n_keys,
    ptrdiff_t width, const SKML_T *values, ptrdiff_t n_values, const SKML_T *key_weights,
    const int64_t *exclude, const SKML_T *bonus, int score, SKML_T *pooled,
    double *log_normalizer, SKML_T *weights)
{
    KEYS k = {n_keys, width, n_values, keys, values, key_weights, score, 0, 0, 0, 0, 0};
    ROWS rows;
    double greatest = 0;
    if (SKML_NAME(reserve_keys)(&k)) return -1;
    const int failed = SKML_NAME(reserve_rows)(&rows, &k, n_queries);
    if (score == SKML_DOT && !failed)
        for (ptrdiff_t j = 0; j < n_keys; j++) {
            const double norm = SKML_NAME(norm)(keys + j * width, width);
            if (norm > greatest) greatest = norm;
        }
    /* So much more that a rounded product is not above it. */
    greatest *= 1 + 2 * (width + 2) * (IS_FLOAT ? 0x1p-24 : 0x1p-53);
    for (ptrdiff_t start = 0; !failed && start < n_queries; start += rows.room) {
        rows.n = SKML_NAME(least)(n_queries - start, rows.room);
        for (ptrdiff_t r = 0; r < rows.n; r++) {
            rows.positions[r] = start + r;
            rows.shifts[r] = 0;
            if (score == SKML_DOT)
                rows.shifts[r] = (SKML_T)(
                    greatest * SKML_NAME(norm)(queries + (start + r) * width, width));
        }
        SKML_NAME(pack_queries)(&rows, queries, width);
        SKML_NAME(pass)(&k, &rows, exclude, bonus, weights, 0);
        SKML_NAME(finish)(&k, &rows, pooled, log_normalizer, weights, 1);
        if (rows.n == 0) continue;
        for (ptrdiff_t r = 0; r < rows.n; r++) rows.shifts[r] = (SKML_T)-INFINITY;
        SKML_NAME(pack_queries)(&rows, queries, width);
        SKML_NAME(pass)(&k, &rows, exclude, bonus, weights, 1);
        for (ptrdiff_t r = 0; r < rows.n; r++)
            if (rows.shifts[r] == (SKML_T)-INFINITY) rows.shifts[r] = 0; /* no key */
        SKML_NAME(pass)(&k, &rows, exclude, bonus, weights, 0);
        SKML_NAME(finish)(&k, &rows, pooled, log_normalizer, weights, 0);
    }
    free(rows.positions);
    free(rows.packed);
    free(rows.shifts);
    free(rows.sums);
    free(k.packed_keys);
    return failed;
}

/* Derivatives of the scores of one query and the packed block (of laplace, divided by
   the distance, and `distances` has their negatives), in place of its n weights. */
SKML_FUNCTION SKML_T SKML_NAME(derive)(const KEYS *k, SKML_T *weights, ptrdiff_t n,
                                       const SKML_T *gradient, SKML_T mean,
                                       const SKML_T *distances, SKML_T *inner,
                                       SKML_T *column_sums)
{
    VEC partial = {0};
    SKML_T total = 0;
    ptrdiff_t j = 0;
    for (; j < n; j++) inner[j] = -mean;
    for (ptrdiff_t m = 0; m < k->n_values; m++) {
        const SKML_T *column = k->packed_values + m * k->block;
        for (j = 0; j < n; j++) inner[j] += gradient[m] * column[j];
    }
    if (distances)
        for (j = 0; j < n; j++)
            inner[j] = distances[j] < 0 ? inner[j] / -distances[j] : 0;
    for (j = 0; j + LANES <= n; j += LANES) {
        const VEC w = SKML_NAME(load)(weights + j) * SKML_NAME(load)(inner + j);
        SKML_NAME(store)(weights + j, w);
        SKML_NAME(store)(column_sums + j, SKML_NAME(load)(column_sums + j) + w);
        partial += w;
    }
    for (; j < n; j++) {
        weights[j] *= inner[j];
        column_sums[j] += weights[j];
        total += weights[j];
    }
    return total + SKML_NAME(sum)(partial);
}

/* Weights become the derivatives of the scores (of laplace, divided by the distance):

       p_ij sum_m g_im (v_jm - pooled_im)

   in place, where g is the derivative of what was pooled; and their sums. */
SKML_TARGET static int SKML_NAME(backward)(
    SKML_T *weights, const SKML_T *pooled, const SKML_T *values, ptrdiff_t n_values,
    const SKML_T *gradient, const SKML_T *queries, ptrdiff_t n_queries,
    const SKML_T *keys, ptrdiff_t n_keys, ptrdiff_t width, int score, SKML_T *row_sums,
    SKML_T *column_sums)
{
    KEYS k = {n_keys, width, n_values, keys, values, NULL, score, 0, 0, 0, 0, 0};
    ptrdiff_t positions[SKML_QUERIES];
    SKML_T inner[SKML_MOST_KEYS];
    ROWS rows = {SKML_QUERIES, 0, positions, NULL, NULL, NULL};
    if (SKML_NAME(reserve_keys)(&k)) return -1;
    rows.packed = malloc((SKML_QUERIES * width + 1) * sizeof *rows.packed);
    const int failed = rows.packed ? 0 : -1;
    memset(row_sums, 0, n_queries * sizeof *row_sums);
    memset(column_sums, 0, n_keys * sizeof *column_sums);
    for (ptrdiff_t start = 0; !failed && start < n_keys; start += k.block) {
        const ptrdiff_t n = SKML_NAME(least)(n_keys - start, k.block);
        const ptrdiff_t n_packed =
            SKML_NAME(pack_keys)(&k, start, score == SKML_LAPLACE);
        for (ptrdiff_t row = 0; row < n_queries; row++) {
            const ptrdiff_t i = row % SKML_QUERIES;
            const SKML_T *g = gradient + row * n_values;
            SKML_T mean = 0;
            if (score == SKML_LAPLACE && i == 0) {
                rows.n = SKML_NAME(least)(n_queries - row, SKML_QUERIES);
                for (ptrdiff_t r = 0; r < rows.n; r++) positions[r] = row + r;
                SKML_NAME(pack_queries)(&rows, queries, width);
                SKML_NAME(score_tile)(&k, rows.packed, rows.n, n_packed);
            }
            for (ptrdiff_t m = 0; m < n_values; m++)
                mean += g[m] * pooled[row * n_values + m];
            row_sums[row] += SKML_NAME(derive)(
                &k, weights + row * n_keys + start, n, g, mean,
                score == SKML_LAPLACE ? k.tile + i * k.block : NULL, inner,
                column_sums + start);
        }
    }
    free(rows.packed);
    free(k.packed_keys);
    return failed;
}

#undef LANES
#undef STEP
#undef VEC
#undef INT
#undef KEYS
#undef ROWS
#undef IS_FLOAT
#undef SKML_FUNCTION
#undef SKML_INT_OF_float
#undef SKML_INT_OF_double
#undef SKML_INT_OF_
#undef SKML_INT_OF
