"""What the simulator counts for Prometheus."""

from prometheus_client import Counter

ACCEPTED = Counter("garbo_simulator_accepted", "Sends the Graph API accepted", ["category"])
REFUSED = Counter("garbo_simulator_refused", "Requests the Graph API answered with an error", ["code"])
INBOUND = Counter("garbo_simulator_inbound", "Messages customers wrote")
POSTS = Counter("garbo_simulator_webhook_posts", "Webhook POSTs made", ["answered"])
