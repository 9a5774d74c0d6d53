"""The Korean pages have the commands, snippets and figures of the English ones."""

import re
from pathlib import Path

import pytest
from snippets import blocks_of, mentions_of

ROOT = Path(__file__).parents[2]
PAIRS = [(ROOT / 'README.md', ROOT / 'README.ko.md'), (ROOT / 'docs' / 'tutorial.md', ROOT / 'docs' / 'tutorial.ko.md')]
each = pytest.mark.parametrize(('english', 'korean'), PAIRS, ids=['readme', 'tutorial'])


def code_of(page):
    """Return language, file, whether it is run, and lines without comments of every block."""
    bare = re.compile(r'\s*#.*')
    lines = [[bare.sub('', line).rstrip() for line in block.text.splitlines()] for block in blocks_of(page)]
    kinds = [(block.language, block.file, block.reason) for block in blocks_of(page)]
    return [(*kind, [line for line in text if line]) for kind, text in zip(kinds, lines)]


def prose_of(page):
    text = re.sub(r'^```.*?^```', '', page.read_text(encoding='utf-8'), flags=re.M | re.S)
    return re.sub(r'\]\([^)]*\)|<!--.*?-->', ']', text, flags=re.S)


@each
def test_blocks_of_code_are_the_same(english, korean):
    assert code_of(korean) == code_of(english)


@each
def test_commands_in_running_text_are_the_same(english, korean):
    assert sorted(text for _, text in mentions_of(korean)) == sorted(text for _, text in mentions_of(english))
    rows = [re.findall(r'^\| (`.+?`(?:, `.+?`)*) \|', page.read_text(encoding='utf-8'), re.M) for page in (english, korean)]
    assert rows[1] == rows[0]


@each
def test_figures_are_the_same(english, korean):
    """Numbers with a point or a comma, and versions; small ones are words in either language."""
    figures = [sorted(re.findall(r'\d+(?:[.,]\d+)+', prose_of(page))) for page in (english, korean)]
    assert figures[1] == figures[0]


@each
def test_headings_are_as_many(english, korean):
    levels = [re.findall(r'^(#+) ', prose_of(page), re.M) for page in (english, korean)]
    assert levels[1] == levels[0]


@each
def test_links_lead_to_the_same_pages(english, korean):
    links = []
    for page in (english, korean):
        found = re.findall(r'\]\(([^)\s]+)\)', page.read_text(encoding='utf-8'))
        links.append({link.replace('.ko.', '.') for link in found} - {'README.md', 'tutorial.md'})
    assert links[1] == links[0]
