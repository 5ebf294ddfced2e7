"""``python -m rssp``: the same as the command ``rssp``."""

from rssp.cli import main

if __name__ == "__main__":
    main()
