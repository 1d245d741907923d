"""Models of a repository without a server: for unit tests, scripts and debuggers.

    from hippocamp import Model

    with Model("models/linear") as model:
        outputs = model.infer({"x": np.array([[1, 2, 3]], dtype=np.float32)})

A model is imported, initialised and called in this process, as the server does it in its own, so
breakpoints work and exceptions arrive as they are. `python -m hippocamp.run` does the same from a
shell.
"""

from hippocamp import _hippocamp

_hippocamp.plain()

from hippocamp.model import Model, ModelError, Request  # noqa: E402

__all__ = ["Model", "ModelError", "Request"]
