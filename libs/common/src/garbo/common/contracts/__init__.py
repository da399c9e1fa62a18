"""The public contract as files: JSON Schemas, examples, AsyncAPI, a page for readers. All generated."""
