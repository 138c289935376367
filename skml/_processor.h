/* What the compiler gives, and what the processor can do. */

#ifndef SKML_PROCESSOR_H
#define SKML_PROCESSOR_H

#if !defined(__GNUC__) && !defined(__clang__)
#error "skml needs GCC or Clang (on Windows: clang-cl)"
#endif

#if defined(__x86_64__)
#define SKML_X86 1
#else
#define SKML_X86 0
#endif

#define SKML_LINE 16 /* floats in a cache line */

/* Whether it has AVX2 and FMA, and the operating system saves their registers. */
static inline int skml_has_wide(void)
{
#if SKML_X86 && (defined(_WIN32) || defined(SKML_ASK_PROCESSOR))
    /* What __builtin_cpu_supports needs is not in the libraries of Visual C++. */
    unsigned a = 0, b = 0, c = 0, d = 0;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (a < 7) return 0;
    a = 1, c = 0;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (!(c >> 12 & 1) || !(c >> 27 & 1)) return 0; /* FMA, XGETBV */
    c = 0;
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(c));
    if ((a & 6) != 6) return 0;
    a = 7;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return b >> 5 & 1;
#elif SKML_X86
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return 0;
#endif
}

#endif
