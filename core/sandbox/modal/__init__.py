"""Sandboxes on Modal, by the vendor's own SDK.

The SDK is imported by ``sdk`` alone, when it is first needed, and never in the console's process.
"""
