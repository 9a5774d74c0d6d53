"""The tutorial is run from its page: `python tools/dev/tutorial.py`, which takes minutes and installs, and so is no test here."""

import shlex
import subprocess
import sys
from pathlib import Path

from snippets import blocks_of
from tutorial import script_of

ROOT = Path(__file__).parents[2]
PAGE = """Words.

<!-- save as deep/hello.txt -->

    hello

<!-- not run: nobody has this program -->

```bash
nosuchprogram
```

```bash
here="$PWD"      # settings last
cat deep/hello.txt && test "$here" = "$PWD"
false && true
echo never
```
"""


def test_the_program_of_the_tutorial_has_its_commands_in_order():
    script = script_of(list(blocks_of(ROOT / 'docs' / 'tutorial.md')))
    assert subprocess.run(['bash', '-n', '-c', script], capture_output=True, text=True).stderr == ''
    titles = [shlex.split(line)[1] for line in script.splitlines() if line.startswith("echo '== ")]
    programs = [' '.join(title.split()[1:3]) for title in titles]
    assert programs == [
        'python3 -m',
        'pip install',
        'python write_tables.py',
        'mmkd data',
        'mmkd train',
        'mmkd test',
        *['mmkd export'] * 3,
        'mmkd infer',
        'mmkd stream',
        'python ask.py',
    ]
    for name in ('write_tables.py', 'data/mine/recordings.yml', 'mine.py', 'ask.py'):
        assert f'cat > {name} <<' in script


def test_a_page_is_run_until_a_command_fails(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text(PAGE)
    command = [
        sys.executable,
        str(ROOT / 'tools' / 'dev' / 'tutorial.py'),
        str(page),
        '--folder',
        str(tmp_path / 'copy'),
        '--keep',
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.endswith(' s')]
    assert lines == [
        '== here="$PWD"',
        '== cat deep/hello.txt && test "$here" = "$PWD"',
        'hello',
        '== false && true',
        '== 2 commands, 0.0 minutes',
        '== the next command ended with exit code 1',
    ]
    assert (tmp_path / 'copy' / 'setup.py').is_file()
    assert not (tmp_path / 'copy' / '.git').exists()
