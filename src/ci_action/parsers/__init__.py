"""What the output of each tool means: text in, values out."""
