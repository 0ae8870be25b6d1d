"""``python -m workflow_store``: the command line, where no script is installed."""

import sys

from workflow_store.cli import main

if __name__ == "__main__":
    sys.exit(main())
