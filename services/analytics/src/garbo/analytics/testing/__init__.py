"""Typed fakes of the ports, and events as the other services write them. For tests only."""
