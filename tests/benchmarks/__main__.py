"""`PYTHONPATH=tests python -m benchmarks [recording] [reconciling] [auditing]`."""

from .commands import main


main()
