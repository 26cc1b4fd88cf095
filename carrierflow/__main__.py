"""`python -m carrierflow`."""

from carrierflow.cli import main


main()
