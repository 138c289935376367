"""Private, or version-dependent, names of other packages: a module a package."""
