"""Build the one compiled extension; everything else is declared in setup.cfg."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "skml.text._word2vec_kernel",
            sources=["skml/text/_word2vec_kernel.pyx"],
            depends=["skml/text/_word2vec_steps.h"],
            extra_compile_args=["-O3"],
        )
    ]
)
