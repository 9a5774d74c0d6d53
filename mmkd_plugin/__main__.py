"""``python -m mmkd_plugin`` is ``mmkd``."""

import sys

from mmkd_plugin.cli import main

if __name__ == '__main__':
    sys.exit(main())
