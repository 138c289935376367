"""Configuration of Sphinx. Nothing here needs the network, but with SKML_ONLINE=1."""

import inspect
import os
import sys
import warnings
from pathlib import Path

import skml

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "skml"
author = "The skml developers"
copyright = author
version = release = skml.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx-mathjax-offline",
    "benchmark_results",
]
templates_path = ["_templates"]

# With a network, names of other packages link to their documentation.
if os.environ.get("SKML_ONLINE") == "1":
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        name: (address, None)
        for name, address in {
            "python": "https://docs.python.org/3",
            "numpy": "https://numpy.org/doc/stable",
            "scipy": "https://docs.scipy.org/doc/scipy",
            "sklearn": "https://scikit-learn.org/stable",
            "pandas": "https://pandas.pydata.org/docs",
            "matplotlib": "https://matplotlib.org/stable",
            "torch": "https://docs.pytorch.org/docs/stable",
        }.items()
    }
exclude_patterns = ["_build"]
default_role = "literal"

# What is inherited of scikit-learn names terms of its glossary; and the configuration
# of the gallery holds a function, which is not kept from build to build.
suppress_warnings = ["ref.term", "config.cache"]

autosummary_generate = True
# The section Parameters has the types.
autodoc_typehints = "none"
# Methods in the menu without the name of their class, for which there is no room.
toc_object_entries_show_parents = "hide"
# The template of a class lists the members itself.
numpydoc_show_class_members = False

# An anchor for each heading of the Markdown pages.
myst_heading_anchors = 3


GALLERY_ORDER = (
    # Text
    "few_labels",
    "tfidf_speed",
    "text_and_numbers",
    "document_search",
    "word_map",
    "chinese_poems",
    "quantized_text_classifier",
    # Tables
    "tables_with_missing_values",
    "missing_fraction",
    "missing_value_report",
    "imbalanced_classes",
    "staged_search",
    "learning_history",
    "svm_approximation",
    "attention_pooling",
    # Networks and evaluation
    "bert",
    "named_entities",
    "translation",
    "paired_bootstrap",
    "skorch_attention",
)


def place_in_gallery(filename):
    """Sort examples by topic; those that are not listed come last."""
    name = filename.removeprefix("plot_").removesuffix(".py")
    return GALLERY_ORDER.index(name) if name in GALLERY_ORDER else len(GALLERY_ORDER)


_filters = []


def refuse_warnings(gallery_conf, path, when):
    """Let a warning be an error while an example runs."""
    if when == "before":
        _filters.append(warnings.catch_warnings())
        _filters[-1].__enter__()
        warnings.simplefilter("error")
    elif _filters:
        _filters.pop().__exit__(None, None, None)


sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "/plot_",
    "within_subsection_order": place_in_gallery,
    "abort_on_example_error": True,
    "parallel": 2,
    "download_all_examples": False,
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skml",),
    "remove_config_comments": True,
    "write_computation_times": False,
    "reset_modules": ("matplotlib", refuse_warnings),
    "reset_modules_order": "both",
}

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_context = {"default_mode": "auto"}
html_theme = "pydata_sphinx_theme"
html_title = f"skml {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/favicon.svg"
html_extra_path = ["llms.txt"]  # a list of pages, for programs that read the site
html_theme_options = {
    "show_prev_next": False,
    "logo": {
        "image_light": "_static/favicon.svg",
        "image_dark": "_static/favicon.svg",
        "text": f"skml {version}",
    },
}
html_sidebars = {
    page: [] for page in ("benchmarks", "changes", "developing", "faq", "install")
}


def skip_members_of_others(app, what, name, obj, skip, options):
    """Leave out what scikit-learn and PyTorch document, with links to their pages."""
    function = getattr(obj, "fget", obj)  # of a property
    module = getattr(function, "__module__", None) or ""
    return skip or module.startswith(("sklearn.", "torch."))


def show_parameters(app, what, name, obj, options, arguments, returns):
    """Show the parameters of a class: Sphinx prefers those of `__new__`."""
    if what != "class":
        return None
    signature = inspect.signature(obj)
    untyped = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=untyped)), returns


def setup(app):
    app.connect("autodoc-skip-member", skip_members_of_others)
    app.connect("autodoc-process-signature", show_parameters)
