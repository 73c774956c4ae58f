"""Parts of screens: each shows a piece of a run's state and holds nothing that the journal does not."""
