"""`PYTHONPATH=tests python -m benchmarks [recording] [reconciling] [auditing] [starving]`."""

from .commands import main


main()
