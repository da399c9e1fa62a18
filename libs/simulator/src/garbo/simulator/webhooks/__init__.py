"""What Meta tells the business, signed and again until it answers 200."""
