"""`PYTHONPATH=tests python -m benchmarks [recording] [reconciling] [verifying]`."""

from .commands import main


main()
