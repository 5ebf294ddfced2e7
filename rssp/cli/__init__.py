"""The command line: a file a command. Every command's work is a function elsewhere."""

from rssp.cli.app import main

__all__ = ["main"]
