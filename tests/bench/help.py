"""How long a command's help takes (target: 300 ms), beside a Python that does nothing: `make bench`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 10
TARGET_SECONDS = 0.3
COMMANDS = ("", "ask", "pay", "sell", "up", "devnet", "intents", "intents show", "wallet balance", "doctor")


def seconds(arguments: list[str]) -> list[float]:
    """One whole process each."""
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - began)
    return taken


def main() -> None:
    bare = statistics.median(seconds([sys.executable, "-c", "pass"]))
    print(f"{'command':<24}{'median':>9}{'max':>9}   (a bare Python: {1000 * bare:.0f} ms)")
    for command in COMMANDS:
        taken = seconds([sys.executable, "-m", "paygent", *command.split(), "--help"])
        median = statistics.median(taken)
        verdict = "" if median <= TARGET_SECONDS else "   over 300 ms"
        print(f"{'paygent ' + command:<24}{1000 * median:>6.0f} ms{1000 * max(taken):>6.0f} ms{verdict}")


if __name__ == "__main__":
    main()
