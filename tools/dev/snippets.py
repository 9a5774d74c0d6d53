"""Commands and snippets of the documentation, as its readers copy them, tests check them and the tutorial is run.

An HTML comment right before a block says what nobody can tell from the block: `<!-- save as mine.py -->`, the file that the
reader writes it to, or `<!-- not run: <reason> -->`, why it is neither run nor checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

__all__ = ['Block', 'blocks_of', 'commands_of', 'mentions_of']

COMMENT = re.compile(r'<!-- (save as|not run:) (.+?) -->\s*')
COMMANDS = {'', 'bash', 'sh', 'console'}  # languages of blocks that may hold commands
MARKDOWN = MarkdownIt().enable('table')


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        line (int): Where the block begins, from 1.
        language (str): As written, lower case; empty for an indented block.
        text (str): The code.
        file (str): Name of the file that a reader writes it to, or empty.
        reason (str): Why it is not run, or empty.
    """

    line: int
    language: str
    text: str
    file: str = ''
    reason: str = ''


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the blocks of code of a page."""
    comment = None
    for token in MARKDOWN.parse(page.read_text(encoding='utf-8')):
        if token.type == 'html_block':
            comment = COMMENT.fullmatch(token.content)
        elif token.type in ('fence', 'code_block'):
            kind, value = comment.groups() if comment else ('', '')
            language = token.info.strip().lower()
            yield Block(
                token.map[0] + 1,
                language,
                token.content,
                file=value if kind == 'save as' else '',
                reason=value if kind == 'not run:' else '',
            )
            comment = None
        elif token.type != 'paragraph_close':
            comment = None


def commands_of(block: Block) -> list[str]:
    r"""Return the command lines of a block, without comments; lines that end in a backslash go on in the next.

    An indented block holds commands if its first line is one.
    """
    if block.language not in COMMANDS:
        return []
    lines = block.text.replace('\\\n', ' ').splitlines()
    lines = [re.sub(r'(^|\s)#( .*|$)', '', line).strip() for line in lines]
    return [' '.join(line.split()) for line in lines if line]


def mentions_of(page: Path, word: str = 'mmkd') -> Iterator[tuple[int, str]]:
    """Yield line and text of the code in running text and tables that begins with a word."""
    for token in MARKDOWN.parse(page.read_text(encoding='utf-8')):
        for child in token.children or []:
            if child.type == 'code_inline' and child.content.startswith(f'{word} '):
                yield token.map[0] + 1 if token.map else 0, child.content
