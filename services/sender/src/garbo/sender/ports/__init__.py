"""What the flow needs from outside, in the flow's words."""
