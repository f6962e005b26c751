"""True views of a file: each says what it left out."""
