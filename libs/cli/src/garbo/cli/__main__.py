"""`python -m garbo.cli` is the garbo command."""

from garbo.cli.main import main

if __name__ == "__main__":
    main()
