"""`python notebooks/build.py`: the notebooks of both languages, made from notebooks/src."""

from building.commands import main

if __name__ == "__main__":
    raise SystemExit(main())
