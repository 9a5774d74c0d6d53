"""Look the packages of the lock files up among known vulnerabilities; nothing is installed.

    pip install pip-audit && python tools/dev/audit.py [--service pypi|osv]

The exit code is 0 where no vulnerability is known, 1 where one is, and 3 where the data base could not be asked, so that
nothing is known. Markers of the lock files are held against this Python. What has no consequence here stands in
:data:`ACCEPTED`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from requirements import ROOT

__all__ = ['ACCEPTED', 'judge', 'main']

# By the identifier of a vulnerability: why it has no consequence for this package and its users.
ACCEPTED: dict[str, str] = {}


def judge(report: str) -> tuple[int, list[str]]:
    """Return the exit code, and lines about what pip-audit has found.

    Args:
        report (str): What ``pip-audit --format json`` has printed; nothing where it has failed.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(report)['dependencies']
    except (ValueError, KeyError, TypeError):
        return 3, ['nothing is known: the data base of vulnerabilities could not be asked']
    skipped = [f'{each["name"]}: {each["skip_reason"]}' for each in packages if 'skip_reason' in each]
    if skipped or not packages:
        return 3, [
            *skipped[:3],
            f'nothing is known of {len(skipped)} of {len(packages)} packages: the data base could not be asked',
        ]
    lines, count = [], 0
    for each in packages:
        for fault in each['vulns']:
            known = next((name for name in (fault['id'], *fault.get('aliases', ())) if name in ACCEPTED), None)
            count += known is None
            reason = (
                f'accepted: {ACCEPTED[known]}' if known else f'mended in {", ".join(fault["fix_versions"]) or "no version"}'
            )
            lines.append(f'{each["name"]} {each["version"]}: {fault["id"]}, {reason}')
    return int(count > 0), [*lines, f'{len(packages)} packages, {count} vulnerabilities that are not accepted']


def main(argv: Sequence[str] | None = None) -> int:
    """Ask, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition('\n')[0], allow_abbrev=False)
    parser.add_argument('--service', choices=['pypi', 'osv'], default='pypi', help='the data base that is asked')
    args = parser.parse_args(argv)
    files = [word for path in sorted((ROOT / 'requirements').glob('lock-*.txt')) for word in ('-r', str(path))]
    options = ['--require-hashes', '--disable-pip', '--progress-spinner', 'off', '--format', 'json', '--vulnerability-service']
    command = [sys.executable, '-m', 'pip_audit', *files, *options, args.service]
    done = subprocess.run(command, capture_output=True, text=True)
    code, lines = judge(done.stdout)
    if not done.stdout:
        lines = [*done.stderr.strip().splitlines()[-1:], *lines]
    if 'No module named pip_audit' in done.stderr:
        lines = ['error: pip-audit is not installed. Run: pip install pip-audit']
    print('\n'.join(lines), file=sys.stderr if code else sys.stdout)
    return code


if __name__ == '__main__':
    sys.exit(main())
