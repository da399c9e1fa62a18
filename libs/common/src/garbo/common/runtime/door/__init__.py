"""The door of every process: bytes and seconds are bounded before anything is trusted (ADR 0020)."""
