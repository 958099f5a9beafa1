"""``python -m pairsweep``."""

import sys

from pairsweep.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
