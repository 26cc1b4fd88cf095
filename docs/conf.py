"""How the documentation is built: offline, with every warning an error."""

import sys
from importlib import metadata
from pathlib import Path


sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "carrierflow"
release = metadata.version("carrierflow")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "generated",
]
exclude_patterns = ["_build", "_ext"]

html_theme = "furo"
html_title = "carrierflow"
html_show_copyright = False
html_show_sphinx = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
napoleon_google_docstring = True
