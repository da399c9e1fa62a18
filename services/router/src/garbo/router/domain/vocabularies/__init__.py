"""The words a STOP is made of in thirteen languages, by family; natives should review them."""
