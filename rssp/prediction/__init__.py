"""What is computed without enumerating sums: the covering law, and exact second moments."""
