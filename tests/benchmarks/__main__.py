"""`PYTHONPATH=tests python -m benchmarks`, or the names of some: `recording listing`."""

from .commands import main


main()
