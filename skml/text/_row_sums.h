/* Weighted sums of rows of a matrix, in the order of the rows.

   Each product and each sum is rounded by itself, so that all variants give the same
   sums, and those of a plain loop: the wide one has no fused multiply-add. */

#include <stddef.h>
#include <stdint.h>

#include "../_processor.h"

#define SKML_AHEAD 8 /* rows that are fetched beforehand */

/* Add n rows to a sum; `rows` has `n_readable` items, those of the next sums behind. */
#define SKML_ROW_SUMS(variant, target)                                                \
    target static void skml_add_rows_##variant(                                       \
        const float *weights, const int32_t *rows, ptrdiff_t n, ptrdiff_t n_readable, \
        const float *matrix, ptrdiff_t width, float *restrict sum)                    \
    {                                                                                 \
        ptrdiff_t j = 0;                                                              \
        while (j < n) {                                                               \
            const ptrdiff_t n_together = n - j >= 4 ? 4 : 1;                          \
            const float *row = matrix + rows[j] * width;                              \
            for (ptrdiff_t i = j; i < j + n_together; i++) {                          \
                if (i + SKML_AHEAD >= n_readable) break;                              \
                const float *ahead = matrix + rows[i + SKML_AHEAD] * width;           \
                for (ptrdiff_t k = 0; k < width; k += SKML_LINE)                      \
                    __builtin_prefetch(ahead + k);                                    \
            }                                                                         \
            if (n_together == 4) {                                                    \
                const float *row1 = matrix + rows[j + 1] * width;                     \
                const float *row2 = matrix + rows[j + 2] * width;                     \
                const float *row3 = matrix + rows[j + 3] * width;                     \
                const float a = weights[j], b = weights[j + 1];                       \
                const float c = weights[j + 2], d = weights[j + 3];                   \
                for (ptrdiff_t k = 0; k < width; k++)                                 \
                    sum[k] = (((sum[k] + a * row[k]) + b * row1[k]) + c * row2[k])    \
                           + d * row3[k];                                             \
            } else {                                                                  \
                const float a = weights[j];                                           \
                for (ptrdiff_t k = 0; k < width; k++) sum[k] += a * row[k];           \
            }                                                                         \
            j += n_together;                                                          \
        }                                                                             \
    }

typedef void (*skml_row_sums)(const float *, const int32_t *, ptrdiff_t, ptrdiff_t,
                              const float *, ptrdiff_t, float *);

SKML_ROW_SUMS(baseline, )
#if SKML_X86
SKML_ROW_SUMS(avx2, __attribute__((target("avx2"))))
#endif

static skml_row_sums skml_choose_row_sums(int is_wide)
{
#if SKML_X86
    if (is_wide && skml_has_wide()) return skml_add_rows_avx2;
#endif
    (void)is_wide;
    return skml_add_rows_baseline;
}
