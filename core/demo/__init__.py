"""Shipped studies: a question, scripted turns and experiment code that runs for real."""
