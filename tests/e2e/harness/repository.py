"""Model repositories for tests, put together in a folder of the test's own."""

import pathlib
import shutil

ROOT = pathlib.Path(__file__).parents[3]
FIXTURES = ROOT / "tests" / "repositories"
EXAMPLES = ROOT / "models"


class Repository:
    """A model repository at `path`, to which models are added before a server starts on it."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.mkdir(parents=True, exist_ok=True)

    def add(self, model, name=None, config=None, edit=None):
        """Copies a model of tests/repositories or models/ under `name`.

        `edit` replaces texts in its config.pbtxt, each of which must be there; `config` is added
        to the end of it. Returns self, so that calls can be chained.
        """
        source = FIXTURES / model
        if not source.is_dir():
            source = EXAMPLES / model
        target = self.path / (name or model)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        file = target / "config.pbtxt"
        text = file.read_text() if file.exists() else ""
        for old, new in (edit or {}).items():
            assert old in text, f"{old!r} is not in the configuration of {model}"
            text = text.replace(old, new)
        if name is not None:
            text = text.replace(f'name: "{model}"\n', "")
        if text or config:
            file.write_text(text + (config or ""))
        return self

    def write(self, path, text):
        """Writes a file of the repository, making the folders that it needs."""
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return self

    def remove(self, path):
        """Removes a file or folder of the repository."""
        target = self.path / path
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink()
        return self
