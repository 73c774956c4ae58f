"""fumehood's engine room: everything but the console. Never imports Textual or ``tui``."""

APPLICATION = "fumehood"
"""The name under which the user's folders are found."""
