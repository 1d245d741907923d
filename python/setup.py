"""Builds the extension module for plain Python, from the sources of the server's own."""

import pathlib
import shutil

import numpy
from setuptools import Extension, setup
from setuptools.command.build_py import build_py

HERE = pathlib.Path(__file__).parent.resolve()
SOURCE = HERE.parent / "src"
LAUNCHER = {"main.c", "interpreter.c"}


def relative(path):
    """setuptools wants paths relative to this folder."""
    return "../" + path.relative_to(HERE.parent).as_posix()


def sources():
    found = sorted(HERE.glob("*.c"))
    for folder in ("base", "channel", "pyhost", "tensor"):
        found += sorted(file for file in (SOURCE / folder).glob("*.c") if file.name not in LAUNCHER)
    return [relative(file) for file in found]


class BuildWithStubs(build_py):
    """Puts the typed stubs into the packages that they describe."""

    def run(self):
        super().run()
        for stub in (HERE.parent / "stubs").glob("*.pyi"):
            package = pathlib.Path(self.build_lib) / stub.stem
            shutil.copyfile(stub, package / "__init__.pyi")
            (package / "py.typed").touch()


setup(
    cmdclass={"build_py": BuildWithStubs},
    ext_modules=[
        Extension(
            "hippocamp._hippocamp",
            sources(),
            include_dirs=[
                ".",
                *(relative(path) for path in sorted(SOURCE.glob("*/include"))),
                numpy.get_include(),
            ],
            define_macros=[("_GNU_SOURCE", None)],
            extra_compile_args=["-std=gnu17", "-fvisibility=hidden", "-fno-strict-aliasing"],
            py_limited_api=True,
        )
    ],
)
