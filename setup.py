"""What pyproject.toml cannot say: ranking in C is built where there is a compiler, and left out where there is none."""

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class OptionalBuild(build_ext):
    """Editable installs link every extension that was asked for; this one names only those that were built."""

    def get_output_mapping(self) -> dict[str, str]:
        """Return what was built, and where it lies in the source tree."""
        return {built: source for built, source in super().get_output_mapping().items() if Path(source).exists()}


setup(
    cmdclass={"build_ext": OptionalBuild},
    ext_modules=[
        Extension(
            "penstock.cache.index._shortlist",
            ["cache/index/native/module.c", "cache/index/native/shortlist.c"],
            depends=["cache/index/native/shortlist.h"],
            extra_compile_args=["-ffp-contract=off"],  # the same sums as numpy's, to the last digit
            py_limited_api=True,
            optional=True,
        )
    ],
)
