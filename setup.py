"""Build the compiled extensions; everything else is declared in setup.cfg."""

import shutil
import sys

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

EXTENSIONS = {
    "attention/_piecewise_kernel": ["_piecewise_steps.h"],
    "attention/_pooling_kernel": ["_pooling_steps.h", "_pooling_template.h"],
    "text/_alias_table": [],
    "text/_alphabet": ["_alphabet.pxd"],
    "text/_count_rows": ["_count_rows.pxd"],
    "text/_fasttext_kernel": ["_fasttext_steps.h", "_row_steps.h"],
    "text/_hashed_ngrams": [],
    "text/_id_kernel": [],
    "text/_ngram_kernel": [
        "_alphabet.pxd",
        "_count_rows.pxd",
        "_term_counts.pxd",
        "_terms.pxd",
        "_texts.pxd",
        "_word_scan.h",
    ],
    "text/_phrase_kernel": ["_alphabet.pxd", "_terms.pxd"],
    "text/_row_sums": ["_row_sums.h"],
    "text/_term_counts": [
        "_alphabet.pxd",
        "_count_rows.pxd",
        "_pages.h",
        "_term_counts.pxd",
        "_terms.pxd",
    ],
    "text/_term_hashes": [],
    "text/_term_order": ["_alphabet.pxd", "_term_order.pxd", "_terms.pxd"],
    "text/_term_merge": ["_alphabet.pxd", "_term_order.pxd", "_terms.pxd"],
    "text/_term_tables": ["_alphabet.pxd", "_terms.pxd"],
    "text/_term_tree": ["_alphabet.pxd", "_term_order.pxd", "_terms.pxd"],
    "text/_terms": ["_alphabet.pxd", "_pages.h", "_terms.pxd"],
    "text/_texts": ["_terms.pxd", "_texts.pxd"],
    "text/_word2vec_kernel": ["_row_steps.h", "_word2vec_steps.h"],
    "text/_word_vector_parser": [],
}

# What the extensions share is compiled once: memoryviews are most of the code of each.
SHARED = "skml._cython_shared"


# Their sums are those of a plain loop on any processor: no multiplication is fused.
EXACT = ("skml.text._count_rows", "skml.text._row_sums")


def extension(name, sources, depends=()):
    # Without what a debugger needs: a quarter of the time, most of the size.
    options = ["-O3", "-g0"]
    if name in EXACT:
        options.append("-ffp-contract=off")
    depends = ["skml/_processor.h", *depends]
    return Extension(name, sources, depends=depends, extra_compile_args=options)


class BuildExtensions(build_ext):
    """On Windows the compiler is clang-cl: Visual C++ has no vectors as in GCC."""

    def build_extensions(self):
        if self.compiler.compiler_type == "msvc":
            self.use_clang()
        super().build_extensions()

    def use_clang(self):
        path = shutil.which("clang-cl")
        if path is None:
            raise SystemExit("skml is compiled by clang-cl, which is not in PATH.")
        if not self.compiler.initialized:
            self.compiler.initialize(self.plat_name)
        self.compiler.cc = path
        # It does not know "/GL", by which Visual C++ leaves the code to the linker.
        self.compiler.compile_options.remove("/GL")
        for extension in self.extensions:
            options = extension.extra_compile_args
            extension.extra_compile_args = [f"/clang:{option}" for option in options]


setup(
    cmdclass={"build_ext": BuildExtensions},
    ext_modules=cythonize(
        [
            extension(SHARED, [f"{SHARED.replace('.', '/')}.c"]),
            *(
                extension(
                    f"skml.{name.replace('/', '.')}",
                    [f"skml/{name}.pyx"],
                    [f"skml/{name.partition('/')[0]}/{header}" for header in headers],
                )
                for name, headers in EXTENSIONS.items()
            ),
        ],
        shared_utility_qualified_name=SHARED,
        quiet=True,
        # Elsewhere new processes would run this file again.
        nthreads=2 if sys.platform == "linux" else 0,
    ),
)
