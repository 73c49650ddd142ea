"""The worker of reruns with the toy's stand-ins, so that short runs stay short."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import toy


def main():
    toy.stand_in()
    from science.core.rerun import worker

    sys.exit(worker.main(sys.argv[1:]))


if __name__ == "__main__":
    main()
