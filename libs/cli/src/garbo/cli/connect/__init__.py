"""`garbo connect`: whether a real number is ready, what is wrong, and its entry in the business file."""
