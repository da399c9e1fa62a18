"""The rest of the Graph API: nodes and edges that are read and changed, one file a thing."""
