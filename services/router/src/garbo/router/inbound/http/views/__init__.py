"""What the API answers with: its models, each made from what a use case gave."""
