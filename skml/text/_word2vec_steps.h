/* The arithmetic of one word2vec training step, for any number of inputs and outputs.

   A step meets `n_inputs` input rows x_j with `n_outputs` output rows o_i. Every pair is
   a logistic regression with label t_i and weight w_i:

       score  s_ji = x_j . o_i
       error  e_ji = rate * w_i * (t_i - 1 / (1 + exp(-s_ji)))
       o_i   += sum_j e_ji x_j
       x_j   += sum_i e_ji o_i        (both sums over the rows as they were before)

   The product is tiled so that the sums of a tile stay in registers. The output rows are
   distinct; an input row may stand twice, as a word does in a window.

   The functions at the bottom are compiled for the build's baseline and, on x86-64, for
   AVX2 with FMA; the choice is made at run time. */

#include "_row_steps.h"

/* Move the outputs of one tile. The gradients of the inputs are gathered over the tiles;
   the last one moves the inputs, unless a row stands twice among them. */
SKML_INLINE void skml_update(const int n_outputs, float *const *inputs, int n_inputs,
                             float *const *outputs, ptrdiff_t width,
                             const float *errors, ptrdiff_t stride,
                             const skml_scratch *scratch, int is_first,
                             int moves_inputs)
{
    float *gradients = scratch->gradients;
    float *at[SKML_TILE_OUTPUTS]; /* no store can change these */
    for (int i = 0; i < n_outputs; i++) at[i] = outputs[i];
    for (ptrdiff_t k = 0; k < width; k += SKML_LANES) {
        vec o[SKML_TILE_OUTPUTS], moved[SKML_TILE_OUTPUTS];
        if (is_first) skml_fetch_ahead(scratch, k);
        const float *error = errors;
        float *gradient = gradients + k;
        for (int i = 0; i < n_outputs; i++) {
            o[i] = skml_load(at[i] + k);
            moved[i] = o[i];
        }
        for (float *const *input = inputs; input < inputs + n_inputs; input++) {
            const vec x = skml_load(*input + k);
            vec sum = moves_inputs ? x : (vec){0};
            if (!is_first) sum += skml_load(gradient);
            for (int i = 0; i < n_outputs; i++) {
                sum += error[i] * o[i];
                moved[i] += error[i] * x;
            }
            skml_store(moves_inputs ? *input + k : gradient, sum);
            error += stride;
            gradient += width;
        }
        for (int i = 0; i < n_outputs; i++) skml_store(at[i] + k, moved[i]);
    }
}

/* Skip-gram: each word of the window is an input of its own. */
SKML_INLINE double skml_skip_gram(float *const *inputs, int n_inputs,
                                  const skml_outputs *outputs, float rate,
                                  const skml_scratch *scratch)
{
    const ptrdiff_t stride = SKML_ERROR_STRIDE(outputs->n_padded);
    const ptrdiff_t width = scratch->width;
    const int n_outputs = outputs->n_outputs, has_twins = scratch->has_twins;
    const double loss = skml_score(inputs, n_inputs, outputs, rate, scratch);
    for (int i = 0, n; i < n_outputs; i += n) {
        float *const *o = outputs->rows + i;
        const float *errors = scratch->errors + i;
        n = skml_tile(n_outputs - i);
        const int moves_inputs = i + n == n_outputs && !has_twins;
#define SKML_CALL(N)                                                                   \
    if (moves_inputs)                                                                  \
        skml_update(N, inputs, n_inputs, o, width, errors, stride, scratch, i == 0, 1); \
    else                                                                               \
        skml_update(N, inputs, n_inputs, o, width, errors, stride, scratch, i == 0, 0);
        SKML_FOR_TILE(n, SKML_CALL)
#undef SKML_CALL
    }
    if (has_twins && n_outputs)
        for (int j = 0; j < n_inputs; j++)
            skml_add(inputs[j], scratch->gradients + j * width, width);
    return loss;
}

/* CBOW: the mean of the window is the one input. As in the original program, each word
   of the window receives the whole gradient of the mean. */
SKML_INLINE double skml_cbow(float *const *inputs, int n_inputs,
                             const skml_outputs *outputs, float rate,
                             const skml_scratch *scratch)
{
    float *mean = scratch->mean;
    const ptrdiff_t width = scratch->width;
    const float share = 1.0f / n_inputs;
    double loss;
    /* Row by row: an inner loop of varying length would be mispredicted. */
    memcpy(mean, inputs[0], sizeof(float) * width);
    for (int j = 1; j < n_inputs; j++) skml_add(mean, inputs[j], width);
    for (ptrdiff_t k = 0; k < width; k += SKML_LANES)
        skml_store(mean + k, share * skml_load(mean + k));
    loss = skml_score(&mean, 1, outputs, rate, scratch);
    for (int i = 0, n; i < outputs->n_outputs; i += n) {
        float *const *o = outputs->rows + i;
        n = skml_tile(outputs->n_outputs - i);
#define SKML_CALL(N) \
    skml_update_one(N, mean, o, width, scratch->errors + i, scratch, i == 0);
        SKML_FOR_TILE(n, SKML_CALL)
#undef SKML_CALL
    }
    if (outputs->n_outputs)
        for (int j = 0; j < n_inputs; j++) skml_add(inputs[j], scratch->gradients, width);
    return loss;
}

/* The vector of a word that is the mean of several rows, and a second copy of it. */
SKML_INLINE void skml_compose(const float *matrix, ptrdiff_t stride, const int32_t *rows,
                              int n_rows, ptrdiff_t width, float *vector, float *before)
{
    const float share = 1.0f / n_rows;
    memcpy(vector, matrix + rows[0] * stride, sizeof(float) * width);
    for (int i = 1; i < n_rows; i++) skml_add(vector, matrix + rows[i] * stride, width);
    for (ptrdiff_t k = 0; k < width; k += SKML_LANES) {
        const vec mean = share * skml_load(vector + k);
        skml_store(vector + k, mean);
        skml_store(before + k, mean);
    }
}

/* What changed in such a vector is added to each of its rows: a step along the gradient
   of the mean, the whole of it to each, as fastText does. Overwrites `before`. */
SKML_INLINE void skml_spread(float *matrix, ptrdiff_t stride, const int32_t *rows,
                             int n_rows, ptrdiff_t width, const float *vector,
                             float *before)
{
    for (ptrdiff_t k = 0; k < width; k += SKML_LANES)
        skml_store(before + k, skml_load(vector + k) - skml_load(before + k));
    for (int i = 0; i < n_rows; i++) skml_add(matrix + rows[i] * stride, before, width);
}

typedef double (*skml_step)(float *const *inputs, int n_inputs,
                            const skml_outputs *outputs, float rate,
                            const skml_scratch *scratch);
typedef void (*skml_gather)(const float *matrix, ptrdiff_t stride, const int32_t *rows,
                            int n_rows, ptrdiff_t width, float *vector, float *before);
typedef void (*skml_scatter)(float *matrix, ptrdiff_t stride, const int32_t *rows,
                             int n_rows, ptrdiff_t width, const float *vector,
                             float *before);

#define SKML_STEP(step, variant, target)                                             \
    target static double step##_##variant(float *const *inputs, int n_inputs,        \
                                          const skml_outputs *outputs, float rate,   \
                                          const skml_scratch *scratch)               \
    {                                                                                \
        return step(inputs, n_inputs, outputs, rate, scratch);                       \
    }
#define SKML_VARIANT(variant, target)                                                 \
    SKML_STEP(skml_skip_gram, variant, target)                                        \
    SKML_STEP(skml_cbow, variant, target)                                             \
    target static void skml_compose_##variant(                                        \
        const float *matrix, ptrdiff_t stride, const int32_t *rows, int n_rows,       \
        ptrdiff_t width, float *vector, float *before)                                \
    {                                                                                 \
        skml_compose(matrix, stride, rows, n_rows, width, vector, before);            \
    }                                                                                 \
    target static void skml_spread_##variant(                                         \
        float *matrix, ptrdiff_t stride, const int32_t *rows, int n_rows,             \
        ptrdiff_t width, const float *vector, float *before)                          \
    {                                                                                 \
        skml_spread(matrix, stride, rows, n_rows, width, vector, before);             \
    }

SKML_VARIANT(baseline, )
#if SKML_X86
SKML_VARIANT(avx2, __attribute__((target("avx2,fma,prfchw"))))
#define SKML_CHOOSE(is_wide, function) ((is_wide) ? function##_avx2 : function##_baseline)
#else
#define SKML_CHOOSE(is_wide, function) ((void)(is_wide), function##_baseline)
#endif

static skml_step skml_choose_step(int is_skip_gram, int is_wide)
{
    return is_skip_gram ? SKML_CHOOSE(is_wide, skml_skip_gram)
                        : SKML_CHOOSE(is_wide, skml_cbow);
}

static skml_gather skml_choose_compose(int is_wide)
{
    return SKML_CHOOSE(is_wide, skml_compose);
}

static skml_scatter skml_choose_spread(int is_wide)
{
    return SKML_CHOOSE(is_wide, skml_spread);
}
