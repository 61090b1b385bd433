"""`python -m tests.years SEED`: live one seed's year again, and say what is wrong with it.

`python -m tests.years FIRST COUNT` lives through so many, and names the seeds that failed.
"""

from __future__ import annotations

import sys

from tests.years.lived import failures


def main(arguments: list[str]) -> int:
    """Live through one year or many."""
    first, count = int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 1
    failed = 0
    for seed in range(first, first + count):
        found = failures(seed)
        failed += bool(found)
        sys.stdout.writelines(f"{line}\n" for line in found)
    sys.stdout.write(f"{count} years, {failed} failed\n")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
