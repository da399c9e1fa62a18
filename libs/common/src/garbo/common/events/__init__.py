"""What services say to each other: the public contract, one module per family."""
