/* What the training steps of word vectors and of text classifiers share: products of
   rows, logistic errors, and how rows move.

   Everything is written with vectors of eight floats, which the compiler maps to what
   the target has. Functions that include this are compiled for the build's baseline and,
   on x86-64, for AVX2 with FMA; the choice is made at run time. */

#ifndef SKML_ROW_STEPS_H
#define SKML_ROW_STEPS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../_processor.h"

/* Vectors are passed only between functions that are inlined into each other. */
#pragma GCC diagnostic ignored "-Wpsabi"

#define SKML_LANES 8
#define SKML_TILE_INPUTS 2
#define SKML_TILE_OUTPUTS 6
#define SKML_FACTORS 64 /* a product of so many numbers up to 2 does not overflow */
#define SKML_INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(32), aligned(4), may_alias));
typedef uint32_t bits __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(32), aligned(4), may_alias));

typedef struct {
    int n_outputs;
    int n_padded;   /* n_outputs rounded up to whole vectors */
    float **rows;   /* the output rows */
    float *labels;  /* 1 for the word that was seen, 0 for noise; n_padded long */
    float *weights; /* how often a pair counts; n_padded long, 0 at the end */
} skml_outputs;

typedef struct {
    int width;        /* row length in floats, a multiple of SKML_LANES */
    int has_twins;    /* whether a row may stand twice among the inputs */
    float *errors;    /* room for n_inputs rows of skml_error_stride(n_outputs) */
    float *gradients; /* room for n_inputs rows of `width` */
    float *mean;      /* room for `width` */
    float **ahead;    /* the rows that the next step reads, to be fetched meanwhile */
    int n_ahead;
} skml_scratch;

SKML_INLINE vec skml_load(const float *from) { return *(const vec *)from; }

/* To a register. What serves several products would otherwise be loaded for each, as an
   operand in memory. */
SKML_INLINE vec skml_load_once(const float *from) { return *(const volatile vec *)from; }

SKML_INLINE void skml_store(float *to, vec value) { *(vec *)to = value; }

SKML_INLINE vec skml_all(float value)
{
    return (vec){value, value, value, value, value, value, value, value};
}

SKML_INLINE float skml_sum(vec v)
{
    float part[SKML_LANES];
    memcpy(part, &v, sizeof part);
    return ((part[0] + part[4]) + (part[2] + part[6]))
         + ((part[1] + part[5]) + (part[3] + part[7]));
}

#if defined(__clang__) || __GNUC__ >= 12
#define SKML_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SKML_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (mask){__VA_ARGS__})
#endif

/* Lane by lane, a and b in turn: sums of two neighbours of a, then of b, and so on. */
SKML_INLINE vec skml_fold(vec a, vec b)
{
    return SKML_SHUFFLE(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
         + SKML_SHUFFLE(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
}

/* The sums of up to eight vectors, one a lane; zero beyond the n-th. */
SKML_INLINE vec skml_sums(const vec *v, const int n)
{
    const vec zero = {0};
    vec pairs[4], low, high;
    for (int i = 0; i < 4; i++)
        pairs[i] = 2 * i >= n ? zero
                              : skml_fold(v[2 * i], 2 * i + 1 < n ? v[2 * i + 1] : zero);
    low = SKML_SHUFFLE(pairs[0], pairs[1], 0, 1, 8, 9, 4, 5, 12, 13)
        + SKML_SHUFFLE(pairs[0], pairs[1], 2, 3, 10, 11, 6, 7, 14, 15);
    high = SKML_SHUFFLE(pairs[2], pairs[3], 0, 1, 8, 9, 4, 5, 12, 13)
         + SKML_SHUFFLE(pairs[2], pairs[3], 2, 3, 10, 11, 6, 7, 14, 15);
    return SKML_SHUFFLE(low, high, 0, 1, 2, 3, 8, 9, 10, 11)
         + SKML_SHUFFLE(low, high, 4, 5, 6, 7, 12, 13, 14, 15);
}

SKML_INLINE vec skml_select(mask where, vec yes, vec no)
{
    return (vec)(((bits)where & (bits)yes) | (~(bits)where & (bits)no));
}

/* exp(x) for x <= 0, relative error below 3e-7: 2**n times a polynomial in the rest.
   Zero for x < -87. */
SKML_INLINE vec skml_exp(vec x)
{
    const float magic = 12582912.0f; /* 1.5 * 2**23: adding it rounds to an integer */
    const vec power = x * 1.44269504f, rounded = power + magic;
    const vec rest = power - (rounded - magic);
    vec result = rest * 1.3400432653e-3f + 9.6760373563e-3f;
    result = result * rest + 5.5503271520e-2f;
    result = result * rest + 2.4022106826e-1f;
    result = result * rest + 6.9314718246e-1f;
    result = result * rest + 1.0f;
    result = (vec)((bits)result + ((bits)rounded << 23));
    return (vec)((bits)result & ~(bits)(x < -87.0f));
}

/* log(1 + x) for 0 <= x <= 1, absolute error below 5e-7. */
SKML_INLINE vec skml_log1p(vec x)
{
    vec result = x * 1.0243828408e-2f - 5.3267478943e-2f;
    result = result * x + 1.3198965788e-1f;
    result = result * x - 2.2396689653e-1f;
    result = result * x + 3.2751172781e-1f;
    result = result * x - 4.9933394790e-1f;
    result = result * x + 9.9997025728e-1f;
    return result * x;
}

/* Room for the errors of one input: a tile may write one vector past the last. */
#define SKML_ERROR_STRIDE(n_padded) ((n_padded) + SKML_LANES)

/* scores[j, i] = x_j . o_i for one tile; the lanes behind it become zero. */
SKML_INLINE void skml_dots(const int n_inputs, const int n_outputs,
                           float *const *inputs, float *const *outputs, ptrdiff_t width,
                           float *scores, ptrdiff_t stride)
{
    vec sums[SKML_TILE_INPUTS][SKML_TILE_OUTPUTS];
    for (int j = 0; j < n_inputs; j++)
        for (int i = 0; i < n_outputs; i++) sums[j][i] = (vec){0};
    for (ptrdiff_t k = 0; k < width; k += SKML_LANES) {
        vec x[SKML_TILE_INPUTS];
        for (int j = 0; j < n_inputs; j++) x[j] = skml_load(inputs[j] + k);
        for (int i = 0; i < n_outputs; i++) {
            const vec o = skml_load_once(outputs[i] + k);
            for (int j = 0; j < n_inputs; j++) sums[j][i] += x[j] * o;
        }
    }
    for (int j = 0; j < n_inputs; j++)
        skml_store(scores + j * stride, skml_sums(sums[j], n_outputs));
}

/* log(x) for 1 <= x < 2**127: of its power of two, and of the rest. */
SKML_INLINE vec skml_log(vec x)
{
    const bits exponent = ((bits)x >> 23) - 127;
    const vec mantissa = (vec)((bits)x - (exponent << 23));
    return __builtin_convertvector((mask)exponent, vec) * 6.9314718056e-1f
         + skml_log1p(mantissa - 1.0f);
}

/* Scores become errors in place; returns the loss, -log of the right answers. With the
   label t, it is softplus(s) - t s = max(s, 0) - t s + log(1 + exp(-|s|)), and one
   logarithm of a product serves several inputs. */
SKML_INLINE double skml_errors(float *scores, int n_inputs, const skml_outputs *outputs,
                               float rate)
{
    const ptrdiff_t stride = SKML_ERROR_STRIDE(outputs->n_padded);
    const bits sign = (bits)skml_all(-0.0f);
    vec losses = {0};
    for (ptrdiff_t i = 0; i < outputs->n_padded; i += SKML_LANES) {
        const vec label = skml_load(outputs->labels + i);
        const vec weight = skml_load(outputs->weights + i), step = rate * weight;
        float *at = scores + i;
        for (int j = 0; j < n_inputs;) {
            const int end = n_inputs - j > SKML_FACTORS ? j + SKML_FACTORS : n_inputs;
            vec product = skml_all(1.0f), linear = {0};
            for (; j < end; j++, at += stride) {
                const vec score = skml_load(at);
                const mask positive = score > 0.0f;
                const vec small = skml_exp((vec)((bits)score | sign));
                const vec inverse = 1.0f / (1.0f + small);
                const vec sigmoid = skml_select(positive, inverse, small * inverse);
                linear += (vec)((bits)score & (bits)positive) - label * score;
                product *= 1.0f + small;
                skml_store(at, step * (label - sigmoid));
            }
            losses += weight * (linear + skml_log(product));
        }
    }
    return skml_sum(losses);
}

/* Ask for the next rows a line at a time, between arithmetic that leaves room for it. */
SKML_INLINE void skml_fetch_ahead(const skml_scratch *scratch, ptrdiff_t k)
{
    if (k % SKML_LINE == 0)
        for (int i = 0; i < scratch->n_ahead; i++)
            __builtin_prefetch(scratch->ahead[i] + k, 1);
}

/* Move the outputs of one tile, given a single input, and gather its gradient. */
SKML_INLINE void skml_update_one(const int n_outputs, const float *input,
                                 float *const *outputs, ptrdiff_t width,
                                 const float *errors, const skml_scratch *scratch,
                                 int is_first)
{
    float *gradient = scratch->gradients;
    float *o[SKML_TILE_OUTPUTS];
    vec error[SKML_TILE_OUTPUTS];
    for (int i = 0; i < n_outputs; i++) {
        o[i] = outputs[i];
        error[i] = skml_all(errors[i]);
    }
    for (ptrdiff_t k = 0; k < width; k += SKML_LANES) {
        const vec x = skml_load(input + k);
        vec sum = {0};
        if (is_first) skml_fetch_ahead(scratch, k);
        else sum = skml_load(gradient + k);
        for (int i = 0; i < n_outputs; i++) {
            const vec old = skml_load(o[i] + k);
            sum += error[i] * old;
            skml_store(o[i] + k, old + error[i] * x);
        }
        skml_store(gradient + k, sum);
    }
}

SKML_INLINE void skml_add(float *to, const float *from, ptrdiff_t width)
{
    for (ptrdiff_t k = 0; k < width; k += SKML_LANES)
        skml_store(to + k, skml_load(to + k) + skml_load(from + k));
}

/* Outputs in the next tile: as even as the tile's limit allows. */
SKML_INLINE int skml_tile(int n_left)
{
    const int n_tiles = (n_left + SKML_TILE_OUTPUTS - 1) / SKML_TILE_OUTPUTS;
    return (n_left + n_tiles - 1) / n_tiles;
}

/* Turn a number of outputs known at run time into one known to the compiler. */
#define SKML_FOR_TILE(n, call) \
    switch (n) {               \
    case 1: call(1); break;    \
    case 2: call(2); break;    \
    case 3: call(3); break;    \
    case 4: call(4); break;    \
    case 5: call(5); break;    \
    default: call(6); break;   \
    }

/* The scores of all pairs. */
SKML_INLINE void skml_scores(float *const *inputs, int n_inputs,
                             const skml_outputs *outputs, const skml_scratch *scratch)
{
    const ptrdiff_t stride = SKML_ERROR_STRIDE(outputs->n_padded);
    const ptrdiff_t width = scratch->width;
    for (int i = 0, n; i < outputs->n_outputs; i += n) {
        n = skml_tile(outputs->n_outputs - i);
        for (int j = 0; j < n_inputs; j += SKML_TILE_INPUTS) {
            float *const *x = inputs + j, *const *o = outputs->rows + i;
            float *scores = scratch->errors + j * stride + i;
#define SKML_CALL(N)                                                        \
    if (n_inputs - j > 1) skml_dots(2, N, x, o, width, scores, stride);     \
    else skml_dots(1, N, x, o, width, scores, stride);
            SKML_FOR_TILE(n, SKML_CALL)
#undef SKML_CALL
        }
    }
}

/* The first half of a step: the scores of all pairs, turned into errors. */
SKML_INLINE double skml_score(float *const *inputs, int n_inputs,
                              const skml_outputs *outputs, float rate,
                              const skml_scratch *scratch)
{
    skml_scores(inputs, n_inputs, outputs, scratch);
    return skml_errors(scratch->errors, n_inputs, outputs, rate);
}

/* Labels from the lowest bits of a path's steps; each output counts once. */
SKML_INLINE void skml_unpack(const int32_t *steps, const skml_outputs *outputs)
{
    float *labels = outputs->labels, *weights = outputs->weights;
    for (int first = 0; first < outputs->n_padded; first += SKML_LANES)
        for (int i = first; i < first + SKML_LANES; i++) {
            labels[i] = (float)(steps[i] & 1);
            weights[i] = i < outputs->n_outputs ? 1.0f : 0.0f;
        }
}

/* Tell the other workers what changed in this one's copies, and take over theirs. */
static void skml_exchange(float *shared, float *copy, float *before, int64_t n,
                          float share)
{
    for (int64_t k = 0; k < n; k++) {
        shared[k] += share * (copy[k] - before[k]);
        copy[k] = before[k] = shared[k];
    }
}

SKML_INLINE void skml_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
