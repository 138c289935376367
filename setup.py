"""Build the compiled extensions; everything else is declared in setup.cfg."""

from setuptools import Extension, setup

EXTENSIONS = {
    "_line_tokenizer": [],
    "_word2vec_kernel": ["_word2vec_steps.h"],
    "_word_vector_parser": [],
}

setup(
    ext_modules=[
        Extension(
            f"skml.text.{name}",
            sources=[f"skml/text/{name}.pyx"],
            depends=[f"skml/text/{header}" for header in headers],
            extra_compile_args=["-O3"],
        )
        for name, headers in EXTENSIONS.items()
    ]
)
