"""``mmkd demo``, where users of OpenMMLab look for it."""

import sys

from mmkd_plugin.cli import main

if __name__ == '__main__':
    sys.exit(main(['demo', *sys.argv[1:]]))
