"""Starts the built programs and their servers, and talks to them from outside."""
