/* One training step of a text classifier that averages rows, for any loss.

   A document is the mean x of n input rows, and the outputs are rows o_i with scores
   s_i = x . o_i. With the errors e_i, which are the rate times the weight times the
   negative derivative of the loss by s_i,

       o_i     += e_i x
       row_j   += (sum_i e_i o_i) / n     (the sum over the outputs as they were before)

   so that both descend the loss. A row may stand twice among the inputs. */

#include "_row_steps.h"

#define SKML_TILE_VECTORS 8 /* of a row, whose sums stay in registers */

typedef struct {
    const int32_t *rows; /* of the input matrix */
    ptrdiff_t n_rows;
} skml_document;

typedef struct {
    float *inputs;
    ptrdiff_t stride; /* from row to row of both matrices */
    skml_scratch scratch;
} skml_model;

/* Ask for a part of the row of the next document that has this position. */
SKML_INLINE void skml_fetch_row(const skml_model *model, const skml_document *next,
                                ptrdiff_t position, ptrdiff_t k, ptrdiff_t width)
{
    const float *row;
    if (position >= next->n_rows) return;
    row = model->inputs + next->rows[position] * model->stride;
    for (ptrdiff_t i = k; i < k + width; i += SKML_LINE) __builtin_prefetch(row + i, 1);
}

/* The mean of the rows of a document. */
SKML_INLINE void skml_mean_tile(const int n, const skml_model *model,
                                const skml_document *document, ptrdiff_t k, float *mean)
{
    const float share = 1.0f / document->n_rows;
    const float *matrix = model->inputs + k;
    vec sums[SKML_TILE_VECTORS];
    for (int i = 0; i < n; i++) sums[i] = (vec){0};
    for (ptrdiff_t j = 0; j < document->n_rows; j++) {
        const float *row = matrix + document->rows[j] * model->stride;
        for (int i = 0; i < n; i++) sums[i] += skml_load(row + i * SKML_LANES);
    }
    for (int i = 0; i < n; i++) skml_store(mean + k + i * SKML_LANES, share * sums[i]);
}

/* Each row of a document moves by its part of the gradient of the mean; meanwhile the
   rows of the next document are fetched. */
SKML_INLINE void skml_move_tile(const int n, const skml_model *model,
                                const skml_document *document,
                                const skml_document *next, ptrdiff_t k)
{
    const float share = 1.0f / document->n_rows;
    float *matrix = model->inputs + k;
    vec moves[SKML_TILE_VECTORS];
    for (int i = 0; i < n; i++)
        moves[i] = share * skml_load(model->scratch.gradients + k + i * SKML_LANES);
    for (ptrdiff_t j = 0; j < document->n_rows; j++) {
        float *row = matrix + document->rows[j] * model->stride;
        skml_fetch_row(model, next, j, k, n * SKML_LANES);
        for (int i = 0; i < n; i++)
            skml_store(row + i * SKML_LANES, skml_load(row + i * SKML_LANES) + moves[i]);
    }
    for (ptrdiff_t j = document->n_rows; j < next->n_rows; j++)
        skml_fetch_row(model, next, j, k, n * SKML_LANES);
}

/* Vectors in the next tile of a row: as even as the limit allows. */
SKML_INLINE int skml_vectors(ptrdiff_t n_left)
{
    const ptrdiff_t n_tiles = (n_left + SKML_TILE_VECTORS - 1) / SKML_TILE_VECTORS;
    return (int)((n_left + n_tiles - 1) / n_tiles);
}

#define SKML_FOR_VECTORS(n, call) \
    switch (n) {                  \
    case 1: call(1); break;       \
    case 2: call(2); break;       \
    case 3: call(3); break;       \
    case 4: call(4); break;       \
    case 5: call(5); break;       \
    case 6: call(6); break;       \
    case 7: call(7); break;       \
    default: call(8); break;      \
    }

/* The width may be any here, as that of rows without padding. */
SKML_INLINE void skml_mean(const skml_model *model, const skml_document *document,
                           float *mean)
{
    const ptrdiff_t width = model->scratch.width;
    const ptrdiff_t whole = width / SKML_LANES * SKML_LANES;
    for (ptrdiff_t k = 0, n; k < whole; k += n * SKML_LANES) {
        n = skml_vectors((whole - k) / SKML_LANES);
#define SKML_CALL(N) skml_mean_tile(N, model, document, k, mean)
        SKML_FOR_VECTORS(n, SKML_CALL)
#undef SKML_CALL
    }
    if (whole == width) return;
    if (whole) { /* once more some of what is there */
        skml_mean_tile(1, model, document, width - SKML_LANES, mean);
        return;
    }
    for (ptrdiff_t k = 0; k < width; k++) {
        float sum = 0;
        for (ptrdiff_t j = 0; j < document->n_rows; j++)
            sum += model->inputs[document->rows[j] * model->stride + k];
        mean[k] = sum * (1.0f / document->n_rows);
    }
}

SKML_INLINE void skml_move(const skml_model *model, const skml_document *document,
                           const skml_document *next)
{
    const ptrdiff_t width = model->scratch.width;
    for (ptrdiff_t k = 0, n; k < width; k += n * SKML_LANES) {
        n = skml_vectors((width - k) / SKML_LANES);
#define SKML_CALL(N) skml_move_tile(N, model, document, next, k)
        SKML_FOR_VECTORS(n, SKML_CALL)
#undef SKML_CALL
    }
}

/* Scores of a softmax become errors in place; returns the loss, -log of the probability
   of the target. What pads the last vector has no probability. */
SKML_INLINE double skml_softmax_errors(float *scores, const skml_outputs *outputs,
                                       int target, float rate)
{
    float largest = scores[0], total, inverse;
    const float of_target = scores[target];
    vec sums = {0};
    for (int i = 1; i < outputs->n_outputs; i++)
        largest = scores[i] > largest ? scores[i] : largest;
    for (int i = outputs->n_outputs; i < outputs->n_padded; i++) scores[i] = -1e30f;
    for (int i = 0; i < outputs->n_padded; i += SKML_LANES) {
        const vec power = skml_exp(skml_load(scores + i) - largest);
        sums += power;
        skml_store(scores + i, power);
    }
    total = skml_sum(sums);
    inverse = -rate / total;
    for (int i = 0; i < outputs->n_padded; i += SKML_LANES)
        skml_store(scores + i, inverse * skml_load(scores + i));
    scores[target] += rate;
    return logf(total) - (of_target - largest);
}

/* A step; returns the loss. `target` is the class of a softmax; without one, below zero,
   each output is a logistic regression with its own label. The rate includes the weight
   of the document. */
SKML_INLINE double skml_classify(const skml_model *model, const skml_document *document,
                                 const skml_document *next,
                                 const skml_outputs *outputs, int target, float rate)
{
    const skml_scratch *scratch = &model->scratch;
    float *mean = scratch->mean;
    double loss;
    skml_mean(model, document, mean);
    if (target < 0)
        loss = skml_score(&mean, 1, outputs, rate, scratch);
    else {
        skml_scores(&mean, 1, outputs, scratch);
        loss = skml_softmax_errors(scratch->errors, outputs, target, rate);
    }
    for (int i = 0, n; i < outputs->n_outputs; i += n) {
        float *const *o = outputs->rows + i;
        n = skml_tile(outputs->n_outputs - i);
#define SKML_CALL(N) \
    skml_update_one(N, mean, o, scratch->width, scratch->errors + i, scratch, i == 0);
        SKML_FOR_TILE(n, SKML_CALL)
#undef SKML_CALL
    }
    skml_move(model, document, next);
    return loss;
}

typedef double (*skml_classifier)(const skml_model *model,
                                  const skml_document *document,
                                  const skml_document *next,
                                  const skml_outputs *outputs, int target, float rate);
typedef void (*skml_averager)(const skml_model *model, const skml_document *document,
                              const skml_document *next, float *mean);

#define SKML_VARIANT(variant, target_)                                                \
    target_ static double skml_classify_##variant(                                    \
        const skml_model *model, const skml_document *document,                       \
        const skml_document *next, const skml_outputs *outputs, int target,           \
        float rate)                                                                   \
    {                                                                                 \
        return skml_classify(model, document, next, outputs, target, rate);           \
    }                                                                                 \
    target_ static void skml_average_##variant(                                       \
        const skml_model *model, const skml_document *document,                       \
        const skml_document *next, float *mean)                                       \
    {                                                                                 \
        for (ptrdiff_t j = 0; j < next->n_rows; j++)                                  \
            skml_fetch_row(model, next, j, 0, model->scratch.width);                  \
        skml_mean(model, document, mean);                                             \
    }

SKML_VARIANT(baseline, )
#if SKML_X86
SKML_VARIANT(avx2, __attribute__((target("avx2,fma,prfchw"))))
#define SKML_CHOOSE(is_wide, function) ((is_wide) ? function##_avx2 : function##_baseline)
#else
#define SKML_CHOOSE(is_wide, function) ((void)(is_wide), function##_baseline)
#endif

static skml_classifier skml_choose_classifier(int is_wide)
{
    return SKML_CHOOSE(is_wide, skml_classify);
}

static skml_averager skml_choose_averager(int is_wide)
{
    return SKML_CHOOSE(is_wide, skml_average);
}
