"""The second name of what a model.py imports, without a server around it."""

import hippocamp  # noqa: F401  puts the module itself in the place of this one
