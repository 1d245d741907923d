"""The second name of triton_python_backend_utils, under which Triton has its types."""

from triton_python_backend_utils import *  # noqa: F403
