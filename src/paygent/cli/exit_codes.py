"""Exit codes, and the paragraph of help that explains them; imports nothing, so that help stays fast."""

EXIT_OK, EXIT_UNEXPECTED, EXIT_INPUT, EXIT_DENIED, EXIT_SELLER, EXIT_UNDECIDED, EXIT_UNAVAILABLE = range(7)
EXIT_INTERRUPTED = 130  # as shells have it

EXIT_CODES = (
    "Exit codes: 0 done; 1 unexpected; 2 the input is wrong; 3 denied (policy, budget, balance); "
    "4 the seller did not deliver; 5 not decided yet (run it again to resume); "
    "6 something does not answer (chain, seller, database); 130 interrupted."
)
