"""Interactive messages: buttons, lists, links, flows, products, requests, carousels.

One module for each kind, with the platform's limits; `message.py` has the table of them.
"""
