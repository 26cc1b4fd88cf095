"""`python -m tests.simulation run|replay|kills|planted`."""

from .commands import main


main()
