"""fumehood's engine room: everything but the console. Never imports Textual or ``tui``."""
