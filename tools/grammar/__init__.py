"""What is known about file formats: one table of languages, and scanners for formats that have no grammar."""
