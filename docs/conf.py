"""Settings of the site: `sphinx-build -W --keep-going -b html docs site/html`."""

import os
import re
from pathlib import Path

project = 'mmkd_plugin'
author = 'The mmkd_plugin contributors'
version_file = Path(__file__).parents[1] / 'mmkd_plugin' / 'version.py'
release = re.search(r"__version__ = '(.+)'", version_file.read_text(encoding='utf-8'))[1]

extensions = ['myst_nb', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon', 'sphinx.ext.intersphinx', 'sphinx_copybutton']
exclude_patterns = ['tables']  # as commands have written them; pages link to them
html_theme = 'furo'
html_title = f'mmkd_plugin {release}'
html_copy_source = False
html_show_copyright = False

highlight_language = 'none'  # blocks without a language are commands, output and formulas
myst_heading_anchors = 4  # the anchors that the forge gives headings: pages link to them in both places

# Links into the documentation of other packages need indices, which are on the network. A build must pass without one, and
# an index that cannot be had is a warning; so these links are made only where somebody asks for them.
if os.environ.get('MMKD_DOCS_ONLINE'):
    intersphinx_mapping = {
        'python': ('https://docs.python.org/3', None),
        'numpy': ('https://numpy.org/doc/stable', None),
        'torch': ('https://docs.pytorch.org/docs/stable', None),
        'mmengine': ('https://mmengine.readthedocs.io/en/latest', None),
        'mmpretrain': ('https://mmpretrain.readthedocs.io/en/latest', None),
    }

# Notebooks are run when they are new or changed; a cell that fails ends the build.
nb_execution_mode = 'cache'
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 300  # seconds a cell may take
nb_merge_streams = True

autodoc_typehints = 'none'  # docstrings have the types, with shapes and units
autodoc_member_order = 'bysource'
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes are described once, by their class
napoleon_use_rtype = False

# Files outside this folder that are pages of the site, by the pages that include them.
PAGES = {
    '../README.md': 'index.md',
    '../CONTRIBUTING.md': 'contributing.md',
    '../CHANGELOG.md': 'changelog.md',
    '../SECURITY.md': 'reporting.md',
}
# Lists of pages that the forge would show as code.
CHILDREN = {'methods': '\n```{toctree}\n:hidden:\n:glob:\n\nmethods/*\n```\n'}


def fit_page(app, docname, source):
    """Change what the forge and the site do not have in common, while a page is read."""
    for file, page in PAGES.items():
        source[0] = source[0].replace(f']({file}', f']({page}')
    source[0] += CHILDREN.get(docname, '')


def setup(app):
    """Connect :func:`fit_page`."""
    app.connect('source-read', fit_page)
