"""`python -m mooring.cli` is `mooring`."""

from mooring.cli import main

if __name__ == "__main__":
    main()
