"""Names as linkers have them, made readable: Rust's two manglings and that of C++."""
