"""What DWARF says of a plugin: lines of source, functions, variables and their values."""
