"""The page on security names tests that exist, and every kind of file that commands read has a row."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'security.md').read_text()
ROWS = [line for line in PAGE.splitlines() if '::test_' in line]
NAMED = sorted(set(re.findall(r'`([\w/]+\.py)::(test_\w+)`', PAGE)))


def test_every_row_has_a_test():
    assert len(ROWS) > 25
    tables = [line for line in PAGE.splitlines() if line.startswith('|') and not re.match(r'\|[-|]+$|\| (from|what) \|', line)]
    assert [line for line in tables if line not in ROWS] == []


@pytest.mark.parametrize(('file', 'name'), NAMED)
def test_a_test_that_the_page_names_exists_and_asserts(file, name):
    tree = ast.parse((ROOT / 'tests' / file).read_text())
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    code = ast.unparse(function)
    assert 'assert ' in code or 'pytest.raises' in code or 'suppress(ValueError)' in code  # whatever else is raised fails


def test_the_pages_are_linked():
    for page in ('SECURITY.md', 'CONTRIBUTING.md', 'docs/index.md', 'docs/deploy.md', 'docs/dependencies.md'):
        assert re.search(r'\]\((docs/)?security\.md\)|^security$', (ROOT / page).read_text(), re.M), page
    supported = re.search(r'## Which versions\n\n(.+?)\n\n', (ROOT / 'SECURITY.md').read_text(), re.S)
    assert supported
