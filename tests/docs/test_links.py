"""Links between pages lead somewhere on the forge, and pages are whole; the build of the site sees to links of the site."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob('*.md'), *sorted((ROOT / 'docs').rglob('*.md'))]


def anchors_of(page):
    titles = re.findall(r'^#+ (.+)$', page.read_text(encoding='utf-8'), re.M)
    return {re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-') for title in titles}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_pages_and_headings(page):
    broken = []
    for link in re.findall(r'\]\(([^)\s]+)\)', page.read_text(encoding='utf-8')):
        path, _, anchor = link.partition('#')
        if not link.startswith(('http://', 'https://')):
            target = page.parent / path if path else page
            if not target.exists() or (anchor and anchor not in anchors_of(target)):
                broken.append(link)
    assert broken == []


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_waits_for_something(page):
    assert re.findall(r'^[A-Z]{4,}$|\b(?:TODO|FIXME|TBD|XXX)\b', page.read_text(encoding='utf-8'), re.M) == []
