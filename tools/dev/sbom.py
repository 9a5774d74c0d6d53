"""Write a bill of materials of this environment, which holds the package, in the format CycloneDX 1.6.

    pip install cyclonedx-bom && python tools/dev/sbom.py OUT.json [--extra NAME...]

The bill has the package, its requirements and what these bring, with versions, licences and who needs whom; what else is
installed is left out. A requirement of setup.py that is missing, or has a version out of its range, ends the command with 1.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from requirements import DEFAULT, brought_by, direct, normal, write_whole

__all__ = ['bill_faults', 'main', 'pruned']

PACKAGE = 'mmkd-plugin'


def pruned(bill: dict[str, Any], wanted: Collection[str]) -> dict[str, Any]:
    """Return a bill with the wanted components alone, and without where the package itself was installed from.

    Args:
        bill (dict): Of a whole environment.
        wanted (Collection[str]): Normal names of components.
    """
    kept = [each for each in bill['components'] if normal(each['name']) in wanted]
    references = {each['bom-ref'] for each in kept}
    own = {each['bom-ref'] for each in kept if normal(each['name']) == PACKAGE}
    return {
        **bill,
        'components': [{**each, 'externalReferences': []} if each['bom-ref'] in own else each for each in kept],
        'dependencies': [
            {**each, 'dependsOn': [name for name in each.get('dependsOn', []) if name in references]}
            for each in bill['dependencies']
            if each['ref'] in references
        ],
    }


def bill_faults(bill: dict[str, Any], requirements: Sequence[Requirement]) -> list[str]:
    """List the requirements that a bill does not hold, one sentence for each.

    Args:
        bill (dict): A bill of materials.
        requirements (Sequence[Requirement]): Those whose marker does not fit this interpreter are not looked for.
    """
    versions = {normal(each['name']): each.get('version', '') for each in bill['components']}
    wrong = []
    for requirement in requirements:
        version = versions.get(normal(requirement.name))
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        if version is None:
            wrong.append(f'{requirement.name} is not in the bill of materials')
        elif not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f'{requirement.name} is {version} in the bill of materials, expected {requirement.specifier}')
    return wrong


def main(argv: Sequence[str] | None = None) -> int:
    """Write, and return the exit code."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition('\n')[0], allow_abbrev=False)
    parser.add_argument('out', help='the JSON file')
    parser.add_argument('--extra', nargs='+', default=[], help='extras that are meant too')
    args = parser.parse_args(argv)
    requirements = [each.requirement for each in direct() if each.extra in (DEFAULT, *args.extra)]
    command = [sys.executable, '-m', 'cyclonedx_py', 'environment', '--output-reproducible', '--of', 'JSON', sys.executable]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr.strip() or 'cyclonedx-py has failed', 'Run: pip install cyclonedx-bom', sep='\n', file=sys.stderr)
        return 1
    bill = pruned(json.loads(done.stdout), {PACKAGE, *brought_by(requirements)})
    wrong = bill_faults(bill, [Requirement(PACKAGE), *requirements])
    if wrong:
        print('\n'.join(f'error: {sentence}' for sentence in wrong), file=sys.stderr)
        return 1
    write_whole(Path(args.out), json.dumps(bill, indent=1) + '\n')
    print(f'{len(bill["components"])} components, {len(requirements)} requirements: {args.out}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
