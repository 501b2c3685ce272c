"""The trading service: orders of users at the price of the market."""
