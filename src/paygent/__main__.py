"""`python -m paygent` is `paygent`."""

from paygent.cli.main import main

main()
