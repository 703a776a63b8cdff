"""`python -m agentsynth`: the command line."""

from agentsynth.cli import main

if __name__ == "__main__":
    main()
