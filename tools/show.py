"""``mmkd show``, where users of OpenMMLab look for it."""

import sys

from mmkd_plugin.cli import main

if __name__ == '__main__':
    sys.exit(main(['show', *sys.argv[1:]]))
