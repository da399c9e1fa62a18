"""Who may do what in Kafka: declared by the table of topics, applied as users and ACLs."""
