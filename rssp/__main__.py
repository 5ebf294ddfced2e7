"""``python -m rssp`` is ``rssp``."""

from rssp.cli import main

if __name__ == "__main__":
    main()
