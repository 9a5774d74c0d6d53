"""List the licences of all dependencies on docs/dependencies.md, and refuse one that nobody has agreed to.

    python tools/dev/licences.py            # write the page
    python tools/dev/licences.py --check    # write nothing; exit code 1 for a licence that is not allowed

Licences are those that the installed packages state. A package that is not installed, of an extra perhaps, is listed without.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from leaves import between

from requirements import DEFAULT, ROOT, Direct, brought_by, direct, normal, write_whole

__all__ = ['ALLOWED', 'EXCEPTIONS', 'faults', 'licence_of', 'main', 'page', 'spdx']

PAGE = ROOT / 'docs' / 'dependencies.md'
UNKNOWN = 'not stated'
ABSENT = '–'  # not installed here
# Permissive ones, and MPL-2.0, whose copyleft ends with the file: this package copies no file of its dependencies.
ALLOWED = {
    '0BSD',
    'Apache-2.0',
    'Apache-2.0 WITH LLVM-exception',
    'BSD',
    'BSD-2-Clause',
    'BSD-3-Clause',
    'BSL-1.0',
    'CC0-1.0',
    'ISC',
    'MIT',
    'MIT-CMU',
    'MPL-2.0',
    'PSF-2.0',
    'Unlicense',
    'Zlib',
}
PROPRIETARY = 'LicenseRef-NVIDIA-Proprietary'
# Packages that are allowed with another licence, or whose metadata state none: a pattern of the name, the licence, the extras
# that may bring the package (all, if none is named), and the sentence on the page.
EXCEPTIONS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    (
        r'nvidia-.*|cuda-toolkit',
        PROPRIETARY,
        (),
        "NVIDIA's libraries for GPUs, which PyPI's build of torch brings on Linux: free to use, and to pass on with a program "
        "under NVIDIA's terms, without source. torch's build for the CPU brings none of them.",
    ),
    (
        'gudhi',
        'MIT AND GPL-3.0-or-later',
        ('bench', 'test'),
        'MIT, with parts under the GPL-3.0 that it was compiled with. Tests and benchmarks compare with it; the package never '
        'imports it.',
    ),
    ('onedl-(mmcv|mmengine|mmpretrain)', 'Apache-2.0', (), ''),  # the text of the licence, or a name of their own for it
)
# What packages state, where that is no identifier of SPDX: of the field License, and of the classifiers.
STATED = {
    '2-clause BSD': 'BSD-2-Clause',
    '3-Clause BSD License': 'BSD-3-Clause',
    'Apache 2.0': 'Apache-2.0',
    'Apache License 2.0': 'Apache-2.0',
    'Apache Software License': 'Apache-2.0',
    'BSD License': 'BSD',
    'ISC License (ISCL)': 'ISC',
    'MIT License': 'MIT',
    'Mozilla Public License 2.0 (MPL 2.0)': 'MPL-2.0',
    'NVIDIA Proprietary Software': PROPRIETARY,
    'Other/Proprietary License': PROPRIETARY,
    'Python Software Foundation License': 'PSF-2.0',
}


def licence_of(name: str) -> str:
    """Return the licence of a package: of :data:`EXCEPTIONS`, else as it states itself, in SPDX where that can be told."""
    for pattern, licence, _, _ in EXCEPTIONS:
        if re.fullmatch(pattern, name):
            return licence
    try:
        fields = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ABSENT
    return spdx(fields.get('License-Expression'), fields.get('License'), fields.get_all('Classifier') or [])


def spdx(expression: str | None, text: str | None, classifiers: Sequence[str]) -> str:
    """Return the licence that three fields of a package's metadata state.

    Args:
        expression (str, optional): ``License-Expression``, which is SPDX.
        text (str, optional): ``License``, which is anything, the whole text of the licence included.
        classifiers (Sequence[str]): Those of the licence are looked at.
    """
    if expression:
        return expression
    short = (text or '').strip()
    if short and short != 'UNKNOWN' and '\n' not in short:
        return STATED.get(short, short)
    ends = [line.rpartition(' :: ')[2] for line in classifiers if line.startswith('License :: ')]
    stated = [STATED.get(end, end) for end in ends if end != 'OSI Approved']
    return ' AND '.join(stated) or UNKNOWN


def faults(licences: Mapping[str, str], extras: Mapping[str, set[str]]) -> list[str]:
    """List the packages whose licence is not allowed, one sentence for each.

    Args:
        licences (Mapping[str, str]): By the normal name of the package.
        extras (Mapping[str, set[str]]): Which extras bring a package, by its name.
    """
    wrong = []
    for name, licence in sorted(licences.items()):
        known = next((entry for entry in EXCEPTIONS if re.fullmatch(entry[0], name) and entry[1] == licence), None)
        if known is not None and known[1] not in ALLOWED:
            others = extras.get(name, set()) - set(known[2])
            if known[2] and others:
                wrong.append(
                    f'{name} ({licence}) is allowed for {", ".join(known[2])}, but {", ".join(sorted(others))} brings it too'
                )
        elif licence != ABSENT and not _is_allowed(licence):
            wrong.append(f'{name} has the licence {licence!r}, which is neither in ALLOWED nor in EXCEPTIONS of {__file__}')
    return wrong


def _is_allowed(licence: str) -> bool:
    """Return whether all parts of an expression are allowed, or one of those that OR joins."""
    return all(any(choice.strip(' ()') in ALLOWED for choice in part.split(' OR ')) for part in licence.split(' AND '))


def page(requirements: Sequence[Direct], licences: Mapping[str, str], extras: Mapping[str, set[str]]) -> dict[str, str]:
    """Return the two tables of the page, by name."""
    rows: dict[str, list[Direct]] = {}
    notes = [f'- {pattern.replace("|", ", ").replace(".*", "…")}: {note}' for pattern, _, _, note in EXCEPTIONS if note]
    for requirement in requirements:
        rows.setdefault(requirement.name, []).append(requirement)
    first = ['| package | versions | why | licence | installed by |', '|---|---|---|---|---|']
    for name, ways in rows.items():
        given = next((way for way in ways if way.reason), ways[0])
        reason = given.reason.replace('|', '\\|')
        versions = ', '.join(dict.fromkeys(str(way.requirement.specifier) or 'any' for way in ways))
        named = ', '.join(dict.fromkeys(way.extra if way.extra == DEFAULT else f'`[{way.extra}]`' for way in ways))
        first.append(f'| {given.requirement.name} | `{versions}` | {reason} | {licences[name]} | {named} |')
    second = ['| package | licence | brought by |', '|---|---|---|']
    for name in sorted(licences.keys() - rows.keys()):
        named = sorted(extras[name], key=lambda extra: (extra != DEFAULT, extra))
        named = [DEFAULT] if DEFAULT in named else [f'`[{extra}]`' for extra in named]
        second.append(f'| {name} | {licences[name]} | {", ".join(named)} |')
    return {'direct dependencies': '\n'.join(first), 'indirect dependencies': '\n'.join(second), 'exceptions': '\n'.join(notes)}


def main(argv: Sequence[str] | None = None) -> int:
    """Write or check, and return the exit code."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition('\n')[0], allow_abbrev=False)
    parser.add_argument('--check', action='store_true', help='write nothing')
    args = parser.parse_args(argv)
    requirements = direct()
    extras: dict[str, set[str]] = {}
    for extra in dict.fromkeys(each.extra for each in requirements):
        for name in brought_by([each.requirement for each in requirements if each.extra == extra]):
            extras.setdefault(name, set()).add(extra)
    licences = {normal(name): licence_of(name) for name in extras}
    wrong = faults(licences, extras)
    for sentence in wrong:
        print(f'error: {sentence}', file=sys.stderr)
    absent = sorted(name for name, licence in licences.items() if licence == ABSENT)
    print(f'{len(licences) - len(absent)} packages, {len(wrong)} with a licence that is not allowed')
    if absent:
        print(f'not installed here, and not looked at: {", ".join(absent)}')
    if not args.check:
        _write(PAGE, page(requirements, licences, extras))
    return 1 if wrong else 0


def _write(path: Path, tables: Mapping[str, str]) -> None:
    text = path.read_text(encoding='utf-8')
    for name, table in tables.items():
        text = between(text, name, table, 'licences.py')
    write_whole(path, text)


if __name__ == '__main__':
    sys.exit(main())
