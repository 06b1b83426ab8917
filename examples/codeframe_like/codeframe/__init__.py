"""Stand-in for CodeFRAME."""
