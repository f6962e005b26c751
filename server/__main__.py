"""`python -m penstock.server` is `penstock`."""

import sys

from .cli import main

sys.exit(main())
